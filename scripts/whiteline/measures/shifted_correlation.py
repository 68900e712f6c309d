"""Shift-tolerant correlation: one minus the greatest Pearson correlation over rigid shifts.

At each shift only the overlap counts, centred and normalised there: no values are made up beyond
the ends. A shift that brings features out of the window is therefore not punished; keep
``max_shift`` small against the distance of the features from the ends.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, centred_unit_rows, largest_shift

MEASURE = Measure(
    name="Shift-tolerant correlation",
    reference="after the cross-correlation of de Gelder, Wehrens, Hageman, J. Comput. Chem. "
    "22, 273 (2001), doi 10.1002/1096-987X(200102)22:3<273::AID-JCC1001>3.0.CO;2-0",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=True,
    order=2,
    cost="points by shifts",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectra of mean 0 and unit norm, shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has a constant signal.
    """
    return centred_unit_rows(intensity)


def pairwise(
    queries: np.ndarray, library: np.ndarray, energy: np.ndarray, *, max_shift: float = 1.0
) -> np.ndarray:
    """Distances between 0 and 2.

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, points) and (m, points).
    energy
        Grid, eV, shape (points,).
    max_shift
        Largest rigid shift either way, eV.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    InputError
        If the shift is negative or more than half the grid.
    """
    from whiteline.measures.kernels import shifts

    limit = largest_shift(max_shift, energy)
    return shifts.least(queries, library, limit, shifts.CORRELATION)
