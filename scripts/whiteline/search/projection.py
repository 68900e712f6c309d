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
does not suffice, the coarse bound of each is computed as a matrix product in float32; and for the
pairs that are left, one with more coordinates.

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

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numba import njit
from scipy.linalg import eigh

from whiteline.search.base import U32, Asked
from whiteline.search.prefetch import prefetch
from whiteline.search.selection import BLOCK

# Coordinates of the coarse and of the fine bound.
COARSE, FINE = 32, 119
# Of the directions between these the coarse bound has the norm.
SHELLS = (COARSE, 48, FINE)
# Blocks of each query whose scores are computed to learn how near the nearest is.
LOOKED_AT = 8
# The directions come from this many spectra at most. They are drawn, since spectra at equal steps
# may all have one width.
SAMPLE = 2000
# A direction with less than this part of the greatest variance would be rounding.
RANK = 1e-12
# Pairs ahead of the one that is compared, whose library spectrum is on its way.
AHEAD = 8
# Rows of the fine bound are filled up with zeros to a multiple of this, so that no loop has a
# rest; those of the coarse one, in which four axes are added at once, to one of four.
FILLED, AXES = 32, 4


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
        rows = _filled(np.column_stack([coarse, square]), AXES)
        self.library = rows.T.copy()
        blocks = np.zeros((len(edges) - 1, BLOCK, rows.shape[1]), np.float32)
        blocks.reshape(-1, rows.shape[1])[: len(rows)] = rows
        self.tiles = blocks.transpose(0, 2, 1).reshape(len(blocks), -1, AXES, BLOCK).copy()
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
        rounding, slip, error, own = (
            np.repeat(values, len(squared) // len(values))
            for values in (
                (count + 12) * U32 * both**2,
                queries.slip + self.slip,
                self.error * size**2,
                own,
            )
        )
        return _rounded_up((np.sqrt(squared + error) + slip) ** 2 + rounding - own)


class Sought(Asked):
    """Queries in few coordinates. A score is the coarse bound less the query's own square."""

    def __init__(self, projection: Projection, coordinates: Coordinates, **kept: object) -> None:
        super().__init__(None, coordinates=coordinates, **kept)
        self._projection, self._bounds = projection, None
        vectors = np.hstack([-2 * coordinates.coarse, np.ones((len(coordinates.coarse), 1))])
        self._vectors = _filled(vectors, AXES)

    def lowest(self, blocks: tuple[np.ndarray, ...], count: int) -> np.ndarray:
        """Least scores of blocks; of those with boxes only of the nearest at first."""
        projection, edges = self._projection, blocks[0]
        if edges is not projection.edges:
            self.scores = self._vectors @ projection.library
            return super().lowest(blocks, count)
        shape = len(self._vectors), len(edges) - 1
        self._bounds = np.empty(shape, np.float32)
        self.scores = np.empty((shape[0], edges[-1]), np.float32)
        lowest = np.full(shape, np.float32(np.inf))
        coarse = self.coordinates.coarse.astype(np.float32)
        _box_distances(
            coarse, projection.low, projection.high, _own(self.coordinates), self._bounds
        )
        if count:
            place = min(max(count, LOOKED_AT), shape[1]) - 1
            self.look(lowest, np.partition(self._bounds, place, axis=1)[:, place])
        return lowest

    def look(self, lowest: np.ndarray, ceiling: np.ndarray) -> None:
        """Compute the scores of blocks that may have one up to the ceiling of their query (n,)."""
        if self._bounds is not None:
            vectors = self._vectors.reshape(len(self._vectors), -1, AXES)
            _look(vectors, self._projection.tiles, self._bounds, ceiling, lowest, self.scores)


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
def _look(queries, tiles, bounds, ceiling, lowest, scores):
    score = np.empty(BLOCK, np.float32)
    for block in range(len(tiles)):
        tile, first = tiles[block], block * BLOCK
        for row in range(len(queries)):
            if bounds[row, block] > ceiling[row] or lowest[row, block] < np.inf:
                continue
            query, own = queries[row], scores[row, first : first + BLOCK]
            # As long for the last block as for others: a length that is known has no rest.
            for place in range(BLOCK):
                score[place] = 0
            for part in range(len(tile)):
                q0, q1, q2, q3 = query[part, 0], query[part, 1], query[part, 2], query[part, 3]
                for place in range(BLOCK):
                    score[place] += (q0 * tile[part, 0, place] + q1 * tile[part, 1, place]) + (
                        q2 * tile[part, 2, place] + q3 * tile[part, 3, place]
                    )
            least = score[0]
            for place in range(len(own)):
                least = min(least, score[place])
                own[place] = score[place]
            lowest[row, block] = least
