"""The steps of the preparation for many spectra on one axis: matrices, where they are linear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from whiteline.errors import InputError
from whiteline.formats import Recorded
from whiteline.placing import Frame
from whiteline.preprocessing.background import fitted_background
from whiteline.preprocessing.continuum import fitted_continuum
from whiteline.preprocessing.edge import l3_maximum
from whiteline.preprocessing.glitches import bridged, glitches
from whiteline.preprocessing.resampling import resample
from whiteline.preprocessing.smoothing import smoothed
from whiteline.preprocessing.white_lines import white_lines

Step = Callable[[np.ndarray, dict[int, str]], np.ndarray]


class Steps:
    """What `whiteline.preprocessing.white_lines` does, the edge being where that of the mean is.

    Called with signals (n, points) it gives them on the library's grid, (n, points of the grid),
    and adds the rows that can't be prepared to the faults. Glitches that are sought and baselines
    of pybaselines take spectrum after spectrum, all else some matrix products.

    Parameters
    ----------
    mean
        Of all spectra.
    frame
        The library.
    preparation
        As of `whiteline.preprocessing.white_lines.white_lines`.
    energy_shift
        Added to the axis, eV.

    Raises
    ------
    InputError
        If the mean can't be prepared.
    """

    def __init__(
        self, mean: Recorded, frame: Frame, preparation: Mapping[str, Any], energy_shift: float
    ) -> None:
        energy, signal = mean.energy, mean.intensity
        record = white_lines(energy, signal, frame.edge, frame.splitting, preparation)
        onset, splitting, grid = record.onset, frame.splitting, frame.grid - energy_shift
        l3 = l3_maximum(energy, record.signal + record.continuum, onset, splitting)
        masks, smoothing = preparation.get("glitches", {}), preparation.get("smoothing")
        background = preparation["background"]
        power_law = background["kind"] == "power_law"
        straight = {"kind": "none"} if power_law else background
        continuum = preparation["continuum"], preparation.get("post_edge"), l3

        def kept(one: np.ndarray) -> np.ndarray:
            masked = glitches(energy, one, masks)
            return smoothed(energy, bridged(energy, one, masked), smoothing)

        def laid(one: np.ndarray) -> np.ndarray:
            rest = one - fitted_background(energy, one, onset, straight)
            rest = rest - fitted_continuum(energy, rest, onset, splitting, *continuum)
            return resample(energy, rest, grid)

        points = len(energy)
        self._steps: list[Step] = []
        if masks or smoothing:
            linear = "threshold" not in masks
            self._steps.append(_matrix(kept, points) if linear else _one_by_one(kept))
        if power_law:
            self._steps.append(_PowerLaw(energy, onset, background["window"]))
        linear = background["kind"] != "pybaselines"
        self._steps.append(_matrix(laid, points) if linear else _one_by_one(laid))

    def __call__(self, signals: np.ndarray, faults: dict[int, str]) -> np.ndarray:
        for step in self._steps:
            signals = step(signals, faults)
        return signals


def _matrix(function: Callable[[np.ndarray], np.ndarray], points: int) -> Step:
    """A linear step, found by what becomes of one point after the other."""
    matrix = np.stack([function(point) for point in np.eye(points)])
    return lambda signals, faults: signals @ matrix.astype(signals.dtype)


def _one_by_one(function: Callable[[np.ndarray], np.ndarray]) -> Step:
    """A step that is not linear."""

    def step(signals: np.ndarray, faults: dict[int, str]) -> np.ndarray:
        rows = []
        for row, signal in enumerate(signals):
            try:
                rows.append(function(signal))
            except InputError as error:
                faults.setdefault(row, str(error))
                rows.append(None)
        nothing = np.zeros(next((len(row) for row in rows if row is not None), 1))
        return np.stack([nothing if row is None else row for row in rows])

    return step


class _PowerLaw:
    """Subtracts A E^-r, see `whiteline.preprocessing.background`."""

    def __init__(self, energy: np.ndarray, onset: float, window: list[float]) -> None:
        low, high = (onset + bound for bound in window)
        self._inside = (energy >= low) & (energy <= high)
        logarithm = np.log(energy[self._inside])
        self._centre = logarithm.mean()
        self._weights = (logarithm - self._centre) / ((logarithm - self._centre) ** 2).sum()
        # A record may begin before the zero-loss peak, where energies have no logarithm.
        self._defined = energy > 0
        self._logarithm = np.log(np.where(self._defined, energy, 1)) - self._centre

    def __call__(self, signals: np.ndarray, faults: dict[int, str]) -> np.ndarray:
        counts = signals[:, self._inside]
        positive = (counts > 0).all(axis=1)
        wrong = "a power-law background needs positive counts before the edge"
        faults |= {row: faults.get(row, wrong) for row in np.flatnonzero(~positive).tolist()}
        logarithm = np.log(np.where(positive[:, None], counts, 1), dtype=float)
        slope = (logarithm @ self._weights)[:, None]
        exponent = logarithm.mean(1, keepdims=True) + slope * self._logarithm
        return signals - np.where(self._defined, np.exp(exponent.astype(signals.dtype)), 0)
