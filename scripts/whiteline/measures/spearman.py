"""Spearman distance: one minus the correlation of the ranks of the intensities.

Only the order of the intensities counts. Where a spectrum is flat, noise decides the ranks, so the
region before the edge weighs as much as the white lines do.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, centred_unit_rows, half_squared_difference

MEASURE = Measure(
    name="Spearman correlation",
    reference="Spearman, Am. J. Psychol. 15, 72 (1904), doi 10.2307/1412159",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=2,
    cost="matrix product",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Ranks (ties share their mean) with mean 0 and unit norm, shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has a constant signal.
    """
    from scipy.stats import rankdata

    return centred_unit_rows(rankdata(intensity, axis=1))


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances between 0 and 2.

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, points) and (m, points).
    energy
        Grid, eV; not used.

    Returns
    -------
    ndarray of shape (n, m)
    """
    return half_squared_difference(queries, library)
