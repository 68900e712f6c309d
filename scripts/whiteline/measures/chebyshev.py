"""Chebyshev distance: the largest difference."""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure

MEASURE = Measure(
    name="Chebyshev",
    reference="Deza, Deza, Encyclopedia of Distances (2009), doi 10.1007/978-3-642-00234-2",
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
    """Distances in units of intensity.

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
