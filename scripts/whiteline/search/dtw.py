"""Dynamic time warping within a band: bounds by envelopes and by intervals.

With the Sakoe-Chiba band, a point of one spectrum meets points of the other at most ``band`` away,
all of which lie in the other's envelope, from its least to its greatest value in the band. So the
squared distance is at least the sum of squared excursions out of the envelope (LB_Keogh; Keogh,
Ratanamahatana, Knowl. Inf. Syst. 7, 358 (2005), doi 10.1007/s10115-004-0154-9). The excursion
max(x - U, L - x, 0) is convex in x, U and L together, so by Jensen's inequality the same of the
means over a block, squared and times the block's length, is a lower bound in turn. Groups of
library spectra that are alike share an envelope, out of which means of the query are compared.

The points of a noisy query meet what suits each of them in the envelope, as if time could go back
and forth, so its distances are far above this bound. Groups that are left are warped as intervals
(`whiteline.search.enclosures`), then parts of them, then spectra. The first limit is the distance
of the spectrum whose means over wide blocks are nearest; the next is that of the best spectrum of
the most promising parts. Pairs that are still left are warped in float32, several at a time, and
then in float64.

Margin. With u = 2^-24: rounding means to float32 changes the root of the coarse score by at most
u (|q| + |E|), the norms of the query and of the envelopes' means; sums of d terms have a relative
error of (d + 4) u. In float32 a path of at most 2 points cells adds as many terms, and as no point
is met by more than 2 band + 1 others, rounding spectra changes the root of a path's cost by the
root of that times u (|q| + |l|). The last stage is in float64, with a relative error of
2 points 2^-53.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numba import njit

from whiteline.measures.base import steps
from whiteline.measures.kernels import warping
from whiteline.search import selection
from whiteline.search.base import U32, U64, Asked, Index
from whiteline.search.enclosures import PARENTS, Descent, Enclosures

# Points in a block whose mean is compared with envelopes, and in one whose mean tells roughly how
# near spectra are.
WIDTH, WIDE = 4, 32
# Groups and fours that are parted at first, two tiles of each, and all others.
BEST, OTHERS = 2 * PARENTS, 2**60

# Pairs as in `selection`: starts and columns.
Ragged = tuple[np.ndarray, np.ndarray]


class Warping(Index):
    """Search by dynamic time warping of prepared spectra."""

    def _fit(self, library: np.ndarray) -> None:
        self._library = np.ascontiguousarray(library, dtype=float)
        self._short = self._library.astype(np.float32)
        points = self._library.shape[1]
        self._band = min(steps(self.measure.parameters["band"], self.energy, "band"), points - 1)
        wide = _means(self._library, WIDE)
        wide = np.column_stack([wide, (wide**2).sum(axis=1)])
        self._likeness = np.ascontiguousarray(wide.T.astype(np.float32))
        self._enclosures = Enclosures(self._library, _means(self._library, WIDTH), self._band)
        low, high = (_means(end, WIDTH) for end in (self._enclosures.low, self._enclosures.high))
        self._low, self._high = (
            np.ascontiguousarray(means.T.astype(np.float32)) for means in (low, high)
        )
        self._size, self._whole_size = _greatest_norm(low, high), _greatest_norm(self._library)

    def _ask(self, queries: np.ndarray) -> Asked:
        queries = np.ascontiguousarray(queries, dtype=float)
        # Squared distances of means over wide blocks, less the square of the query.
        wide = _means(queries, WIDE)
        wide = np.pad(-2 * wide, ((0, 0), (0, 1)), constant_values=1)
        scores = wide.astype(np.float32) @ self._likeness
        means = _means(queries, WIDTH)
        excursions = np.empty((len(queries), self._low.shape[1]), dtype=np.float32)
        _excursions(means.astype(np.float32), self._low, self._high, excursions)
        return Asked(
            scores,
            queries=queries,
            short=queries.astype(np.float32),
            excursions=excursions,
            size=np.linalg.norm(means, axis=1) + self._size,
            # Norms of a query and a library spectrum together.
            whole=np.linalg.norm(queries, axis=1) + self._whole_size,
        )

    def _promising(
        self,
        asked: Asked,
        lowest: np.ndarray,
        blocks: tuple[np.ndarray, ...],
        k: int,
        part: np.ndarray,
        limit: np.ndarray,
    ) -> Iterator[Ragged]:
        # What is met is added here while the descent goes on, as limits fall.
        met = list(selection.least(asked.scores, lowest, *blocks, part, k))
        yield tuple(met)
        for pairs in self._descended(asked, blocks, part, limit, met, (BEST, OTHERS)):
            best = selection.least_of_pairs(*pairs, _upwards(limit), k)
            yield best
            met[:] = selection.joined(*met, *best)
        yield selection.pairs_below(*pairs, _upwards(limit))

    def _survivors(
        self,
        asked: Asked,
        lowest: np.ndarray,
        blocks: tuple[np.ndarray, ...],
        part: np.ndarray,
        limit: np.ndarray,
        met: Ragged,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        (pairs,) = self._descended(asked, blocks, part, limit, met, (OTHERS,))
        return pairs

    def _descended(
        self,
        asked: Asked,
        blocks: tuple[np.ndarray, ...],
        part: np.ndarray,
        limit: np.ndarray,
        met: Sequence[np.ndarray],
        numbers: tuple[int, ...],
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Pairs that may be as near as ``limit``, beside those met, and lower bounds of their
        distances: first when so many groups and fours are parted, then when so many more are.
        """
        limits = self._limits(asked, blocks, part, limit)
        near = asked.excursions <= self._ceiling(asked, limits.ravel()).reshape(limits.shape)
        descent = Descent(self._enclosures, asked.queries, limits, near, blocks[0])
        for most in numbers:
            descent.further(self._limits(asked, blocks, part, limit), most)
            bounds, ceiling = descent.bounds, _upwards(limit)
            starts, columns = selection.survivors(
                bounds, descent.lowest, *blocks, part, ceiling, *met
            )
            sizes = np.diff(starts[:: len(part) // len(bounds)])
            yield starts, columns, bounds[np.repeat(np.arange(len(bounds)), sizes), columns]

    def _limits(
        self, asked: Asked, blocks: tuple[np.ndarray, ...], part: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        """Of each group the greatest limit of all segments that have a spectrum of it."""
        limits = np.zeros(asked.excursions.shape)
        _widen(*blocks, part, limit, self._enclosures.group_of, limits)
        return limits

    def _ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        """Highest squared excursions of means."""
        # Divergence of float64 and of the means' own rounding is below the last factor.
        root = distance + 2 * U32 * asked.spread(asked.size, distance)
        return _upwards(root**2 * (1 + (len(self._low) + 8) * U32))

    def _fine_ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        return _upwards(distance)

    def _distances(
        self, asked: Asked, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        points = self._library.shape[1]
        out = np.full(len(columns), np.inf)
        passed = np.ones(len(columns), dtype=bool)
        # Few pairs are warped in float64 as soon.
        if len(columns) > warping.FEW * len(limit):
            slip = 2 * U32 * np.sqrt(2 * self._band + 1) * asked.spread(asked.whole, limit)
            short = _upwards((limit + slip) ** 2 * (1 + (2 * points + 8) * U32))
            lower = warping.warped_pairs(
                asked.short, self._short, self._band, starts, columns, short
            )
            passed = lower <= np.repeat(short, np.diff(starts))
            starts, columns = selection.pairs_below(starts, columns, lower, short)
        ceiling = limit**2 * (1 + 8 * points * U64)
        out[passed] = warping.warped_pairs(
            asked.queries, self._library, self._band, starts, columns, ceiling
        )
        return np.sqrt(out)


def _upwards(values: np.ndarray) -> np.ndarray:
    """Single precision that isn't below."""
    with np.errstate(over="ignore"):
        return np.nextafter(values.astype(np.float32), np.float32(np.inf))


def _means(spectra: np.ndarray, width: int) -> np.ndarray:
    """Block means times the root of the block's length, shape (n, blocks)."""
    first = np.arange(0, spectra.shape[1], width)
    sums = np.add.reduceat(spectra, first, axis=1)
    return sums / np.sqrt(np.diff(first, append=spectra.shape[1]))


def _greatest_norm(*ends: np.ndarray) -> float:
    """Greatest norm of the spectra (n, points) between the ends."""
    return float(np.sqrt(np.max([end**2 for end in ends], axis=0).sum(axis=1).max(initial=0)))


@njit(cache=True, nogil=True)
def _widen(block_edges, before, order, part, limit, group_of, limits):
    """Raise limits (n, groups) to those of all segments that have a spectrum of the group."""
    ranges = len(part) // max(len(limits), 1)
    for segment in range(len(part)):
        number, own = part[segment], limits[segment // ranges]
        if number >= 0 and before[number + 1] - before[number] == len(block_edges) - 1:
            for group in range(len(own)):
                own[group] = max(own[group], limit[segment])
        elif number >= 0:
            for block in order[before[number] : before[number + 1]]:
                for column in range(block_edges[block], block_edges[block + 1]):
                    group = group_of[column]
                    own[group] = max(own[group], limit[segment])


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
