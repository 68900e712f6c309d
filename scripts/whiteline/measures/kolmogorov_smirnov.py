"""Kolmogorov-Smirnov distance: the largest difference of the cumulative distributions."""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, cumulative_rows

MEASURE = Measure(
    name="Kolmogorov-Smirnov",
    reference="Massey, J. Am. Stat. Assoc. 46, 68 (1951), doi 10.1080/01621459.1951.10500769",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=1,
    cost="one pass",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Cumulative distributions, shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    return cumulative_rows(intensity)


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances between 0 and 1.

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
    from whiteline.measures.kernels import largest

    return largest.differences(queries, library)
