"""Dynamic time warping within a band: bounds by envelopes.

With the Sakoe-Chiba band, a point of one spectrum meets points of the other at most ``band`` away,
all of which lie in the other's envelope, from its least to its greatest value in the band. So the
squared distance is at least the sum of squared excursions out of the envelope (LB_Keogh; Keogh,
Ratanamahatana, Knowl. Inf. Syst. 7, 358 (2005), doi 10.1007/s10115-004-0154-9). The excursion
max(x - U, L - x, 0) is convex in x, U and L together, so by Jensen's inequality the same of the
means over a block, squared and times the block's length, is a lower bound in turn. The coarse
score is this, of the query in the library's envelopes; the fine one is the greater of the full
sums, either spectrum in the other's envelope. Envelopes of the library are used first, because a
noisy query has a wide envelope, and means over blocks have little noise.

Pairs that are left are warped in order of the fine score, several library spectra at a time, and
given up when every path costs more than the limit.

Margin. With u = 2^-24: rounding means to float32 changes the root of the coarse score by at most
u (|q| + |E|), the norms of the query's and of the envelopes' means, each times the root of the
block's length; sums of d terms have a relative error of (d + 4) u. Fine scores and distances are
in float64: a path of at most 2 points cells adds as many terms, relative error 2 points 2^-53.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from whiteline.measures.base import steps
from whiteline.search.base import U32, U64, Asked, Index

# Points in a block.
WIDTH = 16
# Library spectra that are warped at a time, one in each place of the SIMD registers.
LANES = 8
# Points of the query between two looks at the limit.
STRIDE = 16
FAR = 1e300


class Warping(Index):
    """Search by dynamic time warping of prepared spectra."""

    probes = LANES

    def _fit(self, library: np.ndarray) -> None:
        self._library = np.ascontiguousarray(library, dtype=float)
        points = self._library.shape[1]
        self._band = min(steps(self.measure.parameters["band"], self.energy, "band"), points - 1)
        self._low, self._high = self._envelope(self._library)
        self._starts = np.arange(0, points, WIDTH)
        self._widths = np.diff(self._starts, append=points)
        low, high = self._means(self._low), self._means(self._high)
        self._low_means, self._high_means = (
            np.ascontiguousarray(means.T.astype(np.float32)) for means in (low, high)
        )
        self._size = np.sqrt(np.maximum(low**2, high**2).sum(1).max())

    def _envelope(self, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        width = 2 * self._band + 1
        return (
            minimum_filter1d(spectra, width, axis=1, mode="nearest"),
            maximum_filter1d(spectra, width, axis=1, mode="nearest"),
        )

    def _means(self, spectra: np.ndarray) -> np.ndarray:
        """Block means times the root of the block's length, shape (n, blocks)."""
        sums = np.add.reduceat(spectra, self._starts, axis=1)
        return sums / np.sqrt(self._widths)

    def _ask(self, queries: np.ndarray) -> Asked:
        queries = np.ascontiguousarray(queries, dtype=float)
        means = self._means(queries)
        scores = np.empty((len(queries), len(self._library)), dtype=np.float32)
        _excursions(means.astype(np.float32), self._low_means, self._high_means, scores)
        size = np.sqrt((means**2).sum(1)) + self._size
        low, high = self._envelope(queries)
        return Asked(scores, queries=queries, low=low, high=high, size=size)

    def _ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        # Divergence of float64 and of the means' own rounding is below the last factor.
        root = distance + 2 * U32 * asked.spread(asked.size, distance)
        ceiling = root**2 * (1 + (len(self._starts) + 8) * U32)
        with np.errstate(over="ignore"):
            return np.nextafter(ceiling.astype(np.float32), np.float32(np.inf))

    def _fine(self, asked: Asked, starts: np.ndarray, columns: np.ndarray) -> np.ndarray:
        out = np.empty(len(columns))
        own = asked.queries, asked.low, asked.high
        _keogh(*own, self._library, self._low, self._high, starts, columns, out)
        return out

    def _fine_ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        return distance**2 * (1 + 8 * self._library.shape[1] * U64)

    def _distances(
        self, asked: Asked, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        out = np.empty(len(columns))
        ceiling = self._fine_ceiling(asked, limit)
        _warp(asked.queries, self._library, self._band, starts, columns, ceiling, out)
        return np.sqrt(out)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz", "nnan"})
def _excursions(queries, low, high, scores):
    """Squared excursions of block means (n, d) out of envelopes (d, m)."""
    axes, count = low.shape
    for first in range(0, count, 1024):
        last = min(first + 1024, count)
        for row in range(len(queries)):
            query, score = queries[row], scores[row, first:last]
            score[:] = 0
            for axis in range(0, axes - 1, 2):
                q0, q1 = query[axis], query[axis + 1]
                l0, h0 = low[axis, first:last], high[axis, first:last]
                l1, h1 = low[axis + 1, first:last], high[axis + 1, first:last]
                for place in range(last - first):
                    out0 = max(max(q0 - h0[place], l0[place] - q0), np.float32(0))
                    out1 = max(max(q1 - h1[place], l1[place] - q1), np.float32(0))
                    score[place] += out0 * out0 + out1 * out1
            if axes % 2:
                value = query[axes - 1]
                l0, h0 = low[axes - 1, first:last], high[axes - 1, first:last]
                for place in range(last - first):
                    out0 = max(max(value - h0[place], l0[place] - value), np.float32(0))
                    score[place] += out0 * out0


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz", "nnan"})
def _keogh(queries, query_low, query_high, library, low, high, starts, columns, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        row = segment // ranges
        query, under, over = queries[row], query_low[row], query_high[row]
        for pair in range(starts[segment], starts[segment + 1]):
            column = columns[pair]
            other, lower, upper = library[column], low[column], high[column]
            one, two = 0.0, 0.0
            for point in range(len(query)):
                a = max(max(query[point] - upper[point], lower[point] - query[point]), 0.0)
                b = max(max(other[point] - over[point], under[point] - other[point]), 0.0)
                one += a * a
                two += b * b
            out[pair] = max(one, two)


@njit(cache=True, nogil=True, fastmath={"contract", "nsz", "nnan"})
def _warp(queries, library, band, starts, columns, ceiling, out):
    """Squared distances of pairs; more than the ceiling where they were given up."""
    ranges = (len(starts) - 1) // len(queries)
    points = library.shape[1]
    tile = np.zeros((points, LANES))
    cost = np.empty((2 * band + 3, LANES))
    for segment in range(len(starts) - 1):
        query = queries[segment // ranges]
        for first in range(starts[segment], starts[segment + 1], LANES):
            used = min(LANES, starts[segment + 1] - first)
            for lane in range(used):
                row = library[columns[first + lane]]
                for point in range(points):
                    tile[point, lane] = row[point]
            finished = _warp_tile(query, tile, band, cost, ceiling[segment], used)
            for lane in range(used):
                out[first + lane] = cost[band + 1, lane] if finished else FAR


@njit(inline="always")
def _warp_tile(query, tile, band, cost, ceiling, used):
    """Least costs of one query and a tile, left in ``cost[band + 1]``; False if given up.

    ``cost[k + 1]`` holds the cost up to the query's point i and the library's point
    j = i + k - band. Going to the next i, it still holds the cost at (i-1, j-1), ``cost[k + 2]``
    that at (i-1, j), and ``cost[k]`` already that at (i, j-1).
    """
    points = len(query)
    cost[:, :] = FAR
    cost[band + 1, :] = 0
    for i in range(points):
        value = query[i]
        for k in range(max(0, band - i), min(2 * band, points - 1 - i + band) + 1):
            for lane in range(LANES):
                difference = value - tile[i + k - band, lane]
                before = min(cost[k, lane], min(cost[k + 1, lane], cost[k + 2, lane]))
                cost[k + 1, lane] = difference * difference + before
        if i % STRIDE == STRIDE - 1:
            least = FAR
            for k in range(1, 2 * band + 2):
                for lane in range(used):
                    least = min(least, cost[k, lane])
            if least > ceiling:
                return False
    return True
