"""The parameters of the nearest library spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whiteline.estimators.base import DistanceEstimator


@dataclass
class Estimator(DistanceEstimator):
    """Nearest neighbour; its resolution is the library's grid."""

    def _values(
        self, squared: np.ndarray, known: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        return {name: values[squared.argmin(1)] for name, values in known.items()}
