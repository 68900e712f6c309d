"""Correlation distance: one minus Pearson's correlation coefficient."""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, centred_unit_rows, one_minus_product

MEASURE = Measure(
    name="Pearson correlation",
    reference="Pearson, Proc. R. Soc. Lond. 58, 240 (1895), doi 10.1098/rspl.1895.0041",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=2,
    cost="matrix product",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectra of mean 0 and unit norm, shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has a constant signal.
    """
    return centred_unit_rows(intensity)


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
    return one_minus_product(queries, library)
