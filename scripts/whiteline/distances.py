"""Distances between queries and library spectra, each pair at its own energy shift."""

from __future__ import annotations

import numpy as np

from whiteline.alignment import window
from whiteline.measures import BoundEnsemble, BoundMeasure

# The prepared copies of this many queries are kept at a time.
BATCH = 32


def aligned_distances(
    measure: BoundMeasure | BoundEnsemble,
    queries: np.ndarray,
    library: np.ndarray,
    shift: np.ndarray,
    energy: np.ndarray,
) -> np.ndarray:
    """Distance of every query to every library spectrum.

    A query is prepared once for each shift that any of its pairs asks for, and compared with the
    library spectra that ask for it. The members of an ensemble are combined when each has its
    distances to the whole library.

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
    if measure.members:
        parts = [
            aligned_distances(member, queries, library, shift, energy)
            for member in measure.members
        ]
        return measure.combine(parts).astype(np.float32)
    prepared_library = measure.prepare(library, energy)
    result = np.empty(shift.shape, dtype=np.float32)
    for start in range(0, len(queries), BATCH):
        groups = [
            (row, *group)
            for row in range(start, min(start + BATCH, len(queries)))
            for group in _groups(shift[row])
        ]
        moved = window(
            queries[[row for row, _, _ in groups]],
            np.array([step for _, step, _ in groups], dtype=int),
            len(energy),
        )
        for prepared, (row, _, partners) in zip(
            measure.prepare(moved, energy), groups, strict=True
        ):
            alike = len(partners) == len(prepared_library)
            chosen = prepared_library if alike else prepared_library[partners]
            result[row, partners] = measure.pairwise(prepared[None], chosen, energy)[0]
    return result


def _groups(shift: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The shifts that occur in a row (m,), each with the places where it does, ascending."""
    order = np.argsort(shift, kind="stable")
    starts = np.flatnonzero(np.diff(shift[order])) + 1
    return [(int(shift[places[0]]), places) for places in np.split(order, starts) if len(places)]
