"""Cosine distance: one minus the cosine of the angle between two spectra."""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, one_minus_product, unit_rows

MEASURE = Measure(
    name="Cosine",
    reference="Kruse et al., Remote Sens. Environ. 44, 145 (1993), doi "
    "10.1016/0034-4257(93)90013-N (its spectral angle is the arc cosine)",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=2,
    cost="matrix product",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectra of unit norm, shape (n, points).

    Raises
    ------
    InputError
        If a spectrum is zero throughout.
    """
    return unit_rows(intensity)


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
