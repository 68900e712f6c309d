"""Cramer-von Mises distance: the euclidean distance of the cumulative distributions.

As in scipy, differences are integrated over energy, so it is the energy distance over sqrt 2 and
ranks alike; the test of that name integrates over the pooled distribution.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, cumulative_rows, energy_step

MEASURE = Measure(
    name="Cramer-von Mises",
    reference="Anderson, Ann. Math. Stat. 33, 1148 (1962), doi 10.1214/aoms/1177704477",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=1,
    cost="one pass",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Cumulative distributions times sqrt(energy step), shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    return cumulative_rows(intensity) * np.sqrt(energy_step(energy))


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances in sqrt(eV).

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

    return np.sqrt(tiles.squared(queries, library))
