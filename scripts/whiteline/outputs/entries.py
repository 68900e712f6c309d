"""Which files make a library, and what is known of each: from a table or from their names.

``files`` of a library's configuration has either ``table``, a CSV file with a row per file, or
``paths`` (globs) with ``pattern``, in which names in braces stand for what file names tell.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np

from whiteline.atomic import Ion, ions, parse_ion
from whiteline.errors import InputError
from whiteline.outputs import KINDS
from whiteline.simulation import AXES

SYMMETRIES = ("Oh", "Td", "D4h", "C3v")
WIDTHS = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")
_NUMBERS = (*AXES, *WIDTHS, "energy_shift")
COLUMNS = ("file", "ion", "symmetry", *_NUMBERS, "kind")
_POSITIVE = ("slater_reduction", "temperature", *WIDTHS[:2])
_NEVER_NEGATIVE = ("gaussian_sigma", "zeta_3d_scale")

_NAMES = {
    "ion": r"[A-Z][a-z]?\d\+",
    "element": r"[A-Z][a-z]?",
    "valence": r"\d",
    "d_count": r"\d{1,2}",
    "symmetry": "|".join(SYMMETRIES),
    **dict.fromkeys(_NUMBERS, r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"),
}
_TOKEN = re.compile(r"\{(\w*)\}|(\*|\.\.\.)|(\s+)")


@dataclass(frozen=True)
class Entry:
    """One file.

    Attributes
    ----------
    path
        Relative to the working directory, or absolute.
    where
        What tells of it, for messages: a line of the table, or the file itself.
    ion, symmetry
        Such as ``"Mn2+"`` and ``"Oh"``, which it is where nothing is said.
    numbers
        What is known of the axes (`whiteline.simulation.AXES`), line widths (eV) and the shift of
        its energies (eV), by name.
    kind
        The program, None to find it out.
    """

    path: str
    where: str
    ion: str
    symmetry: str = SYMMETRIES[0]
    numbers: Mapping[str, float] = field(default_factory=dict)
    kind: str | None = None

    def value(self, name: str) -> float:
        """A number, NaN where it is not known; the p-d reduction follows the d-d one."""
        if name == "slater_reduction_pd" and name not in self.numbers:
            name = "slater_reduction"
        return self.numbers.get(name, np.nan)


@dataclass(frozen=True)
class Listing:
    """The files of a library, and a sentence for each that is left out."""

    entries: tuple[Entry, ...]
    faults: tuple[str, ...] = ()

    @property
    def ions(self) -> list[str]:
        """Their ions, by valence."""
        return sorted(
            {entry.ion for entry in self.entries}, key=lambda ion: parse_ion(ion).valence
        )

    @property
    def symmetries(self) -> list[str]:
        """Their point groups, in the order of the files."""
        return list(dict.fromkeys(entry.symmetry for entry in self.entries))


def listing(files: Mapping[str, Any]) -> Listing:
    """The files that a configuration's ``files`` names.

    Parameters
    ----------
    files
        ``table``, or ``paths`` and ``pattern``; ``on_error`` is ``stop`` or ``skip``: a file whose
        name does not fit the pattern stops, or is left out.

    Raises
    ------
    InputError
        If the table is wrong (says in which line), a file is missing, or there are two elements.
    """
    if ("table" in files) == ("paths" in files):
        raise InputError("give either 'table' or 'paths'")
    if "table" in files:
        if "pattern" in files:
            raise InputError("'pattern' goes with 'paths', not with a table")
        found = Listing(tuple(_table(Path(files["table"]))))
    else:
        found = _paths(files["paths"], files.get("pattern"), files["on_error"] == "skip")
    _check(found.entries)
    return found


def _check(entries: Iterable[Entry]) -> None:
    """All files are there, each once, and of one element."""
    seen: dict[Path, str] = {}
    first: Entry | None = None
    for entry in entries:
        path = Path(entry.path)
        if not path.is_file():
            what = "is a folder, name its files" if path.is_dir() else "no such file"
            raise InputError(f"{entry.where}: {entry.path}: {what}")
        if path.resolve() in seen:
            raise InputError(
                f"{entry.where}: {entry.path} stands already in {seen[path.resolve()]}"
            )
        seen[path.resolve()] = entry.where
        first = first or entry
        if parse_ion(entry.ion).element != parse_ion(first.ion).element:
            raise InputError(
                f"{entry.where}: {entry.ion} beside {first.ion} ({first.where}); one library is "
                "of one element"
            )


def _table(path: Path) -> Iterable[Entry]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read as a table ({error})") from None
    # A spreadsheet of much of Europe separates by semicolons.
    first = text.partition("\n")[0]
    reader = csv.reader(
        text.splitlines(), delimiter=";" if ";" in first else ",", skipinitialspace=True
    )
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num}: is no row of a table ({error})"
        ) from None
    if len(rows) < 2:
        raise InputError(f"{path}: has no rows; give a header and a row for each file")
    (line, names), *rows = rows
    _check_columns(f"{path}, line {line}", names)
    return [_entry(path, line, names, row) for line, row in rows]


def _check_columns(where: str, names: list[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COLUMNS)}"
            raise InputError(f"{where}: there is no column {name!r}; {hint}")
        if names.count(name) > 1:
            raise InputError(f"{where}: the column {name!r} stands twice")
    for name in ("file", "ion"):
        if name not in names:
            raise InputError(f"{where}: the column {name!r} is missing")


def _entry(table: Path, line: int, names: list[str], row: list[str]) -> Entry:
    where = f"{table}, line {line}"
    if len(row) != len(names):
        raise InputError(f"{where}: has {len(row)} cells where the header has {len(names)}")
    cells = {name: cell for name, cell in zip(names, row, strict=True) if cell}
    for name in ("file", "ion"):
        if name not in cells:
            raise InputError(f"{where}: the {name} is missing")
    kind = cells.get("kind")
    if kind is not None and kind not in KINDS:
        raise InputError(f"{where}: there is no kind {kind!r}, only {', '.join(KINDS)}")
    ion = _named(where, parse_ion, cells["ion"])
    return _made(str(table.parent / cells["file"]), where, ion, cells, kind)


def _made(path: str, where: str, ion: Ion, cells: Mapping[str, str], kind: str | None) -> Entry:
    """An entry from what is known of it as text."""
    symmetry = cells.get("symmetry", SYMMETRIES[0])
    if symmetry not in SYMMETRIES:
        raise InputError(f"{where}: the symmetry {symmetry!r} is none of {', '.join(SYMMETRIES)}")
    numbers = {name: _number(where, name, cells[name]) for name in _NUMBERS if name in cells}
    for name, value in numbers.items():
        known = AXES[name].symmetries if name in AXES else None
        if known is not None and value != 0 and symmetry not in known:
            raise InputError(
                f"{where}: {name} is {value:g}, but {symmetry} has none; it needs the symmetry "
                f"{' or '.join(known)}"
            )
    return Entry(path, where, ion.name, symmetry, numbers, kind)


def _number(where: str, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{where}: {name} is {text!r}, not a number") from None
    if not np.isfinite(value):
        raise InputError(f"{where}: {name} is {text!r}, not a finite number")
    if name in _POSITIVE and value <= 0:
        raise InputError(f"{where}: {name} is {text}, not above 0")
    if name in _NEVER_NEGATIVE and value < 0:
        raise InputError(f"{where}: {name} is {text}, below 0")
    return value


def _named(where: str, function, *arguments):
    """Call a function; its `InputError` then says where."""
    try:
        return function(*arguments)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _paths(globs: list[str], pattern: str | None, skip: bool) -> Listing:
    if pattern is None:
        raise InputError("'paths' needs 'pattern', which says what the file names tell")
    expression = _expression(pattern)
    entries, faults = [], []
    for text in globs:
        # Path.glob takes no absolute patterns.
        found = sorted(glob(text, recursive=True))  # noqa: PTH207
        if not found:
            raise InputError(f"{text}: there is no such file")
        for path in found:
            try:
                entries.append(_from_name(path, pattern, expression))
            except InputError as error:
                if not skip:
                    raise
                faults.append(str(error))
    if not entries:
        raise InputError(f"no file fits the pattern {pattern!r}; {faults[0]}")
    return Listing(tuple(entries), tuple(faults))


def _expression(pattern: str) -> re.Pattern:
    """The regular expression of a pattern of file names without ending."""
    parts, last = [], 0
    for token in _TOKEN.finditer(pattern):
        parts.append(re.escape(pattern[last : token.start()]))
        last = token.end()
        name, anything, _ = token.groups()
        if name is not None:
            parts.append(_group(pattern, name, parts))
        else:
            parts.append(".*?" if anything else r"\s+")
    expression = re.compile("".join([*parts, re.escape(pattern[last:])]))
    names = set(expression.groupindex)
    if not ("ion" in names or ("element" in names and names & {"valence", "d_count"})):
        raise InputError(
            f"the pattern {pattern!r} tells no ion; it needs {{ion}}, or {{element}} with "
            "{valence} or {d_count}"
        )
    return expression


def _group(pattern: str, name: str, parts: list[str]) -> str:
    if name not in _NAMES:
        near = difflib.get_close_matches(name, _NAMES, 1)
        hint = f"did you mean {{{near[0]}}}?" if near else f"there are {', '.join(_NAMES)}"
        raise InputError(f"the pattern {pattern!r} has {{{name}}}; {hint}")
    if any(part.startswith(f"(?P<{name}>") for part in parts):
        raise InputError(f"the pattern {pattern!r} has {{{name}}} twice")
    return f"(?P<{name}>{_NAMES[name]})"


def _from_name(path: str, pattern: str, expression: re.Pattern) -> Entry:
    match = expression.fullmatch(Path(path).stem)
    if match is None:
        raise InputError(f"{path}: the name does not fit the pattern {pattern!r}")
    cells = match.groupdict()
    return _made(path, path, _named(path, _ion, cells), cells, None)


def _ion(cells: Mapping[str, str]) -> Ion:
    if "ion" in cells:
        return parse_ion(cells["ion"])
    if "valence" in cells:
        return parse_ion(f"{cells['element']}{cells['valence']}+")
    of_element = [ion for ion in ions() if ion.element == cells["element"]]
    for ion in of_element:
        if ion.d_count == int(cells["d_count"]):
            return ion
    known = ", ".join(f"d{ion.d_count}" for ion in of_element) or "no ion at all"
    raise InputError(f"{cells['element']} has no d{cells['d_count']} in the table, only {known}")
