"""Wasserstein-1 (earth mover's) distance: how far intensity must move, in eV, on average.

Between distributions on a line it is the area between their cumulative distributions. It grows in
proportion to a shift of the energy axis, and noise clipped at zero moves intensity far, so it
wants a clean background.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, cumulative_rows, energy_step

MEASURE = Measure(
    name="Wasserstein-1",
    reference="Vallender, Theory Probab. Appl. 18, 784 (1974), doi 10.1137/1118101",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=1,
    cost="one pass",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Cumulative distributions times the energy step (eV), shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    return cumulative_rows(intensity) * energy_step(energy)


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
    from whiteline.measures.kernels import tiles

    return tiles.absolute(queries, library)
