"""The least distance over rigid shifts, each computed from the overlap of two spectra.

No values are made up beyond the ends. A shift that brings features out of the window is therefore
not punished; the largest shift should be small against the distance of the features from the ends.

The products of a query, moved by each shift, with the library are matrix products, and mean and
scale of the overlaps make distances of them. For many pairs the products are taken in the space of
the library's principal components: what the library has none of can't change a product. The shift
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
# Queries whose products are taken at a time, and library spectra that give the components.
BATCH, SAMPLE = 4, 512
BLOCK = 256  # library spectra whose overlaps stay in the second-level cache


def least(queries: np.ndarray, library: np.ndarray, limit: int, mode: int) -> np.ndarray:
    """Least distance over shifts up to ``limit`` steps either way, shape (n, m).

    Spectra of shapes (n, points) and (m, points); by ``mode`` the mean squared difference times
    the number of points, one minus the cosine, or one minus the correlation, of the overlap.
    """
    queries, library = np.ascontiguousarray(queries), np.ascontiguousarray(library)
    out = np.empty((len(queries), len(library)), dtype=queries.dtype)
    if not out.size:
        return out
    points = queries.shape[1]
    # In order of their size, so that among equals the least shift is taken.
    moves = np.array(sorted(range(-limit, limit + 1), key=abs))
    basis = _basis(library, out.size * points * len(moves))
    reference = np.ascontiguousarray((library if basis is None else library @ basis).T)
    own = _overlaps(queries, moves, mode)
    others = _overlaps(library, -moves, mode)
    # A query at each shift, zero beyond its ends; shift s brings its point p to p + s.
    padded = np.zeros((len(queries), points + 2 * limit), queries.dtype)
    padded[:, limit : limit + points] = queries
    windows = np.lib.stride_tricks.sliding_window_view(padded, points, axis=1)
    products = np.empty((min(BATCH, len(queries)) * len(moves), len(library)), queries.dtype)
    for start in range(0, len(queries), BATCH):
        rows = np.arange(start, min(start + BATCH, len(queries)))
        moved = windows[rows[:, None], limit - moves].reshape(-1, points)
        part = products[: len(moved)]
        np.matmul(moved if basis is None else moved @ basis, reference, out=part)
        part = part.reshape(len(rows), len(moves), -1)
        _choose(queries[rows], library, part, moves, own[:, :, rows], others, mode, out[rows[0] :])
    return out


def _basis(library: np.ndarray, work: float) -> np.ndarray | None:
    """The library's leading principal components (points, RANK), where they pay."""
    if work < WORTHWHILE or min(library.shape) < 2 * RANK:
        return None
    sample = library[:: -(-len(library) // SAMPLE)]
    # The seed does not matter: two power iterations leave no more than the spectrum's tail.
    sketch = np.random.default_rng(0).normal(size=(library.shape[1], RANK + 16))
    sketch = sketch.astype(library.dtype)
    for _ in range(2):
        sketch = np.linalg.qr(sample.T @ (sample @ sketch))[0]
    small = sample @ sketch
    values, vectors = np.linalg.eigh(small.T @ small)
    return np.ascontiguousarray(sketch @ vectors[:, values.argsort()[-RANK:]])


def _overlaps(spectra: np.ndarray, moves: np.ndarray, mode: int) -> np.ndarray:
    """Mean, scale and power of the points that stay on the grid; (3, shifts, n).

    Less its mean and times its scale, an overlap is what the distance compares. The power is that
    of what is compared less one, or very great where an overlap is flat and shows nothing.
    """
    points, limit = spectra.shape[1], int(np.abs(moves).max())
    total = _kept(spectra, spectra.sum(axis=1, dtype=float), moves, limit, 1)
    square = _kept(spectra, np.einsum("ij,ij->i", spectra, spectra), moves, limit, 2)
    count = (points - np.abs(moves))[:, None]
    if mode == SQUARED:
        scale = np.broadcast_to(np.sqrt(points / count), square.shape)
        return np.stack([0 * total, scale, square * points / count - 1]).astype(spectra.dtype)
    mean = total / count if mode == CORRELATION else 0 * total
    power = square - count * mean**2
    flat = power <= FLAT
    scale = np.where(flat, 0, 1 / np.sqrt(np.where(flat, 1, power)))
    return np.stack([mean, scale, np.where(flat, FAR, 0)]).astype(spectra.dtype)


def _kept(
    spectra: np.ndarray, total: np.ndarray, moves: np.ndarray, limit: int, power: int
) -> np.ndarray:
    """Of the total (n,) of a power of the values what stays on the grid, shape (shifts, n)."""
    head, tail = (
        _sums(part.astype(float) ** power)
        for part in (spectra[:, :limit], spectra[:, ::-1][:, :limit])
    )
    lost = np.where(moves > 0, tail[:, np.maximum(moves, 0)], head[:, np.maximum(-moves, 0)])
    return np.ascontiguousarray((total[:, None] - lost).T)


def _sums(rows: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, ... k values of rows (n, k), shape (n, k + 1)."""
    sums = np.zeros((len(rows), rows.shape[1] + 1))
    np.cumsum(rows, axis=1, out=sums[:, 1:])
    return sums


@njit(**COMPILE)
def _choose(queries, library, products, moves, own, others, mode, out):
    best, value = np.empty(BLOCK, np.int32), np.empty(BLOCK, queries.dtype)
    for start in range(0, len(library), BLOCK):
        size = min(BLOCK, len(library) - start)
        for row in range(len(queries)):
            best[:], value[:] = 0, -FAR
            _compare(
                products[row],
                own[:, :, row],
                others,
                queries.shape[1],
                moves,
                start,
                best[:size],
                value,
            )
            for place in range(size):
                column = start + place
                out[row, column] = _at(
                    queries[row],
                    library[column],
                    moves,
                    own[:, :, row],
                    others[:, :, column],
                    best[place],
                    mode,
                )


@njit(inline="always")
def _compare(products, own, others, points, moves, start, best, value):
    """The place of the best shift for each library spectrum of a block, left in ``best``."""
    for place in range(len(moves)):
        count, two = best.dtype.type(points - abs(moves[place])), value.dtype.type(2)
        mean, scale, power = (
            own[0, place] * value.dtype.type(count),
            own[1, place] * two,
            own[2, place],
        )
        row, means = products[place, start:], others[0, place, start:]
        scales, powers = others[1, place, start:], others[2, place, start:]
        for column in range(len(best)):
            # Two less the squared distance.
            alike = (row[column] - mean * means[column]) * scale * scales[column]
            alike -= power + powers[column]
            better = alike > value[column]
            value[column] = alike if better else value[column]
            best[column] = place if better else best[column]


@njit(inline="always")
def _at(query, other, moves, own, others, place, mode):
    """The distance at one of the shifts."""
    if own[1, place] * others[1, place] == 0:
        # Flat at every shift.
        return query.dtype.type(2)
    total = _squared(
        query,
        other,
        moves[place],
        own[0, place],
        own[1, place],
        others[0, place],
        others[1, place],
    )
    return total if mode == SQUARED else total / query.dtype.type(2)


@njit(inline="always")
def _squared(query, other, shift, mean, scale, other_mean, other_scale):
    """The squared distance at one shift, from differences point by point."""
    count = len(query) - abs(shift)
    start, other_start = max(0, -shift), max(0, shift)
    total = query.dtype.type(0)
    for point in range(count):
        a = (query[start + point] - mean) * scale
        b = (other[other_start + point] - other_mean) * other_scale
        total += (a - b) * (a - b)
    return total
