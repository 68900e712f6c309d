"""Intervals and the limit of the library from test spectra with known truth (split conformal).

Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, J. Am. Stat. Assoc. 113, 1094 (2018),
doi 10.1080/01621459.2017.1307116.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COVERAGE = (0.68, 0.95)
# Of the calibration spectra, which do come from the library's model, this share counts as outside.
FALSE_ALARMS = 0.01


@dataclass(frozen=True)
class Calibration:
    """Half widths of the intervals of 10Dq (eV), one per `COVERAGE`, and the largest usual
    distance.
    """

    radius: np.ndarray
    distance_limit: float


def calibrate(error: np.ndarray, distance: np.ndarray) -> Calibration:
    """Calibration from the errors of 10Dq (eV) and nearest distances of n test spectra.

    An interval of half width ``radius[c]`` holds the truth of a further spectrum of the same kind
    with a probability of at least ``COVERAGE[c]``. It says nothing for spectra of another kind.
    Too few test spectra for a coverage, fewer than 19 for 95 %, leave its radius infinite. The
    limit of the distance is at most the largest: with n < 99 it is exceeded by 1 of n + 1.
    """
    radius = [_quantile(np.abs(error), level) for level in COVERAGE]
    limit = min(_quantile(distance, 1 - FALSE_ALARMS), distance.max())
    return Calibration(np.array(radius), float(limit))


def uncalibrated() -> Calibration:
    """Where the study names no calibration scenario: unknown intervals, nothing is outside."""
    return Calibration(np.full(len(COVERAGE), np.nan), np.inf)


def _quantile(values: np.ndarray, level: float) -> float:
    # The next spectrum counts among the n + 1; rounding must not lift 20 * 0.95 above 19.
    rank = int(np.ceil((len(values) + 1) * level - 1e-9))
    return float(np.sort(values)[rank - 1]) if rank <= len(values) else np.inf
