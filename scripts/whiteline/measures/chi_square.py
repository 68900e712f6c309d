"""Chi-square distance: the squared differences of two distributions over the sums of both.

With h the Hellinger distance it lies between 2 h^2 and 4 h^2.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, unit_sum_rows

MEASURE = Measure(
    name="Chi-square",
    reference="Puzicha, Hofmann, Buhmann, Proc. CVPR 267 (1997), doi 10.1109/CVPR.1997.609331",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=2,
    cost="one pass",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distributions over energy, shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    return unit_sum_rows(intensity)


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
    from whiteline.measures.kernels import tiles

    return tiles.chi_square(queries, library)
