"""Shift-tolerant correlation: one minus the greatest Pearson correlation over rigid shifts.

Only the overlap counts, centred and normalised there; see `whiteline.measures.kernels.shifts`.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import centred_unit_rows, largest_shift, shift_tolerant

MEASURE = shift_tolerant("Shift-tolerant correlation", order=2)


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
    return shifts.least(queries, library, limit, shifts.CORRELATION)
