"""What is put right in every measured spectrum, whatever its format: order, sign, duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from whiteline.errors import InputError

MINIMUM_POINTS = 10
# No spectrum reaches this energy (eV); a column that does holds something else.
MAXIMUM_ENERGY = 1e6
# Share of the points over which the sign test averages, so that one glitch does not decide it.
_SMOOTHING = 0.01


@dataclass(frozen=True)
class Recording:
    """Energy (eV) and signal as a file holds them, both (n,), and what was done to read them."""

    energy: np.ndarray
    intensity: np.ndarray
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recorded:
    """A measured spectrum.

    Attributes
    ----------
    energy
        (n,), eV, ascending and unique.
    intensity
        (n,), in the file's units, white line positive.
    notes
        What was changed with respect to the file.
    """

    energy: np.ndarray
    intensity: np.ndarray
    notes: tuple[str, ...]


def tidy(recording: Recording, where: str) -> Recorded:
    """Sort a recording by energy, average duplicates, and turn energy and signal positive.

    Parameters
    ----------
    recording
        What a reader made of a file.
    where
        The file, for messages.

    Raises
    ------
    InputError
        If values are not finite, there are too few points, or all are equal.
    """
    energy = np.asarray(recording.energy, dtype=float)
    intensity = np.asarray(recording.intensity, dtype=float)
    notes = list(recording.notes)
    _check_values(energy, intensity, where)
    if (energy < 0).all():
        energy = -energy
        notes.append("energies were stored negative")
    if (np.diff(energy) < 0).any():
        notes.append("points were sorted by energy")
    count = len(energy)
    energy, intensity = _merge_duplicates(energy, intensity)
    if len(energy) < count:
        notes.append(f"repeated energies were averaged: {count} points became {len(energy)}")
    if len(energy) < MINIMUM_POINTS:
        raise InputError(
            f"{where}: has {len(energy)} different energies; at least {MINIMUM_POINTS} are needed"
        )
    _check_varies(intensity, where)
    if points_down(energy, intensity):
        intensity = -intensity
        notes.append("the signal was negative-going and its sign was changed")
    return Recorded(energy, intensity, tuple(notes))


def points_down(energy: np.ndarray, intensity: np.ndarray) -> bool:
    """Tell whether the peaks of a spectrum are minima.

    White lines are narrow, so the largest departure from the median is theirs once a straight line
    is taken off; without that, a sloping background decides. Both arrays (n,), ascending energy.
    """
    size = max(1, round(_SMOOTHING * len(intensity)))
    # The scale doesn't matter here, and small numbers can't overflow.
    scaled = intensity / np.abs(intensity).max()
    smooth = uniform_filter1d(scaled, size, mode="nearest")
    position = (energy - energy[0]) / (energy[-1] - energy[0])
    rest = smooth - np.polynomial.Polynomial.fit(position, smooth, 1)(position)
    rest -= np.median(rest)
    return bool(rest.max() + rest.min() < 0)


def _check_values(energy: np.ndarray, intensity: np.ndarray, where: str) -> None:
    for name, values in (("energy", energy), ("signal", intensity)):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise InputError(f"{where}: the {name} of point {bad[0] + 1} is {values[bad[0]]}")
    if len(energy) < MINIMUM_POINTS:
        raise InputError(
            f"{where}: has {len(energy)} points; at least {MINIMUM_POINTS} are needed"
        )
    if energy.min() == energy.max():
        raise InputError(f"{where}: all energies are {energy[0]:g}; is this the energy column?")
    if np.abs(energy).max() > MAXIMUM_ENERGY:
        raise InputError(f"{where}: energies exceed {MAXIMUM_ENERGY:g} eV; is this their column?")
    _check_varies(intensity, where)


def _check_varies(intensity: np.ndarray, where: str) -> None:
    if intensity.min() == intensity.max():
        raise InputError(f"{where}: the signal is {intensity[0]:g} everywhere")


def _merge_duplicates(energy: np.ndarray, intensity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    unique, group, size = np.unique(energy, return_inverse=True, return_counts=True)
    # Dividing first keeps the mean finite for every finite input.
    return unique, np.bincount(group, weights=intensity / size[group])
