"""Reads spectra from columns of text.

How numbers are delimited and whether their decimal mark is a comma is found out from the rows.
Lines before the first row of numbers are a header, in which column names are looked for.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from whiteline.errors import InputError
from whiteline.formats.base import (
    ALL,
    Choice,
    Column,
    Recording,
    energy_factor,
    in_electronvolts,
    named_factor,
)

NAME = "text columns"
ENDINGS = (".txt", ".csv", ".tsv", ".dat", ".asc", ".prn", ".xy")

# No table of spectra is larger, bytes.
MAXIMUM_SIZE = 2**28
_COMMENT_MARKS = "#%;!"
_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+[.]?\d*|[.]\d+)(?:[eEdD][+-]?\d+)?|nan|inf|infinity)", re.ASCII | re.IGNORECASE
)
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Rows looked at to find the dialect; more would not change the answer.
_SAMPLE = 500


@dataclass(frozen=True)
class Dialect:
    """How a row is written: ``delimiter`` (``None``: spaces) and ``decimal``, point or comma."""

    delimiter: str | None
    decimal: str

    def cells(self, line: str) -> list[str]:
        """Cells of a line; an empty one at the end is a delimiter too many, not a cell."""
        if self.delimiter is None:
            return line.split()
        row = next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True), [])
        cells = [cell.strip() for cell in row]
        return cells[:-1] if cells and not cells[-1] else cells

    def is_number(self, cell: str) -> bool:
        """Whether a cell holds a number (also NaN and infinity)."""
        return _NUMBER.fullmatch(self._with_point(cell)) is not None

    def number(self, cell: str) -> float:
        """Value of a cell for which `is_number` holds; Fortran writes exponents with a D."""
        return float(re.sub("[dD]", "e", self._with_point(cell)))

    def _with_point(self, cell: str) -> str:
        if self.decimal == ".":
            return cell
        # A point in a number with decimal commas would be a thousands mark, which is not read.
        return cell.translate({ord(","): ".", ord("."): "?"})


# In order of preference: a file of whole numbers fits several.
_DIALECTS = tuple(
    Dialect(delimiter, decimal)
    for delimiter, decimals in (("\t", ".,"), (";", ".,"), (",", "."), (None, ".,"))
    for decimal in decimals
)


@dataclass(frozen=True)
class Table:
    """Rows of equal length with their line numbers, and the header lines that fit the columns."""

    path: Path
    dialect: Dialect
    headers: tuple[tuple[str, ...], ...]
    rows: list[tuple[int, list[str]]]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0][1])

    def position(self, column: str | int) -> int:
        """Position of a column that is given by its name or position.

        Raises
        ------
        InputError
            If there is no such column, or several fit; lists those that there are.
        """
        if isinstance(column, int):
            if 0 <= column < self.width:
                return column
            raise InputError(f"{self.path}: there is no column {column}; {self._columns()}")
        for names in self.headers:
            for fit in (str.__eq__, str.startswith):
                found = [i for i, name in enumerate(names) if fit(name.lower(), column.lower())]
                if len(found) > 1:
                    raise InputError(
                        f"{self.path}: several columns fit {column!r}; {self._columns()}"
                    )
                if found:
                    return found[0]
        raise InputError(f"{self.path}: there is no column {column!r}; {self._columns()}")

    def name(self, column: int) -> str:
        """The name of a column, or its position where the file names none."""
        return self.headers[0][column] if self.headers else str(column)

    def factor(self, column: int) -> float | None:
        """Factor to eV of the unit that a header states for a column, if one does."""
        cells = [names[column] for names in self.headers]
        stated = [energy_factor(cell.strip("()[] ")) for cell in cells]
        factors = [*stated, *map(named_factor, cells)]
        return next((factor for factor in factors if factor is not None), None)

    def values(self, column: int) -> np.ndarray:
        """Numbers of a column, (rows,).

        Raises
        ------
        InputError
            Names the line whose cell is no finite number.
        """
        return np.array([self._value(number, cells[column]) for number, cells in self.rows])

    def _value(self, number: int, cell: str) -> float:
        if not self.dialect.is_number(cell):
            raise InputError(f"{self.path}, line {number}: {_short(cell)} is not a number")
        value = self.dialect.number(cell)
        if not np.isfinite(value):
            raise InputError(f"{self.path}, line {number}: {_short(cell)} is not a finite number")
        return value

    def _columns(self) -> str:
        if not self.headers:
            return f"the file names none and has the columns 0 to {self.width - 1}"
        return f"the columns are {', '.join(map(repr, self.headers[0]))}"


def read(path: Path, choice: Choice) -> list[Recording]:
    """Energy (eV) and signals from columns, the first two if not told.

    Raises
    ------
    InputError
        If the file is no table of numbers or lacks a column; names the line or the columns.
    """
    return [recording(read_table(path), choice)]


def recording(table: Table, choice: Choice) -> Recording:
    """The chosen columns of a table; raises `InputError` as `read` does."""
    energy = table.position(0 if choice.energy is None else choice.energy)
    columns = _signal_columns(table, energy, choice.intensity)
    if energy in columns:
        raise InputError(f"{table.path}: energy and intensity are both read from column {energy}")
    values, converted = in_electronvolts(table.values(energy), table.factor(energy))
    intensity = np.array([table.values(column) for column in columns])
    notes: tuple[str, ...] = ()
    if choice.i0 is not None:
        i0 = table.position(choice.i0)
        intensity = divided(intensity, table.values(i0), f"{table.path}: the column {choice.i0!r}")
        notes = (f"the signal was divided by {table.name(i0)}",)
    elif choice.intensity is None and table.width > 2:
        notes = (f"of {table.width} columns, {table.name(energy)} and {table.name(1)} were read",)
    if len(columns) == 1:
        return Recording(values, intensity[0], (*notes, *converted))
    names = tuple(table.name(column) for column in columns)
    return Recording(values, intensity, (*notes, *converted), names)


def divided(intensity: np.ndarray, i0: np.ndarray, where: str) -> np.ndarray:
    """Signals by incident intensity; raises `InputError` where that is zero or changes its sign.

    A current may have been recorded as negative throughout.
    """
    if (zero := np.flatnonzero(i0 == 0)).size:
        raise InputError(f"{where} of the incident intensity is 0 in point {zero[0] + 1}")
    if (other := np.flatnonzero(i0 * np.nanmedian(i0) < 0)).size:
        raise InputError(
            f"{where} of the incident intensity is {i0[other[0]]:g} in point {other[0] + 1}, but "
            "of the other sign elsewhere"
        )
    # A quotient beyond all numbers is told with its point later on.
    with np.errstate(over="ignore"):
        return intensity / i0


def _signal_columns(
    table: Table, energy: int, intensity: Column | tuple[Column, ...] | None
) -> list[int]:
    if intensity is None:
        return [1]
    if intensity == ALL:
        return [column for column in range(table.width) if column != energy]
    chosen = intensity if isinstance(intensity, tuple) else (intensity,)
    return [table.position(column) for column in chosen]


def read_table(path: Path) -> Table:
    """The table of a text file.

    Raises
    ------
    InputError
        If it is not text, has no rows of two or more numbers, or a row differs in length.
    """
    lines = decode(path).splitlines()
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    content = [line for _, line in numbered if not _is_comment(line)]
    try:
        dialect, width = _find_dialect(path, content)
        return _split(path, dialect, width, numbered)
    except csv.Error as error:
        raise InputError(f"{path}: is not a table of numbers ({error})") from None


def recognise(path: Path, head: bytes) -> str | None:
    """The format's name if a file may be text: it has no zero bytes, or a mark of UTF-16."""
    return NAME if b"\0" not in head or head.startswith(_WIDE) else None


