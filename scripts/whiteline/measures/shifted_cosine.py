"""Shift-tolerant cosine: one minus the greatest cosine over rigid shifts.

Only the overlap counts, normalised there; see `whiteline.measures.kernels.shifts`.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import largest_shift, shift_tolerant, unit_rows

MEASURE = shift_tolerant("Shift-tolerant cosine", order=2)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectra of unit norm, shape (n, points).

    Raises
    ------
    InputError
        If a spectrum is zero throughout.
    """
    return unit_rows(intensity)


def pairwise(
    queries: np.ndarray, library: np.ndarray, energy: np.ndarray, *, max_shift: float = 1.0
) -> np.ndarray:
    """Distances between 0 and 2, shape (n, m).

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, points) and (m, points).
    energy
        Grid, eV, shape (points,).
    max_shift
        Largest rigid shift either way, eV; `largest_shift` says what is refused.
    """
    from whiteline.measures.kernels import shifts

    limit = largest_shift(max_shift, energy)
    return shifts.least(queries, library, limit, shifts.COSINE)
