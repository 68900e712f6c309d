"""Lower bounds of distances in a euclidean space of any dimension, from a few coordinates.

A projection onto d orthonormal directions keeps the part of a difference inside them; of the rest
the norms are known. For x = (a, r), with a the d coordinates and r the norm of the rest,

    |x - y|^2 >= |a_x - a_y|^2 + (r_x - r_y)^2

by the triangle inequality for the rests. Any directions will do; principal components of the
library make r small for its spectra, and the bound tight whatever the query is. The bound is used
twice: with few coordinates for all pairs, as one matrix product in float32, and with more of them
for the pairs that are left.

Margin. Let u = 2^-24 be the roundoff of float32, A and B the norms of the two vectors of d + 1
coordinates, X that of the uncentred query plus the greatest of the library.

- Rounding coordinates to float32 changes them by u A and u B, so the bound by 2 u (A + B)^2; the
  product of d + 2 terms, one of them the rounded square, by (d + 4) u (A + B)^2 (Higham, Accuracy
  and Stability of Numerical Algorithms, 2nd ed., ch. 3; the order of summation doesn't matter).
  (d + 8) u (A + B)^2 covers both and terms in u^2.
- Coordinates and squared norms are computed in float64 with an error of at most e X^2 in squares,
  where e is given by the family. A norm r of the rest, found by subtraction, is then wrong by
  s = e X^2 / max(r, sqrt(e) X), and the bound by 2 (A + B) (s_x + s_y) plus terms in e X^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numba import njit
from scipy.linalg import eigh

from whiteline.search.base import U32
from whiteline.search.prefetch import prefetch

# Coordinates of the first and of the second bound.
COARSE, FINE = 32, 96
# The directions come from this many spectra at most. They are drawn, since spectra at equal steps
# may all have one width.
SAMPLE = 2000
# A direction with less than this part of the greatest variance would be rounding.
RANK = 1e-12
# Pairs ahead of the one that is compared, whose library spectrum is on its way.
AHEAD = 8


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Spectra in few coordinates.

    ``coarse`` (n, COARSE + 1) and ``fine`` (n, FINE + 1) end with the norm of the rest, float64;
    ``norm`` (n,) is the whole vector's, ``slip`` (n,) the greatest error of the norms of the rest,
    ``size`` (n,) the norm before centring.
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


class Projection:
    """The library in few coordinates, and the bounds that follow."""

    def __init__(self, features: np.ndarray, error: float) -> None:
        """Choose directions from centred ``features`` (m, f); ``error`` is e above."""
        self.error = error
        self.directions = _directions(features)

    def coordinates(
        self, features: np.ndarray, squared_norm: np.ndarray, size: np.ndarray
    ) -> Coordinates:
        """Spectra in few coordinates, from centred features (n, f) and the squared norms (n,) of
        the whole vectors, of which the features may be a part.
        """
        fine = features @ self.directions
        coarse = fine[:, :COARSE]
        squares = fine**2
        slip = np.zeros(len(fine))
        ends = []
        for count in (coarse.shape[1], fine.shape[1]):
            rest = np.sqrt(np.maximum(squared_norm - squares[:, :count].sum(1), 0))
            ends.append(rest[:, None])
            floor = np.maximum(rest, np.sqrt(self.error) * size)
            wrong = np.divide(
                self.error * size**2, floor, out=np.zeros(len(fine)), where=floor > 0
            )
            slip = np.maximum(slip, wrong)
        return Coordinates(
            np.hstack([coarse, ends[0]]),
            np.hstack([fine, ends[1]]),
            np.sqrt(np.maximum(squared_norm, 0)),
            slip,
            size,
        )

    def fit(self, library: Coordinates) -> None:
        """Keep the library in float32."""
        self.library = _with_square(library.coarse).T.astype(np.float32)
        self.fine_library = np.ascontiguousarray(library.fine, dtype=np.float32)
        self.norm, self.slip, self.size = (
            values.max() for values in (library.norm, library.slip, library.size)
        )

    def scores(self, queries: Coordinates) -> np.ndarray:
        """The coarse bound less the query's own square, shape (n, m), float32."""
        own = np.hstack([-2 * queries.coarse, np.ones((len(queries.coarse), 1))])
        return own.astype(np.float32) @ self.library

    def fine(self, queries: Coordinates, starts: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The fine bound of pairs, float32."""
        out = np.empty(len(columns), dtype=np.float32)
        _squared(queries.fine.astype(np.float32), self.fine_library, starts, columns, out)
        return out

    def ceiling(self, queries: Coordinates, squared: np.ndarray) -> np.ndarray:
        """Highest score of pairs with a squared distance (segments,), margin included."""
        own = (queries.coarse.astype(np.float32).astype(float) ** 2).sum(1)
        return _rounded_up(squared + self._spread(self._margin(queries) - own, squared))

    def fine_ceiling(self, queries: Coordinates, squared: np.ndarray) -> np.ndarray:
        """The same for the fine bound."""
        return _rounded_up(squared + self._spread(self._margin(queries), squared))

    def _margin(self, queries: Coordinates) -> np.ndarray:
        both, size = queries.norm + self.norm, queries.size + self.size
        rounding = (self.fine_library.shape[1] + 8) * U32 * both**2
        return rounding + 3 * both * (queries.slip + self.slip) + 16 * self.error * size**2

    @staticmethod
    def _spread(values: np.ndarray, segments: np.ndarray) -> np.ndarray:
        return np.repeat(values, len(segments) // len(values))


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


def _with_square(coordinates: np.ndarray) -> np.ndarray:
    """Coordinates with their squared norm as one more, of the values rounded to float32."""
    rounded = coordinates.astype(np.float32).astype(float)
    return np.column_stack([rounded, (rounded**2).sum(1)])


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
