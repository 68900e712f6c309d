"""Mean of the nearest library spectra, weighted by distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whiteline.errors import InputError
from whiteline.estimators.base import DistanceEstimator, weighted_means


@dataclass
class Estimator(DistanceEstimator):
    """k nearest neighbours with weights 1 / distance (Dudani, IEEE Trans. SMC 6, 325 (1976)).

    The valence is the one with the greatest weight among the k nearest of the whole library; the
    parameters are the weighted means over the k nearest simulations of that valence.

    Parameters
    ----------
    neighbors
        Number of neighbours k.
    """

    neighbors: int = 10

    def _values(
        self, squared: np.ndarray, known: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        nearest, weight = self._neighbours(squared)
        return weighted_means(weight, {name: values[nearest] for name, values in known.items()})

    def _choice(self, distance: np.ndarray, nearest: np.ndarray, misfit: np.ndarray) -> np.ndarray:
        found, weight = self._neighbours(self._squared(distance))
        valence = self.library_.valence[found]
        votes = [(weight * (valence == candidate)).sum(1) for candidate in self.candidates_]
        return np.argmax(votes, axis=0)

    def _neighbours(self, squared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.neighbors < 1:
            raise InputError(f"k_nearest: neighbors is {self.neighbors}; at least 1 is needed")
        count = min(self.neighbors, squared.shape[1])
        nearest = np.argsort(squared, axis=1, kind="stable")[:, :count]
        distance = np.sqrt(np.take_along_axis(squared, nearest, axis=1))
        # A library spectrum itself would get infinite weight; this caps it.
        floor = 1e-6 * distance.max(1, initial=0, where=np.isfinite(distance), keepdims=True)
        return nearest, 1 / np.maximum(distance, np.maximum(floor, 1e-12))
