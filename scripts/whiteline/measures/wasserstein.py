"""Wasserstein-1 (earth mover's) distance: how far intensity must move, in eV, on average.

Between distributions on a line it is the area between their cumulative distributions. It grows in
proportion to a shift of the energy axis, and noise clipped at zero moves intensity far, so it
wants a clean background.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from whiteline.measures.base import Measure, energy_step, unit_sum_rows

MEASURE = Measure(
    name="Wasserstein-1",
    reference="Vallender, Theory Probab. Appl. 18, 784 (1974), doi 10.1137/1118101",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=1,
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Cumulative distributions times the energy step (eV), shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    return np.cumsum(unit_sum_rows(intensity), axis=1) * energy_step(energy)


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances in eV.

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
    return cdist(queries, library, "cityblock")
