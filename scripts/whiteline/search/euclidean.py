"""Measures that are a euclidean distance after preparation, or grow with one.

Euclidean distance itself; and one minus the dot product of rows of unit norm (cosine, correlation,
derivative correlation, Spearman), which is half of their squared euclidean distance. The bound is
that of `whiteline.search.projection` with the prepared spectra as features.

Margin: that of `projection` with e = points 2^-53, the error of sums of so many squares. It
includes the rounding of the distances compared, which is smaller.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from whiteline.search.base import U64, Asked, Index
from whiteline.search.projection import Coordinates, Projection


class Euclidean(Index):
    """Search by the norm of the difference of prepared spectra."""

    def _fit(self, library: np.ndarray) -> None:
        self._library = np.ascontiguousarray(library, dtype=float)
        self._mean = self._library.mean(axis=0)
        self._projection = Projection(self._library - self._mean, self._library.shape[1] * U64)
        self._projection.fit(self._coordinates(self._library))

    def _coordinates(self, spectra: np.ndarray) -> Coordinates:
        centred = spectra - self._mean
        size = np.linalg.norm(spectra, axis=1) + np.linalg.norm(self._mean)
        return self._projection.coordinates(centred, (centred**2).sum(1), size)

    def _ask(self, queries: np.ndarray) -> Asked:
        queries = np.ascontiguousarray(queries, dtype=float)
        found = self._coordinates(queries)
        return Asked(self._projection.scores(found), coordinates=found, queries=queries)

    def _ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        return self._projection.ceiling(asked.coordinates, self._squared(asked, distance))

    def _fine(self, asked: Asked, starts: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return self._projection.fine(asked.coordinates, starts, columns)

    def _fine_ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        return self._projection.fine_ceiling(asked.coordinates, self._squared(asked, distance))

    def _squared(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        """Greatest squared norm of the difference of spectra at that distance."""
        return distance**2

    def _distances(
        self, asked: Asked, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        out = np.empty(len(columns))
        _norms(asked.queries, self._library, starts, columns, out)
        return out


class UnitProduct(Euclidean):
    """Search by one minus the dot product of prepared spectra of unit norm."""

    def _fit(self, library: np.ndarray) -> None:
        super()._fit(library)
        self._excess = self._beyond_unit(self._library).max()

    @staticmethod
    def _beyond_unit(spectra: np.ndarray) -> np.ndarray:
        """Squared norms less 1, which is not 0 where spectra were prepared in single precision."""
        return (spectra**2).sum(1) - 1

    def _squared(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        excess = self._beyond_unit(asked.queries) + self._excess
        return 2 * distance + asked.spread(excess, distance)

    def _distances(
        self, asked: Asked, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        out = np.empty(len(columns))
        _products(asked.queries, self._library, starts, columns, out)
        return np.maximum(1 - out, 0)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _norms(queries, library, starts, columns, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        query = queries[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            row = library[columns[pair]]
            total = 0.0
            for point in range(len(row)):
                total += (query[point] - row[point]) ** 2
            out[pair] = np.sqrt(total)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _products(queries, library, starts, columns, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        query = queries[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            row = library[columns[pair]]
            total = 0.0
            for point in range(len(row)):
                total += query[point] * row[point]
            out[pair] = total
