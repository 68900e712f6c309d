"""Finds the rigid energy shift that lays a query on a library spectrum.

Queries lie on the library's grid, extended on both sides by `margin` points. A shift by k steps is
then a window of the query and costs no interpolation. The shift of each pair is the one of
greatest correlation, so that every measure compares the same aligned pair.
"""

from __future__ import annotations

import numpy as np

# Shifts by one batch of queries at a time keep the temporary matrices small.
BATCH = 256
# Between two points of the grid, the best match may rank as low as this at the points themselves.
LIKELY = 100


def extended(grid: np.ndarray, margin: int) -> np.ndarray:
    """The uniform ``grid`` (eV) with ``margin`` points more on either side."""
    step = (grid[-1] - grid[0]) / (len(grid) - 1)
    return grid[0] + step * np.arange(-margin, len(grid) + margin)


def search_steps(limit: np.ndarray, step: float) -> np.ndarray:
    """Largest shift of the search in steps of the grid, from that in eV."""
    return np.floor(limit / step + 1e-6).astype(int)


def window(queries: np.ndarray, shift: int | np.ndarray, points: int) -> np.ndarray:
    """The part of each extended query that meets the library after ``shift`` steps upwards.

    Shapes: queries (n, points + 2 margin), shift a number or (n,), result (n, points).
    """
    margin = (queries.shape[1] - points) // 2
    start = margin - np.broadcast_to(shift, len(queries))
    return np.take_along_axis(queries, start[:, None] + np.arange(points), axis=1)


def correlate(
    queries: np.ndarray, library: np.ndarray, limit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best shift of every query onto every library spectrum, and the correlation there.

    Parameters
    ----------
    queries
        Extended queries, shape (n, points + 2 margin).
    library
        Shape (m, points).
    limit
        The largest shift allowed for each query, steps, shape (n,); at most the margin.

    Returns
    -------
    shift
        Steps by which the query moves up in energy, int16, shape (n, m). Among equals the least.
    similarity
        Pearson correlation at that shift, float32, shape (n, m).
    """
    points = library.shape[1]
    references = _standardised(library)
    shift = np.zeros((len(queries), len(library)), dtype=np.int16)
    similarity = np.full(shift.shape, -2, dtype=np.float32)
    for start in range(0, len(queries), BATCH):
        rows = slice(start, start + BATCH)
        largest = int(limit[rows].max(initial=0))
        for step in sorted(range(-largest, largest + 1), key=abs):
            moved = _standardised(window(queries[rows], step, points)) @ references.T
            moved[abs(step) > limit[rows]] = -2
            # A gain below rounding is no gain: it would make the shift depend on the machine.
            better = moved > similarity[rows] + 1e-6
            similarity[rows][better] = moved[better]
            shift[rows][better] = step
    return shift, similarity


def fraction(
    queries: np.ndarray, library: np.ndarray, shift: np.ndarray, similarity: np.ndarray
) -> np.ndarray:
    """The part of a step by which each query lies off the grid, from its best match between steps.

    The vertex of the parabola through the correlation at the best shift and its two neighbours, in
    steps, within +-0.5, shape (n,); of the library spectrum whose parabola is the highest, because
    off the grid a neighbour of the best match may win at the points themselves. Without a margin
    there are no neighbours, and it is 0.
    """
    points = library.shape[1]
    margin = (queries.shape[1] - points) // 2
    if margin == 0:
        return np.zeros(len(queries))
    references = _standardised(library)
    result = np.empty(len(queries))
    for row, query in enumerate(queries):
        likely = np.argsort(-similarity[row], kind="stable")[:LIKELY]
        at_best = np.clip(shift[row, likely], 1 - margin, margin - 1)
        copies = np.broadcast_to(query, (len(likely), len(query)))
        around = [
            (_standardised(window(copies, at_best + step, points)) * references[likely]).sum(1)
            for step in (-1, 0, 1)
        ]
        vertex, height = _parabola(*around)
        result[row] = vertex[height.argmax()]
    return result


def _parabola(
    low: np.ndarray, middle: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Place (within +-0.5) and height of the maxima of parabolas through values at -1, 0 and 1."""
    curvature = low - 2 * middle + high
    peaked = curvature < 0
    vertex = np.where(peaked, (low - high) / np.where(peaked, 2 * curvature, 1), 0.0)
    vertex = np.clip(vertex, -0.5, 0.5)
    return vertex, middle + (high - low) / 2 * vertex + curvature / 2 * vertex**2


def _standardised(spectra: np.ndarray) -> np.ndarray:
    centred = spectra - spectra.mean(1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    return (centred / np.where(norm > 0, norm, 1)).astype(np.float32)
