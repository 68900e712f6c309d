"""Reads spectra from XDI files, the XAS Data Interchange (version 1.0): columns with metadata.

Ravel et al., J. Phys. Conf. Ser. 712, 012148 (2016), doi 10.1088/1742-6596/712/1/012148.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from whiteline.errors import InputError
from whiteline.formats import columns
from whiteline.formats.base import Choice, Recording, energy_factor, in_electronvolts

NAME = "XDI"
ENDINGS = (".xdi",)

# Columns of the dictionary that are absorption, the best first.
_ABSORPTION = ("munorm", "normtrans", "normfluor", "mutrans", "mufluor")
# Signals that absorption is made of, by division by i0; transmission also by a logarithm.
_YIELDS = ("ifluor", "itey", "tey")


def recognise(path: Path, head: bytes) -> str | None:
    """The format's name if a file begins with the version of XDI."""
    return NAME if head.lstrip(b"\xef\xbb\xbf").startswith(b"# XDI/") else None


def read(path: Path, choice: Choice) -> list[Recording]:
    """Energy (eV) and absorption; the columns are named by the file.

    Without a choice, absorption is a column that holds it, else ``ifluor`` by ``i0``, else
    -ln(``itrans`` / ``i0``).

    Raises
    ------
    InputError
        If there are no energies, or none of these columns, or a row is wrong.
    """
    metadata = _metadata(path)
    table = columns.read_table(path)
    labels, units = _labels(path, metadata, table.width)
    table = replace(table, headers=(labels, *table.headers))
    notes = _element(metadata)
    if choice.energy is None:
        if "energy" not in labels:
            raise InputError(
                f"{path}: no column is named energy; choose one of {', '.join(labels)}"
            )
        choice = replace(choice, energy=labels.index("energy"))
    if choice.intensity is not None:
        found = columns.recording(table, choice)
    else:
        found = _absorption(path, table, choice, labels)
    factor = energy_factor(units[table.position(choice.energy)])
    energy, converted = found.energy, ()
    if table.factor(table.position(choice.energy)) is None:
        energy, converted = in_electronvolts(found.energy, factor)
    return [replace(found, energy=energy, notes=(*notes, *found.notes, *converted))]


def _absorption(
    path: Path, table: columns.Table, choice: Choice, labels: tuple[str, ...]
) -> Recording:
    for name in _ABSORPTION:
        if name in labels:
            chosen = replace(choice, intensity=labels.index(name), i0=choice.i0)
            found = columns.recording(table, chosen)
            return replace(found, notes=(*found.notes, f"the signal is the column {name}"))
    i0 = "i0" if choice.i0 is None and "i0" in labels else choice.i0
    for name in _YIELDS:
        if name in labels:
            return columns.recording(table, replace(choice, intensity=name, i0=i0))
    if "itrans" in labels and i0 is not None:
        found = columns.recording(table, replace(choice, intensity="itrans", i0=i0))
        if (found.intensity <= 0).any():
            raise InputError(f"{path}: itrans / {i0} is not positive, so it has no logarithm")
        notes = (f"the signal is -ln(itrans / {i0})",)
        return replace(found, intensity=-np.log(found.intensity), notes=notes)
    raise InputError(
        f"{path}: which column is the absorption? choose intensity_column of {', '.join(labels)}"
    )


def _metadata(path: Path) -> dict[str, str]:
    """The fields ``Namespace.tag: value`` of the header, names in lower case."""
    fields: dict[str, str] = {}
    for line in columns.decode(path).splitlines():
        if not line.startswith("#") or re.match(r"#\s*-{3,}", line):
            break
        found = re.match(r"#\s*([A-Za-z]\w*\.\w+):\s*(.*)", line)
        if found:
            fields[found[1].lower()] = found[2].strip()
    return fields


def _labels(
    path: Path, metadata: dict[str, str], width: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of the columns."""
    fields = [metadata.get(f"column.{number}", "").split() for number in range(1, width + 1)]
    if not any(fields):
        raise InputError(f"{path}: the header names no columns (Column.1: energy eV ...)")
    names = tuple(
        field[0].lower() if field else str(number) for number, field in enumerate(fields)
    )
    return names, tuple(field[1] if len(field) > 1 else "" for field in fields)


def _element(metadata: dict[str, str]) -> tuple[str, ...]:
    element, edge = (metadata.get(f"element.{tag}") for tag in ("symbol", "edge"))
    return (f"the file says: {element} {edge or ''}".rstrip(),) if element else ()
