"""Squared euclidean distance: the sum of the squared differences."""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure

MEASURE = Measure(
    name="Squared euclidean",
    reference="Deza, Deza, Encyclopedia of Distances (2009), doi 10.1007/978-3-642-00234-2",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=2,
    cost="one pass",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """The spectra as they are, shape (n, points); preprocessing has normalised them."""
    return intensity


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances in squared units of intensity.

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

    return tiles.squared(queries, library)
