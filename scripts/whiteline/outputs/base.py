"""What all readers of other programs' output share: the result, and rows of numbers with lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from whiteline.errors import InputError
from whiteline.simulation import Sticks

MINIMUM_POINTS = 10
# No spectrum reaches this energy (eV); a column that does holds something else.
MAXIMUM_ENERGY = 1e5
# Absorption is positive; programs that subtract tails or round leave this part of the peak.
NEGATIVE = 0.05

# MATLAB on Windows writes three digits of exponent, Fortran a D, or no letter before a wide one.
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d{1,3}|[+-]\d{3})?", re.ASCII)


@dataclass(frozen=True, eq=False)
class Curve:
    """A broadened spectrum.

    Attributes
    ----------
    energy
        eV, ascending, shape (points,).
    intensity
        Isotropic absorption in the program's units, shape (points,).
    components
        The same by polarisation (`whiteline.simulation.POLARISATIONS`), shape (points, 3), where
        the file holds them: ``intensity`` is their mean.
    """

    energy: np.ndarray
    intensity: np.ndarray
    components: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Calculated:
    """What one file holds: a curve, sticks, or both.

    Attributes
    ----------
    kind
        The module that read it.
    curve, sticks
        Energies (eV) on the file's own axis; None where the file has none.
    widths
        Line widths of the curve that the file states, eV, by the names of
        `whiteline.broadening.Broadening`; empty where it states none.
    ion
        Of which the file says it is, such as ``"Ni2+"``; None where it does not say.
    notes
        What was changed or found out in reading.
    """

    kind: str
    curve: Curve | None = None
    sticks: Sticks | None = None
    widths: Mapping[str, float] = field(default_factory=dict)
    ion: str | None = None
    notes: tuple[str, ...] = ()


Numbered = tuple[int, str]


def numbered_lines(path: Path) -> list[Numbered]:
    """The lines of a text file that are not blank, with their numbers from 1.

    Raises
    ------
    InputError
        If the file is no text.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: is a binary file, not the text of a calculation") from None
    if "\0" in text:
        raise InputError(f"{path}: is a binary file, not the text of a calculation")
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def is_number(cell: str) -> bool:
    """Whether a cell holds a number in the notation of Fortran, MATLAB or C."""
    return _NUMBER.fullmatch(cell) is not None


def number(path: Path, line: int, cell: str) -> float:
    """Value of a cell.

    Raises
    ------
    InputError
        Names the line whose cell is no finite number.
    """
    if not is_number(cell):
        raise InputError(f"{path}, line {line}: {cell[:40]!r} is not a number")
    value = float(re.sub(r"(?<=[\d.])([+-]\d{3})$", r"e\1", re.sub("[dD]", "e", cell)))
    if not np.isfinite(value):
        raise InputError(f"{path}, line {line}: {cell[:40]!r} is not a finite number")
    return value


def rows(path: Path, lines: Iterable[Numbered], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers between spaces, shape (rows, width), and the number of the line of each row.

    Raises
    ------
    InputError
        Names the line that has not so many numbers.
    """
    numbers, places = [], []
    for line, text in lines:
        cells = text.split()
        if len(cells) != width:
            raise InputError(
                f"{path}, line {line}: {text.strip()[:40]!r} is no row of {width} numbers; is the "
                "file truncated?"
            )
        numbers.append([number(path, line, cell) for cell in cells])
        places.append(line)
    return np.array(numbers).reshape(-1, width), np.array(places, dtype=int)


def curve(
    path: Path,
    energy: np.ndarray,
    places: np.ndarray,
    intensity: np.ndarray | None = None,
    components: np.ndarray | None = None,
) -> Curve:
    """A curve, checked: the isotropic ``intensity`` or the ``components`` of three polarisations.

    ``places`` are the line numbers of the points, shape (points,).

    Raises
    ------
    InputError
        If there are too few points, energies do not ascend, or the signal is no absorption.
    """
    if len(energy) < MINIMUM_POINTS:
        raise InputError(
            f"{path}: has {len(energy)} points; a curve needs at least {MINIMUM_POINTS}"
        )
    falling = np.flatnonzero(np.diff(energy) <= 0)
    if falling.size:
        first = falling[0]
        raise InputError(
            f"{path}, line {places[first + 1]}: the energy {energy[first + 1]:g} follows "
            f"{energy[first]:g}; energies must ascend"
        )
    if np.abs(energy).max() > MAXIMUM_ENERGY:
        raise InputError(f"{path}: energies exceed {MAXIMUM_ENERGY:g} eV; is this their column?")
    if intensity is None:
        intensity = components.mean(axis=1)
    for signal in (intensity,) if components is None else (intensity, *components.T):
        _check_absorption(path, signal, places)
    return Curve(energy, intensity, components)


def _check_absorption(path: Path, signal: np.ndarray, places: np.ndarray) -> None:
    if signal.max() <= 0 or np.ptp(signal) <= 0:
        raise InputError(f"{path}: the spectrum is nowhere above 0, or the same everywhere")
    lowest = signal.argmin()
    if signal[lowest] < -NEGATIVE * signal.max():
        raise InputError(
            f"{path}, line {places[lowest]}: the intensity is {signal[lowest]:g}, and absorption "
            "is not negative; is this a dichroic difference?"
        )


def sticks(
    path: Path,
    energy: np.ndarray,
    intensity: np.ndarray | None = None,
    components: np.ndarray | None = None,
) -> Sticks:
    """Sticks in order of energy, checked: ``intensity`` or ``components``, shape (sticks, 3).

    Raises
    ------
    InputError
        If there are none, or one is negative.
    """
    if intensity is None:
        intensity = components.mean(axis=1)
    if not len(energy) or intensity.max() <= 0:
        raise InputError(f"{path}: holds no sticks with an intensity")
    parts = intensity if components is None else components
    if parts.min() < 0:
        raise InputError(f"{path}: has a stick of the intensity {parts.min():g}, below 0")
    if np.abs(energy).max() > MAXIMUM_ENERGY:
        raise InputError(f"{path}: energies exceed {MAXIMUM_ENERGY:g} eV; is this their column?")
    order = np.argsort(energy, kind="stable")
    return Sticks(
        energy[order], intensity[order], None if components is None else components[order]
    )


def sections(lines: Iterable[Numbered], title: re.Pattern) -> Iterator[tuple[str, list[Numbered]]]:
    """The lines after each that fits ``title``, with its first group; "" for those before."""
    name, part = "", []
    for line, text in lines:
        match = title.fullmatch(text.strip())
        if match is None:
            part.append((line, text))
            continue
        yield name, part
        name, part = match[1], []
    yield name, part
