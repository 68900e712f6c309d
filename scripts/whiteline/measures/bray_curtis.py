"""Bray-Curtis dissimilarity: the summed differences over the sum of both spectra."""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, unit_sum_rows

MEASURE = Measure(
    name="Bray-Curtis",
    reference="Bray, Curtis, Ecol. Monogr. 27, 325 (1957), doi 10.2307/1942268",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=1,
    cost="one pass",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """The spectra as they are, shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    unit_sum_rows(intensity)
    return intensity


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
    from whiteline.measures.kernels import tiles

    total = queries.sum(axis=1)[:, None] + library.sum(axis=1)
    return tiles.absolute(queries, library) / total
