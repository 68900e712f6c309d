"""Shift-tolerant euclidean distance: the least over rigid shifts.

Only the overlap counts, its mean square taken for all points; see
`whiteline.measures.kernels.shifts`.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import largest_shift, shift_tolerant

MEASURE = shift_tolerant("Shift-tolerant euclidean", order=1)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """The spectra as they are, shape (n, points); preprocessing has normalised them."""
    return intensity


def pairwise(
    queries: np.ndarray, library: np.ndarray, energy: np.ndarray, *, max_shift: float = 1.0
) -> np.ndarray:
    """Distances in units of intensity, shape (n, m).

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
    return np.sqrt(shifts.least(queries, library, limit, shifts.SQUARED))
