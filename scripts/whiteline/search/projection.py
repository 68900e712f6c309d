"""Lower bounds of distances in a euclidean space of any dimension, from a few coordinates.

A projection onto d orthonormal directions keeps the part of a difference inside them; of the rest
the norms are known. For x = (a, r), with a the d coordinates and r the norm of the rest,

    |x - y|^2 >= |a_x - a_y|^2 + (r_x - r_y)^2

by the triangle inequality for the rests, and likewise with a norm for each of several parts of the
rest that are orthogonal. Any directions will do; principal components of the library make r small
for its spectra, and the bound tight whatever the query is. Noise fills a query's rest evenly, the
library's lies mostly in the next few directions: with norms for those (`SHELLS`) the product
r_x r_y, by which the bound is too low, nearly goes.

The bound is used three times. Library spectra are sorted so that those in a block are alike; the
least distance from the box around their coarse coordinates bounds that of all of them. Where it
does not suffice, the coarse bound of each is computed by products in float32; and for the pairs
that are left, one with more coordinates.

Margin. Let u = 2^-24 be the roundoff of float32, A and B the norms of the two vectors of d
coordinates, norms of rests among them, X that of the uncentred query or the greatest of the
library.

- Coordinates are computed in float64 with an error of at most 16 e X, squared norms of all rests
  together, and of differences, with one of e X^2, where e is given by the family. The norms of the
  rests, found by subtraction, are then wrong by at most e X^2 / max(r, sqrt(e) X), r the least of
  them. If s is the sum of both for one vector, the root of the bound is wrong by s_x + s_y.
- Rounding coordinates to float32 changes them by u A and u B, so the bound by 2 u (A + B)^2; the
  product of d + 1 terms, one of them the rounded square, by (d + 3) u (A + B)^2 (Higham, Accuracy
  and Stability of Numerical Algorithms, 2nd ed., ch. 3; the order of summation doesn't matter).
  Distances from boxes are sums of d squares, less the query's own: the same with d + 5.
  (d + 12) u (A + B)^2 covers all and terms in u^2.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numba import njit
from scipy.linalg import eigh

from whiteline.search import selection
from whiteline.search.base import U32, Asked, Index
from whiteline.search.prefetch import prefetch
from whiteline.search.scoring import score
from whiteline.search.selection import BLOCK

# Coordinates of the coarse and of the fine bound.
COARSE, FINE = 32, 119
# Of the directions between these the coarse bound has the norm.
SHELLS = (COARSE, 48, FINE)
# Blocks of each query whose scores are computed to learn how near the nearest is.
LOOKED_AT = 8
# Queries in one task where blocks have boxes and only pairs are kept, and most pairs in memory.
CHUNK, PAIRS = 512, 16_000_000
# The directions come from this many spectra at most. They are drawn, since spectra at equal steps
# may all have one width.
SAMPLE = 2000
# A direction with less than this part of the greatest variance would be rounding.
RANK = 1e-12
# Pairs ahead of the one that is compared, whose library spectrum is on its way.
AHEAD = 8
# Rows of the fine bound are filled up with zeros to a multiple of this: no loop has a rest.
FILLED = 32


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Spectra in few coordinates.

    ``coarse`` (n, c) and ``fine`` (n, f) end with norms of rests, float64; ``norm`` (n,) is the
    whole vector's, ``slip`` (n,) the greatest error of either, ``size`` (n,) the norm before
    centring.
    """

    coarse: np.ndarray
    fine: np.ndarray
    norm: np.ndarray
    slip: np.ndarray
    size: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[Coordinates]) -> Coordinates:
        """Those of all spectra, from those of batches."""
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            )
        )

    def __getitem__(self, rows: np.ndarray) -> Coordinates:
        return Coordinates(*(getattr(self, field.name)[rows] for field in fields(self)))


