"""The least distance over rigid shifts, each computed from the overlap of two spectra.

The products of a query, moved by each shift, with the library are matrix products, and moments of
the overlaps give the distance at each shift. For many queries they are taken in the space of the
library's principal components: what the library has none of can't change a product. The shift
found is then the one at which the distance is computed in full, so the approximation decides only
between shifts that are nearly alike.
"""

from __future__ import annotations

import numpy as np
from numba import njit

COMPILE = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nnan", "ninf", "nsz", "reassoc", "contract"},
}
SQUARED, COSINE, CORRELATION = range(3)
# An overlap with less than this part of a spectrum's power is flat but for rounding.
FLAT = 1e-12
# Components of the library in which products are taken, and multiplications that pay for them.
RANK = 64
WORTHWHILE = 2e9
FAR = 1e30


def least(queries: np.ndarray, library: np.ndarray, limit: int, mode: int) -> np.ndarray:
    """Least distance over shifts up to ``limit`` steps either way, shape (n, m).

    Spectra of shapes (n, points) and (m, points); by ``mode`` the mean squared difference times
    the number of points, one minus the cosine, or one minus the correlation, of the overlap.
    """
    queries, library = np.ascontiguousarray(queries), np.ascontiguousarray(library)
    out = np.empty((len(queries), len(library)), dtype=queries.dtype)
    if not out.size:
        return out
    points, moves = queries.shape[1], np.arange(-limit, limit + 1)
    # A view of each query at each shift, zero beyond its ends; shift s brings point p to p + s.
    padded = np.pad(queries, ((0, 0), (limit, limit)))
    moved = np.lib.stride_tricks.sliding_window_view(padded, points, axis=1)[:, ::-1]
    basis = _basis(library, len(queries) * len(library) * points * len(moves))
    reference = library if basis is None else library @ basis
    lower, upper = _moments(queries, moves), _moments(library, -moves)
    for row in range(len(queries)):
        rows = moved[row] if basis is None else moved[row] @ basis
        products = np.ascontiguousarray(rows) @ reference.T
        _choose(queries[row], library, products, lower[row], upper, limit, mode, out[row])
    return out


def _basis(library: np.ndarray, work: float) -> np.ndarray | None:
    """The library's leading principal components (points, RANK), where they pay."""
    if work < WORTHWHILE or min(library.shape) <= RANK:
        return None
    # The seed does not matter: two power iterations leave no more than the spectrum's tail.
    sketch = np.random.default_rng(0).normal(size=(library.shape[1], RANK + 16))
    sketch = sketch.astype(library.dtype)
    for _ in range(2):
        sketch = np.linalg.qr(library.T @ (library @ sketch))[0]
    values, vectors = np.linalg.eigh((small := library @ sketch).T @ small)
    return np.ascontiguousarray(sketch @ vectors[:, values.argsort()[-RANK:]])


def _moments(spectra: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Sum and sum of squares of the points that stay on the grid; (n, 2, shifts), float64."""
    points = spectra.shape[1]
    first, last = np.maximum(0, -moves), points - np.maximum(0, moves)
    powers = np.stack([spectra, spectra.astype(float) ** 2], axis=1)
    sums = np.pad(np.cumsum(powers, axis=2), ((0, 0), (0, 0), (1, 0)))
    return sums[:, :, last] - sums[:, :, first]


@njit(**COMPILE)
def _choose(query, library, products, lower, upper, limit, mode, out):
    points = len(query)
    for column in range(len(library)):
        best, least = 0, FAR
        for index in range(2 * limit + 1):
            # In order of their size, so that among equals the least shift is taken.
            shift = (index + 1) // 2 if index % 2 else -(index // 2)
            place = shift + limit
            count = points - abs(shift)
            value = _distance(
                products[place, column],
                lower[0, place],
                lower[1, place],
                upper[column, 0, place],
                upper[column, 1, place],
                count,
                points,
                mode,
            )
            if value < least:
                least, best = value, shift
        out[column] = _exact(query, library[column], best, mode) if least < FAR else 2.0


@njit(inline="always")
def _distance(product, sum_a, square_a, sum_b, square_b, count, points, mode):
    if mode == SQUARED:
        return (square_a + square_b - 2 * product) * points / count
    if mode == CORRELATION:
        product -= sum_a * sum_b / count
        square_a -= sum_a * sum_a / count
        square_b -= sum_b * sum_b / count
    # An overlap in which one spectrum is flat shows nothing.
    if square_a <= FLAT or square_b <= FLAT:
        return FAR
    return 1 - product / np.sqrt(square_a * square_b)


@njit(inline="always")
def _exact(query, other, shift, mode):
    """The distance at one shift, from differences point by point."""
    count = len(query) - abs(shift)
    a = query[max(0, -shift) : max(0, -shift) + count]
    b = other[max(0, shift) : max(0, shift) + count]
    mean_a, mean_b, scale_a, scale_b = 0.0, 0.0, 1.0, 1.0
    if mode == CORRELATION:
        mean_a, mean_b = np.mean(a), np.mean(b)
    if mode != SQUARED:
        power_a, power_b = 0.0, 0.0
        for point in range(count):
            power_a += (a[point] - mean_a) ** 2
            power_b += (b[point] - mean_b) ** 2
        scale_a, scale_b = 1 / np.sqrt(power_a), 1 / np.sqrt(power_b)
    total = 0.0
    for point in range(count):
        total += ((a[point] - mean_a) * scale_a - (b[point] - mean_b) * scale_b) ** 2
    return total * len(query) / count if mode == SQUARED else total / 2
