"""Measures that grow with the euclidean distance of prepared spectra.

One minus the dot product of rows of unit norm is half their squared distance s. Formed from
differences it loses nothing to cancellation, so near-duplicates and spectra prepared in single
precision are told apart as well as by the euclidean distance. The bound is that of
`whiteline.search.projection` with the prepared spectra as features.

Margin: that of `projection` with e = points 2^-53, the error of sums of so many squares. It
includes the rounding of the distances compared, which is smaller.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from whiteline.search.base import U64
from whiteline.search.projection import Coordinates, Projected, Projection, Sought, compact

# The distance as a function of s, and the reverse.
DISTANCES = {
    "squared": (lambda s: s, lambda d: d),
    "root": (np.sqrt, np.square),
    "half": (lambda s: s / 2, lambda d: 2 * d),
    "root of half": (lambda s: np.sqrt(s / 2), lambda d: 2 * d**2),
    # The chord of an angle on the unit sphere is at most 2.
    "angle": (
        lambda s: 2 * np.arcsin(np.minimum(np.sqrt(s) / 2, 1)),
        lambda d: np.where(d < np.pi, (2 * np.sin(np.minimum(d, np.pi) / 2)) ** 2, np.inf),
    ),
}
KINDS = {
    "squared_euclidean": "squared",
    "euclidean": "root",
    "energy_distance": "root",
    "cramer_von_mises": "root",
    "wasserstein_2": "root",
    "cosine": "half",
    "correlation": "half",
    "spearman": "half",
    "hellinger": "root of half",
    "spectral_angle": "angle",
}


class Euclidean(Projected):
    """Search by the norm of the difference of prepared spectra."""

    def _fit(self, library: np.ndarray) -> None:
        self._distance, self._square = DISTANCES[KINDS[self.measure.kind]]
        exact = np.asarray(library, dtype=float)
        self._mean = exact.mean(axis=0)
        self._projection = Projection(exact - self._mean, exact.shape[1] * U64)
        found = self._coordinates(exact)
        order = compact(found.coarse, self._edges)
        self._projection.fit(found[order], self._whole[0])
        # As it was prepared: single precision is half as much to read, and its double the same.
        self._library = np.ascontiguousarray(library[order])
        self._row_of = self._row_of[order]

    def _coordinates(self, spectra: np.ndarray) -> Coordinates:
        centred = spectra - self._mean
        size = np.linalg.norm(spectra, axis=1) + np.linalg.norm(self._mean)
        return self._projection.coordinates(centred, size)

    def _ask(self, queries: np.ndarray) -> Sought:
        queries = np.ascontiguousarray(queries, dtype=float)
        return Sought(self._projection, self._coordinates(queries), queries=queries)

    def _squared(self, distance: np.ndarray) -> np.ndarray:
        return self._square(distance)

    def _distances(
        self, asked: Sought, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        out = np.empty(len(columns))
        _squares(asked.queries, self._library, starts, columns, out)
        return self._distance(out)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _squares(queries, library, starts, columns, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        query = queries[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            row = library[columns[pair]]
            total = 0.0
            for point in range(len(row)):
                total += (query[point] - np.float64(row[point])) ** 2
            out[pair] = total
