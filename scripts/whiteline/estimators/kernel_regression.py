"""Mean of the library spectra, weighted by their similarity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whiteline.errors import InputError
from whiteline.estimators.base import DistanceEstimator, weighted_means

# Keeps similarities finite where the nearest spectra are equally far.
TINY = 1e-30


@dataclass
class Estimator(DistanceEstimator):
    """Kernel regression: means weighted by the similarity exp(-d^2 / 2 h^2) (Nadaraya, Theory
    Probab. Appl. 9, 141 (1964), doi 10.1137/1109020; Watson, Sankhya A 26, 359 (1964)).

    Only differences of squared distances matter, as the weights add up to one: the distance that
    noise puts between a query and every library spectrum cancels. The bandwidth h of a query is
    found from how much farther its k-th neighbour lies than its nearest, or from its noise where
    that is more: what is left of n points by the best match, d_1^2, tells their variance, and with
    h^2 = d_1^2 / n the weights are the likelihoods of the library spectra, so that the mean is
    that of the posterior, the best there is for a mean square error.

    Parameters
    ----------
    neighbors
        Which neighbour of a valence sets the least bandwidth, h^2 = d_k^2 - d_1^2; at least 2.
        More blur the library: with 10 in place of 3, errors of 10Dq doubled.
    bandwidth
        h itself, the same for all queries, in units of the measure (of its square root, where the
        measure grows as a square); 0 leaves it to ``neighbors`` and the noise.
    """

    neighbors: int = 3
    bandwidth: float = 0.0

    def _values(
        self, squared: np.ndarray, known: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        return weighted_means(self._similarity(squared), known)

    def _similarity(self, squared: np.ndarray) -> np.ndarray:
        if self.neighbors < 2 or self.bandwidth < 0:
            raise InputError(
                f"kernel_regression: neighbors is {self.neighbors} and bandwidth "
                f"{self.bandwidth:g}; they must be at least 2 and 0"
            )
        excess = squared - squared.min(1, keepdims=True)
        width = self.bandwidth**2
        if width == 0:
            last = min(self.neighbors, excess.shape[1]) - 1
            width = np.partition(excess, last, axis=1)[:, last : last + 1]
            if self.library_.energy is not None:
                noise = squared.min(1, keepdims=True) / len(self.library_.energy)
                width = np.maximum(width, noise)
        with np.errstate(invalid="ignore"):
            similarity = np.exp(-excess / (2 * np.maximum(width, TINY)))
        return np.where(np.isfinite(excess), similarity, 0.0)
