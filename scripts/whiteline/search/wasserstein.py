"""Wasserstein-1: the city-block distance of cumulative distributions.

The sum of absolute differences over a block of points is at least the absolute difference of the
block's sums, with equality where the difference doesn't change sign. Sums over 16 points bound the
distance from below with a sixteenth of the work.

Margin. Block sums are taken of cumulative distributions less the library's mean, which cancels in
differences. With u = 2^-24, rounding them to float32 changes a bound by at most u (A + B), their
absolute sums, and adding d terms by the part (d + 2) u of the bound. Float64 rounding, in the
distances too, is below points 2^-53 times the sums of absolute values, uncentred.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from whiteline.search.base import U32, U64, Asked, Index

# Points in a block.
WIDTH = 16


class Wasserstein(Index):
    """Search by the sum of absolute differences of prepared spectra."""

    def _fit(self, library: np.ndarray) -> None:
        self._library = np.ascontiguousarray(library, dtype=float)
        self._mean = self._library.mean(axis=0)
        sums = self._sums(self._library)
        # Axis first: the kernel runs over library spectra in its inner loop.
        self._columns = np.ascontiguousarray(sums.T.astype(np.float32))
        self._greatest = np.abs(sums).sum(1).max()
        self._size = np.abs(self._library).sum(1).max() + 2 * np.abs(self._mean).sum()

    def _sums(self, spectra: np.ndarray) -> np.ndarray:
        return np.add.reduceat(spectra - self._mean, range(0, spectra.shape[1], WIDTH), axis=1)

    def _ask(self, queries: np.ndarray) -> Asked:
        queries = np.ascontiguousarray(queries, dtype=float)
        sums = self._sums(queries)
        scores = np.empty((len(queries), len(self._library)), dtype=np.float32)
        _block_distances(sums.astype(np.float32), self._columns, scores)
        rounding = U32 * (np.abs(sums).sum(1) + self._greatest)
        size = np.abs(queries).sum(1) + self._size
        return Asked(scores, queries=queries, margin=rounding + 4 * queries.shape[1] * U64 * size)

    def _ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        relative = 1 + (len(self._columns) + 4) * U32
        ceiling = (distance + asked.spread(asked.margin, distance)) * relative
        return np.nextafter(ceiling.astype(np.float32), np.float32(np.inf))

    def _distances(
        self, asked: Asked, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        out = np.empty(len(columns))
        _distances(asked.queries, self._library, starts, columns, out)
        return out


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _block_distances(queries, columns, scores):
    """City-block distances of queries (n, d) and library (d, m)."""
    axes, count = columns.shape
    whole = axes - axes % 4
    # A stretch of scores stays in the nearest cache while all axes are added to it.
    for first in range(0, count, 1024):
        last = min(first + 1024, count)
        for row in range(len(queries)):
            query, score = queries[row], scores[row, first:last]
            score[:] = 0
            for axis in range(0, whole, 4):
                q0, q1, q2, q3 = query[axis], query[axis + 1], query[axis + 2], query[axis + 3]
                l0, l1 = columns[axis, first:last], columns[axis + 1, first:last]
                l2, l3 = columns[axis + 2, first:last], columns[axis + 3, first:last]
                for place in range(last - first):
                    score[place] += (abs(q0 - l0[place]) + abs(q1 - l1[place])) + (
                        abs(q2 - l2[place]) + abs(q3 - l3[place])
                    )
            for axis in range(whole, axes):
                for place in range(last - first):
                    score[place] += abs(query[axis] - columns[axis, first + place])


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _distances(queries, library, starts, columns, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        query = queries[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            row = library[columns[pair]]
            total = 0.0
            for point in range(len(row)):
                total += abs(query[point] - row[point])
            out[pair] = total
