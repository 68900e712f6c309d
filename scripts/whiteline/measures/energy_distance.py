"""Energy distance: sqrt 2 times the euclidean distance of the cumulative distributions.

Called after statistical, not spectral, energy; as in scipy it is the root of the squared one.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, cumulative_rows, energy_step

MEASURE = Measure(
    name="Energy distance",
    reference="Szekely, Rizzo, J. Stat. Plan. Inference 143, 1249 (2013), doi "
    "10.1016/j.jspi.2013.03.018",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=1,
    cost="one pass",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Cumulative distributions times sqrt(2 energy step), shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    return cumulative_rows(intensity) * np.sqrt(2 * energy_step(energy))


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
