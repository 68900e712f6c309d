"""Distances minimised over nuisances, and the minimum sought between the points of the grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whiteline.estimators.base import WIDTHS, DistanceEstimator

# Keeps a weight finite where a query is itself in the library.
TINY = 1e-30


@dataclass
class Estimator(DistanceEstimator):
    """Vertex of a parabola fitted to the profile of squared distances, for each axis by itself.

    The profile is the least over all other axes. Near its minimum a squared distance is a
    quadratic form in the parameters' errors, as chi-square is (Bevington and Robinson, Data
    Reduction and Error Analysis, ch. 8), so a fit to the grid values around it gives the minimum
    between them. A joint fit with the Slater reduction was worse for 10Dq on clean spectra (0.017
    against 0.007 eV): a step of 0.1 moves lines by more than their width, which is beyond the
    quadratic. Profiles of line widths gained nothing over the match's own, as a library has few
    and they go together.

    Parameters
    ----------
    reach
        How far on either side of the least 10Dq is taken, eV; at least three grid values are, and
        no more of the other axes.
    """

    reach: float = 0.15

    def _values(
        self, squared: np.ndarray, known: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        return {
            name: _minimum(squared, values, self.reach if name == "ten_dq" else 0.0)
            for name, values in known.items()
            if name not in WIDTHS
        }


def _minimum(squared: np.ndarray, values: np.ndarray, reach: float) -> np.ndarray:
    """Places (n,) of the least of the profiles over a parameter's values (r,)."""
    place, column = np.unique(values, return_inverse=True)
    profile = [squared[:, column == number].min(1) for number in range(len(place))]
    return np.array([_least(place, row, reach) for row in np.stack(profile, axis=1)])


def _least(place: np.ndarray, profile: np.ndarray, reach: float) -> float:
    """Place of the minimum of one profile, from its values within ``reach`` of the least."""
    known = np.isfinite(profile)
    if not known.any():
        return float(place[0])
    place, profile = place[known], profile[known]
    best = profile.argmin()
    near = np.abs(place - place[best]) <= reach + 1e-9
    first = max(min(best - 1, len(place) - 3), 0)
    near[first : first + 3] = True
    vertex = _vertex(place[near], profile[near])
    inside = place[near][0] <= vertex <= place[near][-1]
    return float(vertex if inside else place[best])


def _vertex(place: np.ndarray, value: np.ndarray) -> float:
    """Place of the minimum of a parabola fitted to at least three values, else NaN.

    The form is quadratic only near the minimum, so points count less the higher they lie: against
    the least value, which is what noise and mismatch leave, and the height of the nearest points.
    """
    if len(place) < 3:
        return np.nan
    height = value - value.min()
    centre, scale = place[height.argmin()], np.ptp(place) / 2
    weight = (1 + height / (value.min() + np.sort(height)[2] + TINY)) ** -2
    curvature, slope, _ = np.polyfit((place - centre) / scale, height, 2, w=weight)
    return centre - scale * slope / (2 * curvature) if curvature > 0 else np.nan
