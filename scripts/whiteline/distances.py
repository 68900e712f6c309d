"""Distances between queries and library spectra, each pair at its own energy shift."""

from __future__ import annotations

import numpy as np

from whiteline.alignment import window
from whiteline.measures import BoundMeasure

# The prepared copies of this many queries are kept at a time.
BATCH = 32


def aligned_distances(
    measure: BoundMeasure,
    queries: np.ndarray,
    library: np.ndarray,
    shift: np.ndarray,
    energy: np.ndarray,
) -> np.ndarray:
    """Distance of every query to every library spectrum.

    A query is prepared once for each shift that any of its pairs asks for, and compared with the
    library spectra that ask for it.

    Parameters
    ----------
    measure
        A measure with its parameters.
    queries
        Extended queries (see `whiteline.alignment`), shape (n, points + 2 margin).
    library
        Shape (m, points).
    shift
        Steps by which each query moves up for each library spectrum, shape (n, m).
    energy
        The library's grid, eV, shape (points,).

    Returns
    -------
    ndarray of shape (n, m), float32
    """
    points = len(energy)
    prepared_library = measure.prepare(library, energy)
    result = np.empty(shift.shape, dtype=np.float32)
    for start in range(0, len(queries), BATCH):
        rows = np.arange(start, min(start + BATCH, len(queries)))
        groups = [
            (row, step, shift[row] == step) for row in rows for step in np.unique(shift[row])
        ]
        moved = window(
            queries[[row for row, _, _ in groups]],
            np.array([step for _, step, _ in groups]),
            points,
        )
        for prepared, (row, _, partners) in zip(
            measure.prepare(moved, energy), groups, strict=True
        ):
            result[row, partners] = measure.pairwise(
                prepared[None], prepared_library[partners], energy
            )[0]
    return result
