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
u (|q| + |E|), the norms of the query and of the envelopes' means; sums of d terms have a relative
error of (d + 4) u. Full sums are in float32 too, with points for d and the norms of spectra and
envelopes. Pairs that are left are warped in float32 first: a path of at most 2 points cells adds
as many terms, and as no point is met by more than 2 band + 1 others, rounding spectra changes the
root of a path's cost by the root of that times u (|q| + |l|). The last stage is in float64, with a
relative error of 2 points 2^-53.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from whiteline.measures.base import steps
from whiteline.measures.kernels import warping
from whiteline.search import selection
from whiteline.search.base import U32, U64, Asked, Index

# Points in a block.
WIDTH = 16


class Warping(Index):
    """Search by dynamic time warping of prepared spectra."""

    probes = warping.LANES

    def _fit(self, library: np.ndarray) -> None:
        self._library = np.ascontiguousarray(library, dtype=float)
        self._short = self._library.astype(np.float32)
        points = self._library.shape[1]
        self._band = min(steps(self.measure.parameters["band"], self.energy, "band"), points - 1)
        envelope = self._envelope(self._library)
        self._short_low, self._short_high = (end.astype(np.float32) for end in envelope)
        self._whole_size = _greatest_norm(self._library) + _greatest_norm(*envelope)
        self._starts = np.arange(0, points, WIDTH)
        self._widths = np.diff(self._starts, append=points)
        low, high = (self._means(end) for end in envelope)
        self._low_means, self._high_means = (
            np.ascontiguousarray(means.T.astype(np.float32)) for means in (low, high)
        )
        self._size = _greatest_norm(low, high)

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
        return Asked(
            scores,
            queries=queries,
            short=queries.astype(np.float32),
            low=low.astype(np.float32),
            high=high.astype(np.float32),
            size=size,
            # Norms of a query, a library spectrum and both envelopes together.
            whole=np.linalg.norm(queries, axis=1) + _greatest_norm(low, high) + self._whole_size,
        )

    def _ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        # Divergence of float64 and of the means' own rounding is below the last factor.
        root = distance + 2 * U32 * asked.spread(asked.size, distance)
        ceiling = root**2 * (1 + (len(self._starts) + 8) * U32)
        with np.errstate(over="ignore"):
            return np.nextafter(ceiling.astype(np.float32), np.float32(np.inf))

    def _fine(self, asked: Asked, starts: np.ndarray, columns: np.ndarray) -> np.ndarray:
        out = np.empty(len(columns), dtype=np.float32)
        library = self._short, self._short_low, self._short_high
        _keogh(asked.short, asked.low, asked.high, *library, starts, columns, out)
        return out

    def _fine_ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        return self._short_ceiling(asked, distance, 1, self._library.shape[1])

    def _short_ceiling(
        self, asked: Asked, distance: np.ndarray, met: int, terms: int
    ) -> np.ndarray:
        """Highest squared distance in float32, a sum of so many terms, if each point is met by so
        many others.
        """
        slip = 2 * U32 * np.sqrt(met) * asked.spread(asked.whole, distance)
        with np.errstate(over="ignore"):
            ceiling = (distance + slip) ** 2 * (1 + (terms + 8) * U32)
            return np.nextafter(ceiling.astype(np.float32), np.float32(np.inf))

    def _distances(
        self, asked: Asked, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        points = self._library.shape[1]
        short = self._short_ceiling(asked, limit, 2 * self._band + 1, 2 * points)
        lower = warping.warped_pairs(asked.short, self._short, self._band, starts, columns, short)
        kept, left = selection.pairs_below(starts, columns, lower, short)
        ceiling = limit**2 * (1 + 8 * points * U64)
        out = np.full(len(columns), np.inf)
        passed = lower <= np.repeat(short, np.diff(starts))
        out[passed] = warping.warped_pairs(
            asked.queries, self._library, self._band, kept, left, ceiling
        )
        return np.sqrt(out)


def _greatest_norm(*ends: np.ndarray) -> float:
    """Greatest norm of the spectra (n, points) between the ends."""
    return float(np.sqrt(np.max([end**2 for end in ends], axis=0).sum(axis=1).max(initial=0)))


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


@njit(cache=True, nogil=True)
def _keogh(queries, query_low, query_high, library, low, high, starts, columns, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        row = segment // ranges
        for pair in range(starts[segment], starts[segment + 1]):
            column = columns[pair]
            out[pair] = max(
                _excursion(queries[row], low[column], high[column]),
                _excursion(library[column], query_low[row], query_high[row]),
            )


@njit(fastmath={"reassoc", "contract", "nsz", "nnan"})
def _excursion(spectrum, low, high):
    total = np.float32(0)
    for point in range(len(spectrum)):
        above, below = spectrum[point] - high[point], low[point] - spectrum[point]
        outside = max(max(above, below), np.float32(0))
        total += outside * outside
    return total
