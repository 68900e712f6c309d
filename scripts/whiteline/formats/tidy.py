"""What is put right in every measured spectrum, whatever its format: order, sign, duplicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter1d

from whiteline.errors import InputError
from whiteline.formats.base import Recording

MINIMUM_POINTS = 10
# No spectrum reaches this energy (eV); a column that does holds something else.
MAXIMUM_ENERGY = 1e6
# No spectrum has so many points; a file that says so is damaged.
MAXIMUM_POINTS = 1_000_000
# Share of the points over which the sign test averages, so that one glitch does not decide it.
_SMOOTHING = 0.01
# Spectra read at a time, and those of a map that its mean is made of.
CHUNK = 1024
_MEAN_OF = 4096


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


@dataclass(frozen=True, eq=False)
class Collection:
    """The spectra of a file on one energy axis; they are read when they are asked for.

    Attributes
    ----------
    where
        The file, for messages.
    format
        Name of the file's format.
    name
        Of the file, from which identifiers are made.
    energy
        (points,), eV, ascending and unique.
    shape
        Of the map that the spectra make, row by row; ``None`` if they make none.
    notes
        What was changed with respect to the file, for all spectra.
    """

    where: str
    format: str
    name: str
    energy: np.ndarray
    shape: tuple[int, ...] | None
    notes: tuple[str, ...]
    _recording: Recording = field(repr=False)
    _group: np.ndarray = field(repr=False)
    _alone: bool = True

    def __len__(self) -> int:
        return 1 if self._recording.intensity.ndim == 1 else len(self._recording.intensity)

    def id(self, row: int) -> str:
        """Identifier: the file's name, with ``[y,x]`` in a map, ``#name`` or ``#row`` in a stack.

        Positions count from 0. A file's only spectrum bears the file's name alone.
        """
        if self.shape is not None:
            return f"{self.name}[{','.join(map(str, np.unravel_index(row, self.shape)))}]"
        if self._alone and len(self) == 1:
            return self.name
        return self._numbered(row)

    def spectrum(self, row: int = 0) -> Recorded:
        """One spectrum; raises `InputError` if it is not finite or all values are equal."""
        return self._record(row, self._raw(row, row + 1)[0])

    def records(self) -> Iterator[tuple[str, Recorded | InputError]]:
        """Identifier of each spectrum, and the spectrum or what is wrong with it."""
        for start in range(0, len(self), CHUNK):
            for row, signal in enumerate(self._raw(start, start + CHUNK), start):
                try:
                    yield self.id(row), self._record(row, signal)
                except InputError as error:
                    yield self.id(row), error

    def chunks(self, size: int = CHUNK) -> Iterator[tuple[int, np.ndarray]]:
        """First row and signals, (at most ``size``, points), of one part of the spectra after
        another; those that can't be used are NaN.
        """
        for start in range(0, len(self), size):
            raw = self._raw(start, start + size)
            signals = np.full((len(raw), len(self.energy)), np.nan)
            for row, signal in enumerate(raw):
                try:
                    signals[row] = self._record(start + row, signal).intensity
                except InputError:
                    continue
            yield start, signals

    def mean(self) -> Recorded:
        """The mean spectrum, of an even selection where there are very many.

        Raises
        ------
        InputError
            If no spectrum is finite, or the mean is the same everywhere.
        """
        if len(self) == 1:
            return self.spectrum()
        energy, intensity, down = self._mean
        notes = (*self.notes, _TURNED) if down else self.notes
        return Recorded(energy, intensity, notes)

    @cached_property
    def _mean(self) -> tuple[np.ndarray, np.ndarray, bool]:
        """Energy, mean signal with peaks up, and whether they pointed down."""
        stride = -(-len(self) // _MEAN_OF)
        rows = _numbers(self._recording.intensity[::stride])
        rows = rows[np.isfinite(rows).all(1)]
        if not len(rows):
            raise InputError(f"{self.where}: no spectrum is finite")
        intensity = self._on_axis((rows / len(rows)).sum(0))
        _check_varies(intensity, self.where)
        down = points_down(self.energy, intensity)
        return self.energy, -intensity if down else intensity, down

    def ids(self) -> list[str]:
        """Identifiers of all spectra."""
        if self.shape is not None:
            places = product(*map(range, self.shape))
            return [f"{self.name}[{','.join(map(str, place))}]" for place in places]
        if self._alone and len(self) == 1:
            return [self.name]
        return [self._numbered(row) for row in range(len(self))]

    @property
    def pixels(self) -> tuple[tuple[float, str], ...]:
        """Size and units of a pixel along each axis of the map; empty where the file says none."""
        return self._recording.pixels

    def raw(self, start: int, stop: int) -> np.ndarray:
        """Signals of some rows as the file holds them, (rows, points in the file)."""
        return self._raw(start, stop, None)

    def in_order(self, signals: np.ndarray) -> np.ndarray:
        """Signals as the file holds them, (rows, points in the file), at the energies, (rows,
        points): order, repeated energies and the sign, that of the mean, are put right.
        """
        size = np.bincount(self._group)
        if not np.array_equal(self._group, np.arange(len(self._group))):
            order = np.argsort(self._group, kind="stable")
            starts = np.cumsum(size) - size
            total = np.add.reduceat(signals[:, order], starts, axis=1)
            signals = total / size.astype(signals.dtype)
        return -signals if self._mean[2] else signals

    def _numbered(self, row: int) -> str:
        names = self._recording.names
        return f"{self.name}#{names[row] if names else row}"

    def _raw(self, start: int, stop: int, dtype: type | None = float) -> np.ndarray:
        """Signals as the file holds them, (rows, points in the file), as ``dtype`` if given."""
        intensity = self._recording.intensity
        try:
            rows = intensity[None] if intensity.ndim == 1 else intensity[start:stop]
            with np.errstate(invalid="ignore"):
                return _numbers(rows, dtype)
        except Exception as error:
            # What is read late fails late: a damaged file may raise anything.
            reason = str(error).splitlines()[:1]
            raise InputError(f"{self.where}: can't be read ({' '.join(reason)})") from None

    def _record(self, row: int, signal: np.ndarray) -> Recorded:
        where = self.where if len(self) == 1 else f"{self.where}, spectrum {self.id(row)!r}"
        _check_finite("signal", signal, where)
        intensity = self._on_axis(signal)
        _check_varies(intensity, where)
        # Single pixels are noisy, and a map has one detector.
        down = points_down(self.energy, intensity) if self.shape is None else self._mean[2]
        return Recorded(
            self.energy,
            -intensity if down else intensity,
            (*self.notes, _TURNED) if down else self.notes,
        )

    def _on_axis(self, signal: np.ndarray) -> np.ndarray:
        size = np.bincount(self._group)
        # Dividing first keeps the mean finite for every finite input.
        return np.bincount(self._group, weights=signal / size[self._group])


def _numbers(rows: Any, dtype: type | None = float) -> np.ndarray:
    """Rows of NumPy or Dask as numbers.

    Dask's threads would gain nothing, as HDF5 lets one read at a time, and don't survive a fork.
    """
    if not isinstance(rows, np.ndarray):
        rows = rows.compute(scheduler="synchronous")
    return np.asarray(rows, dtype=dtype)


_TURNED = "the signal was negative-going and its sign was changed"


def collect(
    recording: Recording, where: str, format: str = "", name: str = "", alone: bool = True
) -> Collection:
    """Sort a recording's energies, merge duplicates, and turn negative energies positive.

    Parameters
    ----------
    recording
        What a reader made of a file.
    where, format, name
        See `Collection`.
    alone
        Whether the file holds this recording only.

    Raises
    ------
    InputError
        If energies are not finite, are too few, or all are equal.
    """
    energy = np.asarray(recording.energy, dtype=float)
    notes = list(recording.notes)
    _check_energy(energy, where)
    if (energy < 0).all():
        energy = -energy
        notes.append("energies were stored negative")
    if (np.diff(energy) < 0).any():
        notes.append("points were sorted by energy")
    unique, group = np.unique(energy, return_inverse=True)
    if len(unique) < len(energy):
        notes.append(f"repeated energies were averaged: {len(energy)} points became {len(unique)}")
    if len(unique) < MINIMUM_POINTS:
        raise InputError(
            f"{where}: has {len(unique)} different energies; at least {MINIMUM_POINTS} are needed"
        )
    shape = recording.shape
    return Collection(where, format, name, unique, shape, tuple(notes), recording, group, alone)


def tidy(recording: Recording, where: str) -> Recorded:
    """The one spectrum of a recording put right: energies as by `collect`, white line positive.

    Raises
    ------
    InputError
        If values are not finite, there are too few points, or all are equal.
    """
    return collect(recording, where).spectrum()


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


def _check_energy(energy: np.ndarray, where: str) -> None:
    _check_finite("energy", energy, where)
    if len(energy) < MINIMUM_POINTS:
        raise InputError(
            f"{where}: has {len(energy)} points; at least {MINIMUM_POINTS} are needed"
        )
    if len(energy) > MAXIMUM_POINTS:
        raise InputError(f"{where}: has {len(energy)} points; no spectrum has so many")
    if energy.min() == energy.max():
        raise InputError(f"{where}: all energies are {energy[0]:g}; is this the energy column?")
    if np.abs(energy).max() > MAXIMUM_ENERGY:
        raise InputError(f"{where}: energies exceed {MAXIMUM_ENERGY:g} eV; is this their column?")


def _check_finite(name: str, values: np.ndarray, where: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise InputError(f"{where}: the {name} of point {bad[0] + 1} is {values[bad[0]]}")


def _check_varies(intensity: np.ndarray, where: str) -> None:
    if intensity.min() == intensity.max():
        raise InputError(f"{where}: the signal is {intensity[0]:g} everywhere")
