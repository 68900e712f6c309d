"""Hellinger distance: euclidean distance of the square roots of two distributions over sqrt 2."""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, one_minus_product, unit_sum_rows

MEASURE = Measure(
    name="Hellinger",
    reference="Hellinger, J. Reine Angew. Math. 136, 210 (1909), doi 10.1515/crll.1909.136.210",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=1,
    cost="matrix product",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Square roots of the distributions over energy, of unit norm; shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    return np.sqrt(unit_sum_rows(intensity))


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
    return np.sqrt(np.maximum(one_minus_product(queries, library), 0))
