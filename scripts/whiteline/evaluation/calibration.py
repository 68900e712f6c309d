"""Intervals and the limit of the library from test spectra with known truth (split conformal).

Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, J. Am. Stat. Assoc. 113, 1094 (2018),
doi 10.1080/01621459.2017.1307116. By groups: Vovk, Lindsay, Nouretdinov, Gammerman, Mondrian
confidence machine, On-line Compression Modelling project (2003).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COVERAGE = (0.68, 0.95)
# Of the calibration spectra, which do come from the library's model, this share counts as outside.
FALSE_ALARMS = 0.01


@dataclass(frozen=True)
class Calibration:
    """What test spectra with known truth say of others like them.

    Attributes
    ----------
    error
        Absolute errors of 10Dq of the n test spectra, eV, shape (n,).
    width
        Gaussian width of the library spectrum that each matched, eV, shape (n,).
    distance_limit
        Largest usual distance of the nearest library spectrum.
    """

    error: np.ndarray
    width: np.ndarray
    distance_limit: float

    def radius(self, width: np.ndarray) -> np.ndarray:
        """Half widths (eV) of the intervals of spectra whose matches have these Gaussian widths.

        An interval holds the truth of a further spectrum of the same kind with a probability of at
        least ``COVERAGE``. Each width is calibrated by the test spectra that matched it (Mondrian
        conformal prediction), because a poorly resolved spectrum says less of 10Dq; those that are
        not known, NaN, count as one. Where they are
        too few for a coverage, fewer than 19 for 95 %, or none, the radius is infinite: nothing
        is claimed.

        Shapes: width (m,), result (m, coverages).
        """
        radius = np.full((len(width), len(COVERAGE)), np.inf)
        for value in np.unique(width):
            alike = self.error[np.isclose(self.width, value, equal_nan=True)]
            own = np.isclose(width, value, rtol=0, atol=0, equal_nan=True)
            radius[own] = [_quantile(alike, level) for level in COVERAGE]
        return radius


def calibrate(error: np.ndarray, distance: np.ndarray, width: np.ndarray) -> Calibration:
    """Calibration from n test spectra.

    Parameters
    ----------
    error
        Errors of 10Dq, eV, NaN where none was estimated, shape (n,).
    distance
        Distances of the nearest library spectra, shape (n,). The limit is at most the largest:
        with n < 99 it is exceeded by 1 of n + 1.
    width
        Gaussian widths of the matched library spectra, eV, shape (n,).
    """
    limit = min(_quantile(distance, 1 - FALSE_ALARMS), distance.max())
    # No estimate of 10Dq is worse than any.
    return Calibration(np.where(np.isnan(error), np.inf, np.abs(error)), width, float(limit))


def _quantile(values: np.ndarray, level: float) -> float:
    # The next spectrum counts among the n + 1; rounding must not lift 20 * 0.95 above 19.
    rank = int(np.ceil((len(values) + 1) * level - 1e-9))
    return float(np.sort(values)[rank - 1]) if rank <= len(values) else np.inf