class Projection:
    """The library in few coordinates, and the bounds that follow."""

    def __init__(self, features: np.ndarray, error: float) -> None:
        """Choose directions from centred ``features`` (m, f); ``error`` is e above."""
        self.error = error
        self.directions = _directions(features)

    def coordinates(
        self, features: np.ndarray, size: np.ndarray, beyond: np.ndarray | None = None
    ) -> Coordinates:
        """Spectra in few coordinates, from centred features (n, f), and the squared norms of
        orthogonal parts of the vectors beyond them (parts, n), where there are any.
        """
        inside = features @ self.directions
        squares = inside**2
        shells = [squares[:, a:b].sum(1) for a, b in pairwise(SHELLS)]
        parts = (np.einsum("nf,nf->n", features, features) - squares.sum(1))[None]
        if beyond is not None:
            parts = np.concatenate([parts, beyond])
        parts = np.maximum(parts, 0)
        rests = np.sqrt(parts)
        floor = np.maximum(rests.min(0), np.sqrt(self.error) * size)
        wrong = np.divide(self.error * size**2, floor, out=np.zeros(len(size)), where=floor > 0)
        ends = np.sqrt([*shells, parts.sum(0)])
        return Coordinates(
            np.hstack([inside[:, :COARSE], ends.T]),
            np.hstack([inside, rests.T]),
            np.sqrt(squares.sum(1) + parts.sum(0)),
            wrong + 16 * self.error * size,
            size,
        )

    def fit(self, library: Coordinates, edges: np.ndarray) -> None:
        """Keep the library in float32, with boxes around the blocks between the edges."""
        coarse = library.coarse.astype(np.float32)
        self.edges = edges
        self.low = np.minimum.reduceat(coarse, edges[:-1]).T.copy()
        self.high = np.maximum.reduceat(coarse, edges[:-1]).T.copy()
        square = (coarse.astype(float) ** 2).sum(1)
        rows = np.column_stack([coarse, square]).astype(np.float32)
        self.library = rows.T.copy()
        blocks = np.zeros((len(edges) - 1, BLOCK, rows.shape[1]), np.float32)
        blocks.reshape(-1, rows.shape[1])[: len(rows)] = rows
        self.tiles = blocks.transpose(0, 2, 1).copy()
        self.fine_library = _filled(library.fine, FILLED)
        self.norm, self.slip, self.size = (
            values.max() for values in (library.norm, library.slip, library.size)
        )

    def fine(self, queries: Coordinates, starts: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The fine bound of pairs, float32."""
        out = np.empty(len(columns), dtype=np.float32)
        _squared(_filled(queries.fine, FILLED), self.fine_library, starts, columns, out)
        return out

    def ceiling(self, queries: Coordinates, squared: np.ndarray) -> np.ndarray:
        """Highest score of pairs with a squared distance (segments,), margin included."""
        return self._ceiling(queries, squared, _own(queries))

    def fine_ceiling(self, queries: Coordinates, squared: np.ndarray) -> np.ndarray:
        """The same for the fine bound."""
        return self._ceiling(queries, squared, np.zeros(len(queries.norm)))

    def _ceiling(self, queries: Coordinates, squared: np.ndarray, own: np.ndarray) -> np.ndarray:
        both, size = queries.norm + self.norm, queries.size + self.size
        count = max(len(self.library), self.fine_library.shape[1])
        rounding = (count + 12) * U32 * both**2 - own
        slip, error = queries.slip + self.slip, self.error * size**2
        # A row for the segments of each query.
        squared = squared.reshape(len(size), -1)
        root = np.sqrt(squared + error[:, None]) + slip[:, None]
        return _rounded_up(root**2 + rounding[:, None]).ravel()


class Projected(Index):
    """Search by a distance that grows with one in a euclidean space."""

    _projection: Projection

    @abstractmethod
    def _squared(self, distance: np.ndarray) -> np.ndarray:
        """The squared distance in that space that the measure's distance stands for."""

    def _chunk(self, blocks: tuple[np.ndarray, ...]) -> int:
        if blocks[0] is not self._projection.edges:
            return super()._chunk(blocks)
        return max(1, min(CHUNK, PAIRS // self.shape[0]))

    def _ceiling(self, asked: Sought, distance: np.ndarray) -> np.ndarray:
        return self._projection.ceiling(asked.coordinates, self._squared(distance))

    def _fine(self, asked: Sought, starts: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return self._projection.fine(asked.coordinates, starts, columns)

    def _fine_ceiling(self, asked: Sought, distance: np.ndarray) -> np.ndarray:
        return self._projection.fine_ceiling(asked.coordinates, self._squared(distance))

    def _survivors(
        self,
        asked: Sought,
        lowest: np.ndarray,
        blocks: tuple[np.ndarray, ...],
        part: np.ndarray,
        limit: np.ndarray,
        met: tuple[np.ndarray, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if blocks[0] is not self._projection.edges:
            return super()._survivors(asked, lowest, blocks, part, limit, met)
        if len(met[1]):
            asked.leave_out_least()
        return asked.survivors(self._ceiling(asked, limit), self._fine_ceiling(asked, limit))


class Sought(Asked):
    """Queries in few coordinates. A score is the coarse bound less the query's own square.

    Of blocks with boxes only the nearest are looked into at first.
    """

    def __init__(self, projection: Projection, coordinates: Coordinates, **kept: object) -> None:
        super().__init__(None, coordinates=coordinates, **kept)
        self._projection = projection
        vectors = np.hstack([-2 * coordinates.coarse, np.ones((len(coordinates.coarse), 1))])
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)

    def lowest(self, blocks: tuple[np.ndarray, ...], count: int) -> np.ndarray:
        """Least scores of blocks; where they have boxes, of those that are looked into."""
        projection, edges = self._projection, blocks[0]
        if edges is not projection.edges:
            self.scores = self._vectors @ projection.library
            return super().lowest(blocks, count)
        self._bounds = np.empty((len(self._vectors), len(edges) - 1), np.float32)
        coarse = self.coordinates.coarse.astype(np.float32)
        _box_distances(
            coarse, projection.low, projection.high, _own(self.coordinates), self._bounds
        )
        ceiling, looked = np.full(len(coarse), -np.inf, np.float32), 0
        if count:
            place = min(max(count, LOOKED_AT), self._bounds.shape[1]) - 1
            ceiling = np.partition(self._bounds, place, axis=1)[:, place]
            looked = (self._bounds <= ceiling[:, None]).sum(1).max()
        shape = len(coarse), looked
        self._blocks, lowest = np.full(shape, -1), np.full(shape, np.float32(np.inf))
        self.scores = np.full((*shape, BLOCK), np.float32(np.inf))
        tiles = self._vectors, projection.tiles, edges
        _look(*tiles, self._bounds, ceiling, self._blocks, lowest, self.scores)
        return lowest

    def least(
        self, lowest: np.ndarray, blocks: tuple[np.ndarray, ...], part: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of the least scores."""
        edges = self._projection.edges
        if blocks[0] is not edges:
            return super().least(lowest, blocks, part, count)
        looked = self._blocks.shape[1]
        scores = self.scores.reshape(len(lowest), -1)
        own = np.arange(looked + 1) * BLOCK, np.array([0, looked]), np.arange(looked)
        starts, places = selection.least(scores, lowest, *own, part, count)
        query = np.repeat(np.arange(len(lowest)), np.diff(starts))
        self._least = query, places
        return starts, edges[self._blocks[query, places // BLOCK]] + places % BLOCK

    def leave_out_least(self) -> None:
        """Make what `least` found none of the survivors, where blocks have boxes."""
        self.scores.reshape(len(self.scores), -1)[self._least] = np.inf

    def survivors(
        self, ceiling: np.ndarray, fine_ceiling: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of blocks with boxes whose bounds are up to the ceilings of their query (n,), and
        their fine bounds.
        """
        projection = self._projection
        vectors = self._vectors, projection.tiles
        fine = _filled(self.coordinates.fine, FILLED), projection.fine_library
        known = projection.edges, self._bounds, self._blocks, self.scores
        return _survivors(*vectors, *fine, *known, ceiling, fine_ceiling)


def compact(coordinates: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """An order of spectra (m, d), the same within edges, in which those of a block are alike."""
    order = [_split(coordinates, np.arange(first, last)) for first, last in pairwise(edges)]
    return np.concatenate(order)


def _split(coordinates: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows halved at whole blocks along the axis on which they differ most, again and again."""
    if len(rows) <= BLOCK:
        return rows
    own = coordinates[rows]
    rows = rows[np.argsort(own[:, own.var(0).argmax()], kind="stable")]
    middle = -(-len(rows) // BLOCK) // 2 * BLOCK
    halves = (_split(coordinates, half) for half in np.split(rows, [middle]))
    return np.concatenate(list(halves))


def sample(spectra: np.ndarray) -> np.ndarray:
    """At most SAMPLE of the rows, always the same."""
    if len(spectra) <= SAMPLE:
        return spectra
    chosen = np.random.default_rng(0).choice(len(spectra), SAMPLE, replace=False)
    return spectra[np.sort(chosen)]


def _directions(features: np.ndarray) -> np.ndarray:
    """Orthonormal columns (f, d), d <= FINE: principal components of the features, centred."""
    some = sample(features)
    if len(some) < some.shape[1]:
        # The smaller of the two products has the same components.
        count = min(FINE, len(some))
        values, vectors = eigh(some @ some.T, subset_by_index=[len(some) - count, len(some) - 1])
        kept = values > RANK * max(values[-1], 0)
        directions = some.T @ vectors[:, kept][:, ::-1]
        return np.linalg.qr(directions)[0]
    size = some.shape[1]
    count = min(FINE, size)
    values, vectors = eigh(some.T @ some, subset_by_index=[size - count, size - 1])
    return np.ascontiguousarray(vectors[:, values > RANK * max(values[-1], 0)][:, ::-1])


def _own(queries: Coordinates) -> np.ndarray:
    """Squared norms of the coarse coordinates as rounded to float32."""
    return (queries.coarse.astype(np.float32).astype(float) ** 2).sum(1)


def _filled(rows: np.ndarray, multiple: int) -> np.ndarray:
    """Rows in float32, filled up with zeros to a multiple of so many columns."""
    count = rows.shape[1]
    filled = np.zeros((len(rows), count + -count % multiple), np.float32)
    filled[:, :count] = rows
    return filled


def _rounded_up(values: np.ndarray) -> np.ndarray:
    return np.nextafter(values.astype(np.float32), np.float32(np.inf))


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _squared(queries, library, starts, columns, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        query = queries[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            row = library[columns[pair]]
            prefetch(library, columns[min(pair + AHEAD, len(columns) - 1)])
            total = np.float32(0)
            for axis in range(len(row)):
                total += (query[axis] - row[axis]) ** 2
            out[pair] = total


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz", "contract"})
def _box_distances(queries, low, high, own, out):
    for query in range(len(queries)):
        row = out[query]
        row[:] = 0
        for axis in range(len(low)):
            value, least, most = queries[query, axis], low[axis], high[axis]
            for block in range(len(row)):
                outside = max(max(least[block] - value, value - most[block]), np.float32(0))
                row[block] += outside * outside
        for block in range(len(row)):
            row[block] -= np.float32(own[query])


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz", "contract"})
def _look(queries, tiles, edges, bounds, ceiling, blocks, lowest, scores):
    """Fill in numbers, least scores and scores of the blocks that are near enough, in order."""
    looked = np.zeros(len(queries), np.int64)
    starts, rows = _near(bounds, ceiling)
    for block in range(len(tiles)):
        size = edges[block + 1] - edges[block]
        for number in range(starts[block], starts[block + 1]):
            row = rows[number]
            place = looked[row]
            looked[row] += 1
            score(queries, row, tiles, block, scores, row * scores.shape[1] + place)
            for column in range(size, BLOCK):
                scores[row, place, column] = np.inf
            least = scores[row, place, 0]
            for column in range(1, BLOCK):
                least = min(least, scores[row, place, column])
            blocks[row, place], lowest[row, place] = block, least


@njit(cache=True, nogil=True)
def _near(bounds, ceiling):
    """Rows of bounds (n, blocks) that are up to their ceiling (n,), as a ragged array by block."""
    blocks = bounds.shape[1]
    starts, found = np.zeros(blocks + 1, np.int64), np.zeros(len(bounds) + 1, np.int64)
    near = np.empty(bounds.size + 1, np.int64)
    count = 0
    for row in range(len(bounds)):
        limit = ceiling[row]
        for block in range(blocks):
            near[count] = block
            count += bounds[row, block] <= limit
        found[row + 1] = count
    for place in range(count):
        starts[near[place] + 1] += 1
    for block in range(blocks):
        starts[block + 1] += starts[block]
    ends, rows = starts.copy(), np.empty(count, np.int64)
    for row in range(len(bounds)):
        for place in range(found[row], found[row + 1]):
            rows[ends[near[place]]] = row
            ends[near[place]] += 1
    return starts, rows


@njit(cache=True, nogil=True, fastmath={"reassoc", "nnan", "nsz", "contract"})
def _survivors(
    queries, tiles, fine_queries, library, edges, bounds, blocks, scores, ceiling, fine_ceiling
):
    """Pairs whose bounds are up to both ceilings, and their fine bounds; scores of ``blocks``
    (n, looked) are known.
    """
    own, looked = np.empty(BLOCK, np.float32), np.zeros(len(queries), np.int64)
    first, rows = _near(bounds, ceiling)
    # Ends of what is found in each block for each query, one after the other.
    ends = np.zeros(len(rows) + 1, np.int64)
    columns, fine = np.empty(1024, np.int64), np.empty(1024, np.float32)
    at = 0
    # Block by block, so that its spectra stay in the cache for all queries.
    for block in range(len(tiles)):
        size = edges[block + 1] - edges[block]
        while at + (first[block + 1] - first[block]) * BLOCK > len(columns):
            columns = np.concatenate((columns, np.empty_like(columns)))
            fine = np.concatenate((fine, np.empty_like(fine)))
        for number in range(first[block], first[block + 1]):
            row = rows[number]
            place = looked[row]
            while place < blocks.shape[1] and blocks[row, place] < block:
                place += 1
            looked[row] = place
            if place < blocks.shape[1] and blocks[row, place] == block:
                for column in range(BLOCK):
                    own[column] = scores[row, place, column]
            else:
                score(queries, row, tiles, block, own, 0)
            limit, end = ceiling[row], at
            for column in range(size):
                columns[end] = edges[block] + column
                end += own[column] <= limit
            limit = fine_ceiling[row]
            for pair in range(at, end):
                column = columns[pair]
                total = np.float32(0)
                for axis in range(library.shape[1]):
                    total += (fine_queries[row, axis] - library[column, axis]) ** 2
                columns[at], fine[at] = column, total
                at += total <= limit
            ends[number + 1] = at
    return _by_row(len(queries), rows, ends, columns, fine)


@njit(cache=True, nogil=True)
def _by_row(count, rows, ends, columns, fine):
    """Pairs and their bounds, sorted by the rows that parts of them belong to."""
    starts = np.zeros(count + 1, np.int64)
    for part in range(len(rows)):
        starts[rows[part] + 1] += ends[part + 1] - ends[part]
    for row in range(count):
        starts[row + 1] += starts[row]
    to = starts.copy()
    ordered, bounds = np.empty(ends[-1], np.int64), np.empty(ends[-1], np.float32)
    for part in range(len(rows)):
        row = rows[part]
        for pair in range(ends[part], ends[part + 1]):
            ordered[to[row]], bounds[to[row]] = columns[pair], fine[pair]
            to[row] += 1
    return starts, ordered, bounds
