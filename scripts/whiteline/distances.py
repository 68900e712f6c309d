"""Distances between queries and library spectra, each pair at its own energy shift."""

from __future__ import annotations

import numpy as np

from whiteline.alignment import window
from whiteline.measures import BoundEnsemble, BoundMeasure

# The prepared copies of this many queries are kept at a time, and their distances.
BATCH = 64
# Spectra prepared at a time: preparing takes several copies in double precision.
CHUNK = 4096


def aligned_distances(
    measure: BoundMeasure | BoundEnsemble,
    queries: np.ndarray,
    library: np.ndarray,
    shift: np.ndarray,
    energy: np.ndarray,
) -> np.ndarray:
    """Distance of every query to every library spectrum, shape (n, m), float32.

    Parameters are those of `Distances` and its method `rows`.
    """
    return Distances(measure, library, energy).rows(queries, shift)


class Distances:
    """A measure and a library that is prepared once.

    Parameters
    ----------
    measure
        A measure with its parameters.
    library
        Shape (m, points).
    energy
        The library's grid, eV, shape (points,).
    """

    def __init__(
        self, measure: BoundMeasure | BoundEnsemble, library: np.ndarray, energy: np.ndarray
    ):
        self._measure, self._energy, self._size = measure, energy, len(library)
        members = measure.members or (measure,)
        self._prepared = [(member, _prepared(member, library, energy)) for member in members]

    def rows(self, queries: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Distance of every query to every library spectrum, each pair at its shift.

        A query is prepared once for each shift that any of its pairs asks for, and compared with
        the library spectra that ask for it. The members of an ensemble are combined when each has
        its distances to the whole library.

        Parameters
        ----------
        queries
            Extended queries (see `whiteline.alignment`), shape (n, points + 2 margin).
        shift
            Steps by which each query moves up for each library spectrum, shape (n, m).

        Returns
        -------
        ndarray of shape (n, m), float32
        """
        result = np.empty((len(queries), self._size), dtype=np.float32)
        for start in range(0, len(queries), BATCH):
            batch = slice(start, start + BATCH)
            parts = [
                self._batch(member, prepared, queries[batch], shift[batch])
                for member, prepared in self._prepared
            ]
            result[batch] = self._measure.combine(parts) if self._measure.members else parts[0]
        return result

    def _batch(
        self, member: BoundMeasure, library: np.ndarray, queries: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        energy = self._energy
        groups = [(row, *group) for row in range(len(queries)) for group in _groups(shift[row])]
        moved = window(
            queries[[row for row, _, _ in groups]],
            np.array([step for _, step, _ in groups], dtype=int),
            len(energy),
        )
        prepared = member.prepare(moved, energy)
        # Where each query has but one shift, all pairs are compared at once.
        if len(groups) == len(queries):
            return member.pairwise(prepared, library, energy)
        result = np.empty(shift.shape, dtype=np.float32)
        for one, (row, _, partners) in zip(prepared, groups, strict=True):
            alike = len(partners) == len(library)
            chosen = library if alike else library[partners]
            result[row, partners] = member.pairwise(one[None], chosen, energy)[0]
        return result


def _prepared(member: BoundMeasure, spectra: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectra as a measure prepares them, without copies of all of them in double precision."""
    first = member.prepare(spectra[:CHUNK], energy)
    if len(spectra) <= CHUNK:
        return first
    result = np.empty((len(spectra), *first.shape[1:]), dtype=first.dtype)
    result[:CHUNK] = first
    for start in range(CHUNK, len(spectra), CHUNK):
        result[start : start + CHUNK] = member.prepare(spectra[start : start + CHUNK], energy)
    return result


def _groups(shift: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The shifts that occur in a row (m,), each with the places where it does, ascending."""
    order = np.argsort(shift, kind="stable")
    starts = np.flatnonzero(np.diff(shift[order])) + 1
    return [(int(shift[places[0]]), places) for places in np.split(order, starts) if len(places)]
