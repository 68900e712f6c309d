"""Finds energies and signals among the named arrays of a file or of a group in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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
    rows_of,
)
from whiteline.formats.columns import divided
from whiteline.formats.tidy import MAXIMUM_POINTS, MINIMUM_POINTS

# Names under which energies and signals are found, the best first; in lower case.
_ENERGIES = ("energy", "energies", "energy_loss", "eloss", "photon_energy", "ev", "e", "x")
_SIGNALS = ("intensity", "intensities", "spectra", "spectrum", "mu", "signal", "data", "counts")
_SIGNALS += ("absorption", "absorbed_beam", "y")


@dataclass(frozen=True)
class Array:
    """An array of a file: its path there, shape, units if stated, and what reads it.

    ``load`` gives an array of NumPy, or one of Dask where it is large.
    """

    name: str
    shape: tuple[int, ...]
    units: str
    load: Callable[[], Any]

    @property
    def last(self) -> str:
        """The last part of its path, lower case."""
        return self.name.rpartition("/")[2].lower()

    @property
    def is_axis(self) -> bool:
        """Whether it could hold the energies of a spectrum."""
        return len(self.shape) == 1 and MINIMUM_POINTS <= self.shape[0] <= MAXIMUM_POINTS


def recordings(
    where: str, arrays: Sequence[Array], choice: Choice, label: str = ""
) -> list[Recording]:
    """What one group of arrays holds, as one recording, or as none if it holds no energies.

    Parameters
    ----------
    where
        The file, for messages.
    arrays
        Of numbers, of one group.
    choice
        Names, or ends of names, of the arrays to read.
    label
        Name of the spectrum, if there is one only.

    Raises
    ------
    InputError
        If several arrays might be the energy or the signal, or the chosen ones don't fit.
    """
    energy = find_energy(where, arrays, choice.energy)
    if energy is None:
        return []
    signals = _find_signals(where, arrays, energy, choice)
    if not signals:
        return []
    found = [make(where, energy, signal, arrays, choice) for signal in signals]
    if len(found) == 1:
        names = (label,) if label and found[0].intensity.ndim == 1 else ()
        return [Recording(**{**vars(found[0]), "names": names})]
    if all(recording.intensity.ndim == 1 for recording in found):
        rows = np.array([recording.intensity for recording in found])
        names = tuple(signal.name for signal in signals)
        return [Recording(found[0].energy, rows, found[0].notes, names)]
    raise InputError(f"{where}: {_list(signals)} don't make one stack; choose one")


def make(
    where: str, energy: Array, signal: Array, arrays: Sequence[Array], choice: Choice
) -> Recording:
    """Energies and one array of signals as a recording, whichever axis the energy is.

    The last of several axes that fit.
    """
    points = energy.shape[0]
    if points not in signal.shape:
        raise InputError(
            f"{where}: {signal.name!r} of shape {signal.shape} does not fit the "
            f"{points} energies of {energy.name!r}"
        )
    values = np.asarray(energy.load(), dtype=float)
    values, notes = in_electronvolts(
        values, energy_factor(energy.units) or named_factor(energy.last)
    )
    axis = max(place for place, size in enumerate(signal.shape) if size == points)
    others = tuple(size for place, size in enumerate(signal.shape) if place != axis and size > 1)
    rows = rows_of(signal.load(), axis)
    if choice.i0 is not None:
        i0 = named(where, arrays, choice.i0)
        if i0.shape != energy.shape:
            raise InputError(f"{where}: {i0.name!r} does not fit the energies of {energy.name!r}")
        rows = divided(rows, np.asarray(i0.load(), dtype=float), f"{where}: the array {i0.name!r}")
        notes = (*notes, f"the signal was divided by {i0.name}")
    if len(rows) == 1:
        return Recording(values, rows[0], notes)
    return Recording(values, rows, notes, shape=others if len(others) > 1 else None)


def find_energy(where: str, arrays: Sequence[Array], choice: Column | None) -> Array | None:
    """The chosen array, or the one that is named after energy or is in its units."""
    if choice is not None:
        found = named(where, arrays, choice)
        if not found.is_axis:
            raise InputError(
                f"{where}: {found.name!r} of shape {found.shape} is no axis of energy; it should "
                f"have one dimension and at least {MINIMUM_POINTS} points"
            )
        return found
    axes = [array for array in arrays if array.is_axis]
    for name in _ENERGIES[:-2]:
        if exact := [array for array in axes if array.last == name]:
            return exact[0]
    likely = [array for array in axes if _like_energy(array)]
    if len(likely) > 1:
        raise InputError(
            f"{where}: {_list(likely)} may hold energies; choose one with energy_column"
        )
    short = [array for name in _ENERGIES[-2:] for array in axes if array.last == name]
    return next(iter([*likely, *short]), None)


def _like_energy(array: Array) -> bool:
    stated = energy_factor(array.units) is not None or named_factor(array.last) is not None
    name = re.search(r"energy|energies|eloss", array.last)
    return bool(stated or name) and not re.search("err|uncert|sigma|resolution", array.last)


def _find_signals(
    where: str, arrays: Sequence[Array], energy: Array, choice: Choice
) -> list[Array]:
    if isinstance(choice.intensity, tuple):
        return [named(where, arrays, column) for column in choice.intensity]
    if choice.intensity not in (None, ALL):
        return [named(where, arrays, choice.intensity)]
    points = energy.shape[0]
    fitting = [array for array in arrays if points in array.shape and array is not energy]
    if len(fitting) <= 1 or choice.intensity == ALL:
        return fitting
    for name in _SIGNALS:
        if exact := [array for array in fitting if array.last == name]:
            return exact[:1]
    raise InputError(f"{where}: {_list(fitting)} may be the signal; choose intensity_column")


def named(where: str, arrays: Sequence[Array], column: Column) -> Array:
    """The array of that position, path, or end of a path that no other array shares."""
    if isinstance(column, int):
        if 0 <= column < len(arrays):
            return arrays[column]
        raise InputError(f"{where}: there is no array {column}; there are {_list(arrays)}")
    wanted = column.strip("/")
    exact = [array for array in arrays if array.name.strip("/") == wanted]
    found = exact or [array for array in arrays if f"/{array.name}".endswith(f"/{wanted}")]
    if len(found) == 1:
        return found[0]
    fault = "several arrays fit" if found else "there is no array"
    raise InputError(f"{where}: {fault} {column!r}; there are {_list(arrays)}")


def _list(arrays: Sequence[Array]) -> str:
    """The first names, so that the sentence stays one."""
    names = [repr(array.name) for array in arrays]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
