"""The parameters of the nearest library spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whiteline.estimators.base import DistanceEstimator


@dataclass
class Estimator(DistanceEstimator):
    """Nearest neighbour; its resolution is the library's grid."""

    def _ten_dq(self, squared: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return self.library_.ten_dq[rows[squared.argmin(1)]]
