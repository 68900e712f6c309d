"""Minkowski distance: the p-th root of the summed p-th powers of the differences.

p = 1 is the city-block distance and p = 2 the euclidean one, which have kinds of their own. p = 3
is fast; other powers go through scipy, some hundred times slower.
"""

from __future__ import annotations

import numpy as np

from whiteline.errors import InputError
from whiteline.measures.base import Measure

MEASURE = Measure(
    name="Minkowski",
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


def pairwise(
    queries: np.ndarray, library: np.ndarray, energy: np.ndarray, *, power: float = 3.0
) -> np.ndarray:
    """Distances in units of intensity.

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, points) and (m, points).
    energy
        Grid, eV, shape (points,).
    power
        The exponent p.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    InputError
        If the power is below 1 or infinite.
    """
    if not 1 <= power < np.inf:
        raise InputError(f"power is {power}; it must be 1 or more and finite")
    if power == 3:
        from whiteline.measures.kernels import tiles

        return np.cbrt(tiles.cubed(queries, library))
    from scipy.spatial.distance import cdist

    return cdist(queries, library, "minkowski", p=power)
