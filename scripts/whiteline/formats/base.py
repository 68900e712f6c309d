"""What readers take and give: the choice of columns, recordings as files hold them, units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

Column = str | int
# As an intensity column: every one but that of the energy.
ALL = "all"
# Factors to eV.
_UNITS = {"ev": 1.0, "kev": 1000.0}


@dataclass(frozen=True)
class Choice:
    """Columns or arrays to read, by name or position; ``None`` for the format's own choice.

    ``intensity`` may be several, or ``all``; by ``i0`` the signal is divided.
    """

    energy: Column | None = None
    intensity: Column | tuple[Column, ...] | None = None
    i0: Column | None = None

    def __bool__(self) -> bool:
        return (self.energy, self.intensity, self.i0) != (None, None, None)


@dataclass(frozen=True, eq=False)
class Recording:
    """Spectra on one energy axis as a file holds them, and what was done to read them.

    Attributes
    ----------
    energy
        (points,), eV.
    intensity
        (points,), or (spectra, points): a NumPy array, or a Dask one that is read when needed.
    names
        Of the spectra, if the file names them.
    shape
        Of the map that the spectra make, row by row, if they do.
    notes
        One sentence each.
    pixels
        Size and units of a pixel along each axis of the map, if the file says so.
    """

    energy: np.ndarray
    intensity: Any
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None
    pixels: tuple[tuple[float, str], ...] = ()


def rows_of(data: Any, axis: int) -> Any:
    """The spectra (n, points) of an array of NumPy or Dask with energies along ``axis``."""
    # Even an axis that is moved to where it is keeps Dask from reading single rows.
    if axis != data.ndim - 1:
        data = np.moveaxis(data, axis, -1)
    return data if data.ndim == 2 else data.reshape(-1, data.shape[-1])


def energy_factor(text: str) -> float | None:
    """Factor to eV of the energy unit that a text is (``eV``, ``keV``), ``None`` if it is none."""
    return _UNITS.get(text.strip().lower())


def named_factor(name: str) -> float | None:
    """The same of a unit in a column's name, as in ``Energy (keV)`` or ``energy/eV``."""
    found = re.search(r"(?<![a-z])(k?eV)(?![a-z])", name, re.IGNORECASE)
    return energy_factor(found[1]) if found else None


def in_electronvolts(
    energy: np.ndarray, factor: float | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Energies times their unit's factor (1 if not known), and a note where that changes them."""
    if factor in (None, 1.0):
        return energy, ()
    # What becomes infinite is told with its point later on.
    with np.errstate(over="ignore"):
        energy = energy * factor
    return energy, ("energies were converted from keV",)
