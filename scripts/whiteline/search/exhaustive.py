"""Measures without a bound: every pair is compared by the measure itself."""

from __future__ import annotations

import numpy as np

from whiteline.search.base import Asked, Index


class Exhaustive(Index):
    """Search by comparison with the whole library; scores are the distances."""

    def _fit(self, library: np.ndarray) -> None:
        self._library = library

    def _ask(self, queries: np.ndarray) -> Asked:
        return Asked(self.measure.pairwise(queries, self._library, self.energy))

    def _ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        return distance

    def _distances(
        self, asked: Asked, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        segments = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        ranges = (len(starts) - 1) // len(asked.scores)
        return asked.scores[segments // ranges, columns]