def decode(path: Path) -> str:
    """Text of a file; raises `InputError` if it is binary, or too large."""
    if path.stat().st_size > MAXIMUM_SIZE:
        raise InputError(f"{path}: is larger than {MAXIMUM_SIZE >> 20} MB; no spectrum is")
    data = path.read_bytes()
    wide = data.startswith(_WIDE)
    if b"\0" in data and not wide:
        raise InputError(f"{path}: is a binary file, not columns of text")
    # Older instruments write a degree or micro sign in the Western code page.
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path}: is a binary file, not columns of text")


def _is_comment(line: str) -> bool:
    return line.lstrip()[0] in _COMMENT_MARKS


def _find_dialect(path: Path, lines: list[str]) -> tuple[Dialect, int]:
    """The dialect in which most lines are rows of numbers, and the number of columns.

    Rows of numbers alone count first, then rows with two numbers among text (times, labels).
    """
    sample = lines[:: max(1, len(lines) // _SAMPLE)]
    best: tuple[tuple[int, int], Dialect | None, int] = ((0, 0), None, 0)
    for dialect in _DIALECTS:
        counts = [_count_numbers(dialect, line) for line in sample]
        rows = Counter(width for width, numbers in counts if numbers >= 2)
        if not rows:
            continue
        width, some = rows.most_common(1)[0]
        whole = sum(width == numbers >= 2 for width, numbers in counts)
        if (whole, some) > best[0]:
            best = ((whole, some), dialect, width)
    if best[1] is None:
        single = any(dialect.is_number(line.strip()) for line in sample for dialect in _DIALECTS)
        found = "only one column of numbers" if single else "no rows of numbers"
        raise InputError(f"{path}: has {found}; energy and intensity are needed")
    return best[1], best[2]


def _count_numbers(dialect: Dialect, line: str) -> tuple[int, int]:
    cells = dialect.cells(line)
    return len(cells), sum(map(dialect.is_number, cells))


def _split(path: Path, dialect: Dialect, width: int, lines: Iterable[tuple[int, str]]) -> Table:
    header: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    for number, line in lines:
        if _is_comment(line):
            if not rows:
                header.append(line)
            continue
        cells = dialect.cells(line)
        if not rows and (len(cells) != width or sum(map(dialect.is_number, cells)) < 2):
            header.append(line)
            continue
        if len(cells) != width:
            raise InputError(
                f"{path}, line {number}: {_short(line)} is no row of {width} columns "
                "like those before"
            )
        rows.append((number, cells))
    if not rows:
        raise InputError(f"{path}: has no rows of numbers; energy and intensity are needed")
    names = (_names(line, dialect, width) for line in reversed(header))
    return Table(path, dialect, tuple(found for found in names if found), rows)


def _names(line: str, dialect: Dialect, width: int) -> tuple[str, ...] | None:
    """The column names in a header line, if it has as many as there are columns."""
    text = line.strip(" \r").lstrip(_COMMENT_MARKS).strip(" ")
    splits = (dialect.cells(text), text.split("\t"), re.split(r"\s{2,}", text))
    for cells in splits:
        if len(cells) == width and not all(map(dialect.is_number, cells)):
            return tuple(cell.strip() for cell in cells)
    return None


def _short(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
