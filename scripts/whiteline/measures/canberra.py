"""Canberra distance: the sum of the differences, each relative to the sum of the two values.

Every point weighs the same however small the signal is there, so noise beside the lines counts as
much as the lines do.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure

MEASURE = Measure(
    name="Canberra",
    reference="Lance, Williams, Comput. J. 9, 60 (1966), doi 10.1093/comjnl/9.1.60",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=1,
    cost="one pass",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """The spectra as they are, shape (n, points); preprocessing has normalised them."""
    return intensity


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances between 0 and the number of points.

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

    return tiles.canberra(queries, library)
