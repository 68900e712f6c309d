"""Distances minimised over nuisances, and the minimum sought between the points of the grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whiteline.estimators.base import WIDTHS, DistanceEstimator

# Keeps a weight finite where a query is itself in the library.
TINY = 1e-30
# As many values as a profile is fitted to at least.
FITTED = 3


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
    """Places (n,) of the least of the profiles over a parameter's values (r,).

    Each is fitted to its values within ``reach`` of the least, three at least, of those known.
    """
    place, profile = _profiles(squared, values)
    result = place[profile.argmin(1)]
    if len(place) < FITTED:
        return result
    x, value = _about(*_known(place, profile), reach)
    vertex = _vertices(x, value)
    inside = (np.fmin.reduce(x) <= vertex) & (vertex <= np.fmax.reduce(x))
    result[inside] = vertex[inside]
    return result


def _profiles(squared: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different values (p,), ascending, and the least of each, (n, p)."""
    order = np.argsort(values, kind="stable")
    place, first = np.unique(values[order], return_index=True)
    if len(place) == len(values):
        return place, squared[:, order]
    return place, np.minimum.reduceat(squared[:, order], first, axis=1)


def _known(place: np.ndarray, profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (p,) and values (n, p) of the points of each profile that are finite, each (q, n).

    Where a profile has fewer than others, the last are NaN and infinite.
    """
    row, column = np.nonzero(np.isfinite(profile))
    count = np.bincount(row, minlength=len(profile))
    shape = max(count.max(initial=0), FITTED), len(profile)
    at = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count), row
    x, value = np.full(shape, np.nan), np.full(shape, np.inf)
    x[at], value[at] = place[column], profile[row, column]
    return x, value


def _about(place: np.ndarray, value: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Of the points (q, n) of profiles those that are fitted, NaN and infinite in place of others.

    They lie within ``reach`` of the least, or are the three about it, further inwards at an end.
    """
    best = value.argmin(0)
    count = np.isfinite(value).sum(0)
    first = np.clip(best - 1, 0, np.maximum(count - FITTED, 0))
    number = np.arange(len(place))[:, None]
    near = np.abs(place - place[best, np.arange(len(best))]) <= reach + 1e-9
    near |= (first <= number) & (number < first + FITTED)
    return np.where(near, place, np.nan), np.where(near, value, np.inf)


def _vertices(place: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Places of the minima of parabolas fitted to values (q, n), (n,).

    NaN where there is none, or fewer than three values are finite. The form is quadratic only near
    the minimum, so points count less the higher they lie: against the least value, which is what
    noise and mismatch leave, and the height of the nearest points.
    """
    known = np.isfinite(value)
    lowest = value.argmin(0), np.arange(value.shape[1])
    least, centre = value[lowest], place[lowest]
    third = np.partition(value, FITTED - 1, axis=0)[FITTED - 1]
    scale = (np.fmax.reduce(place) - np.fmin.reduce(place)) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        height = np.where(known, value - least, 0)
        weight = np.where(known, 1 / (1 + height / (third + TINY)) ** 2, 0)
        x = np.where(known, (place - centre) / scale, 0)
        vertex = centre + scale * _parabola(x, height, weight**2)
    return np.where(known.sum(0) < FITTED, np.nan, vertex)


def _parabola(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Where parabolas of least weighted squares through points (q, n) are least, else NaN, (n,).

    Powers of x are made orthogonal one after the other (Forsythe, J. Soc. Indust. Appl. Math. 5,
    74 (1957)): the fit is p0 + slope p1 + curvature p2, with p2 = p1 (x - mean - turn) - constant.
    """
    total = weight.sum(0)
    mean = (weight * x).sum(0) / total
    line = x - mean
    square = weight * line**2
    spread = square.sum(0)
    turn = (square * line).sum(0) / spread
    curve = line * (line - turn) - spread / total
    slope = (weight * line * y).sum(0) / spread
    curvature = (weight * curve * y).sum(0) / (weight * curve**2).sum(0)
    return np.where(curvature > 0, mean + (turn - slope / curvature) / 2, np.nan)
