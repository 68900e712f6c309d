"""Regression on the distances around the best match, which resolves 10Dq below the grid step."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from whiteline.estimators.base import DistanceEstimator

# Keeps a weight finite where a query is itself in the library.
TINY = 1e-30


@dataclass
class Estimator(DistanceEstimator):
    """Vertex of a quadratic surface fitted to the squared distances.

    For each 10Dq and Slater reduction of the grid the least distance over all other axes is taken
    (the profile). Near its minimum the squared distance is a quadratic form in the parameters'
    errors, as chi-square is (Bevington and Robinson, Data Reduction and Error Analysis, ch. 8), so
    a fit to the grid points around it gives the minimum between them. 10Dq and Slater reduction
    are correlated, hence the joint fit.

    Parameters
    ----------
    reach
        How far on either side of the least 10Dq is taken, eV; at least one grid value.
    """

    reach: float = 0.15

    def _ten_dq(self, squared: np.ndarray, rows: np.ndarray) -> np.ndarray:
        ten_dq, column = np.unique(self.library_["ten_dq"][rows], return_inverse=True)
        slater, layer = np.unique(self.library_["slater_reduction"][rows], return_inverse=True)
        profile = np.full((len(squared), len(ten_dq), len(slater)), np.inf)
        for cell in np.unique(np.stack([column, layer]), axis=1).T:
            members = (column == cell[0]) & (layer == cell[1])
            profile[:, cell[0], cell[1]] = squared[:, members].min(1)
        return np.array([self._minimum(surface, ten_dq, slater) for surface in profile])

    def _minimum(self, surface: np.ndarray, ten_dq: np.ndarray, slater: np.ndarray) -> float:
        known = np.isfinite(surface).any(1)
        if known.any():
            surface, ten_dq = surface[known], ten_dq[known]
        best, layer = np.unravel_index(surface.argmin(), surface.shape)
        near = np.abs(ten_dq - ten_dq[best]) <= self.reach + 1e-9
        near[max(best - 1, 0) : best + 2] = True
        bounds = ten_dq[near][[0, -1]]
        for values, axes in (
            (surface[near], [ten_dq[near], slater]),
            (surface[near, layer], [ten_dq[near]]),
        ):
            vertex = _vertex(values, axes)
            if vertex is not None and bounds[0] <= vertex <= bounds[1]:
                return vertex
        return float(ten_dq[best])


def _vertex(values: np.ndarray, axes: list[np.ndarray]) -> float | None:
    """First coordinate of the minimum of a quadratic fitted to values on a grid, if there is one.

    The form is quadratic only near the minimum, so points count less the higher they lie: against
    the least value, which is what noise and mismatch leave, and the height of the nearest points.
    """
    finite = np.isfinite(values).ravel()
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))[finite]
    if any(len(np.unique(axis)) < 3 for axis in points.T):
        return None
    height = values.ravel()[finite] - values.min()
    centre, scale = points[height.argmin()], np.ptp(points, axis=0) / 2
    x = (points - centre) / scale
    pairs = list(combinations_with_replacement(range(len(axes)), 2))
    design = np.column_stack([np.ones(len(x)), x, *(x[:, i] * x[:, j] for i, j in pairs)])
    weight = 1 / (1 + height / (values.min() + np.sort(height)[2] + TINY))
    terms = np.linalg.lstsq(design * weight[:, None], height * weight, rcond=None)[0]
    hessian = np.zeros((len(axes), len(axes)))
    for (i, j), term in zip(pairs, terms[1 + len(axes) :], strict=True):
        hessian[i, j] += term
        hessian[j, i] += term
    if np.linalg.eigvalsh(hessian)[0] <= 0:
        return None
    return float(centre[0] - scale[0] * np.linalg.solve(hessian, terms[1 : 1 + len(axes)])[0])
