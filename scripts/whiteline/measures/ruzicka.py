"""Ruzicka distance: one minus the sum of the lesser values over the sum of the greater ones.

The sums of lesser and greater values are half of what the spectra add up to, less and more half of
their city-block distance. As a metric it also goes by the names of Soergel and of Jaccard.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, unit_sum_rows

MEASURE = Measure(
    name="Ruzicka",
    reference="Deza, Deza, Encyclopedia of Distances (2009), doi 10.1007/978-3-642-00234-2",
    symmetric=True,
    is_metric=True,
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
    apart = tiles.absolute(queries, library)
    return 2 * apart / (total + apart)
