"""Dynamic time warping within a band: bounds by envelopes.

With the Sakoe-Chiba band, a point of one spectrum meets points of the other at most ``band`` away,
all of which lie in the other's envelope, from its least to its greatest value in the band. So the
squared distance is at least the sum of squared excursions out of the envelope (LB_Keogh; Keogh,
Ratanamahatana, Knowl. Inf. Syst. 7, 358 (2005), doi 10.1007/s10115-004-0154-9). The excursion
max(x - U, L - x, 0) is convex in x, U and L together, so by Jensen's inequality the same of the
means over a block, squared and times the block's length, is a lower bound in turn. The coarse
score is this, of the query in the library's envelopes; the fine one is the full sum. Envelopes of
the library are used first, because a noisy query has a wide envelope, and means over blocks have
little noise. The library spectrum's excursions out of the query's envelope are summed only for
pairs that are left then.

Whole sums wait for memory more than they compute: the library's envelopes are kept as integers of
16 bits, rounded outwards, and each stretch of them is compared with all queries at once.

Pairs that are left are warped, several library spectra at a time, and given up when every path
costs more than the limit.

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
from whiteline.search.prefetch import prefetch

# Points in a block.
WIDTH = 16
# Envelopes are kept as integers up to this.
LARGEST, TINY = 32767, 1e-30
# Pairs ahead of the one that is compared, whose library spectrum is on its way.
AHEAD = 4
# Library spectra whose envelopes stay in cache.
STRETCH = 128
# Single precision is filled up to a multiple of this many points, so that no loop has a rest.
FILLED = 32


class Warping(Index):
    """Search by dynamic time warping of prepared spectra."""

    probes = warping.LANES

    def _fit(self, library: np.ndarray) -> None:
        self._library = np.ascontiguousarray(library, dtype=float)
        self._short = _filled(self._library, 0)
        points = self._library.shape[1]
        self._band = min(steps(self.measure.parameters["band"], self.energy, "band"), points - 1)
        envelope = self._envelope(self._library)
        self._unit = max(np.abs(self._library).max(), TINY) / LARGEST
        low, high = (end / self._unit for end in envelope)
        # Rounded outwards, so that an excursion is never overestimated.
        ends = [np.maximum(np.floor(low), -LARGEST), np.minimum(np.ceil(high), LARGEST)]
        ends = [_filled(end, fill) for end, fill in zip(ends, (-LARGEST, LARGEST), strict=True)]
        self._envelopes = np.stack(ends, axis=1).astype(np.int16)
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
            scaled=_filled(queries / self._unit, 0),
            low=_filled(low, -np.inf),
            high=_filled(high, np.inf),
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
        unit = np.float32(self._unit**2)
        _keogh(asked.scaled, self._envelopes, starts, columns, unit, out)
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
        out = np.full(len(columns), np.inf)
        passed = np.ones(len(columns), dtype=bool)
        if np.isfinite(limit).any():
            short = self._short_ceiling(asked, limit, 2 * self._band + 1, 2 * points)
            lower = np.empty(len(columns), dtype=np.float32)
            _keogh_of_library(asked.low, asked.high, self._short, starts, columns, lower)
            passed = lower <= np.repeat(short, np.diff(starts))
            starts, columns = selection.pairs_below(starts, columns, lower, short)
            lower = warping.warped_pairs(
                asked.short, self._short, self._band, starts, columns, short
            )
            passed[passed] = lower <= np.repeat(short, np.diff(starts))
            starts, columns = selection.pairs_below(starts, columns, lower, short)
        ceiling = limit**2 * (1 + 8 * points * U64)
        out[passed] = warping.warped_pairs(
            asked.queries, self._library, self._band, starts, columns, ceiling
        )
        return np.sqrt(out)


def _filled(spectra: np.ndarray, value: float) -> np.ndarray:
    """Spectra in single precision, filled up with a value."""
    more = -spectra.shape[1] % FILLED
    return np.pad(spectra.astype(np.float32), ((0, 0), (0, more)), constant_values=value)


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
def _keogh(queries, envelopes, starts, columns, unit, out):
    """Squared excursions of queries out of the library's envelopes.

    Pairs of a segment are mostly in the order of columns. So a stretch of the library is compared
    with all queries while it is in cache; a pair out of order waits for a later stretch.
    """
    ranges = (len(starts) - 1) // len(queries)
    ends = envelopes.reshape(len(envelopes), -1)
    next_pair = starts[:-1].copy()
    for stretch in range(0, len(envelopes), STRETCH):
        for segment in range(len(next_pair)):
            query = queries[segment // ranges]
            pair, last = next_pair[segment], starts[segment + 1]
            while pair < last and columns[pair] < stretch + STRETCH:
                prefetch(ends, columns[min(pair + AHEAD, len(columns) - 1)])
                envelope = envelopes[columns[pair]]
                out[pair] = unit * _excursion(query, envelope[0], envelope[1])
                pair += 1
            next_pair[segment] = pair


@njit(fastmath={"reassoc", "contract", "nsz", "nnan"})
def _excursion(spectrum, low, high):
    total = np.float32(0)
    for point in range(len(spectrum)):
        x = spectrum[point]
        outside = max(max(x - np.float32(high[point]), np.float32(low[point]) - x), np.float32(0))
        total += outside * outside
    return total


@njit(cache=True, nogil=True)
def _keogh_of_library(low, high, library, starts, columns, out):
    """Squared excursions of library spectra out of the queries' envelopes."""
    ranges = (len(starts) - 1) // len(low)
    for segment in range(len(starts) - 1):
        own_low, own_high = low[segment // ranges], high[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            prefetch(library, columns[min(pair + AHEAD, len(columns) - 1)])
            out[pair] = _excursion(library[columns[pair]], own_low, own_high)
