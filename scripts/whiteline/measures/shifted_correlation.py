"""Shift-tolerant correlation: one minus the greatest Pearson correlation over rigid shifts.

At each shift the correlation is that of the overlap alone, centred and normalised there: no values
are made up beyond the ends. A shift that brings features out of the window is therefore not
punished; keep ``max_shift`` small against the distance of the features from the ends.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from whiteline.errors import InputError
from whiteline.measures.base import Measure, centred_unit_rows, steps

MEASURE = Measure(
    name="Shift-tolerant correlation",
    reference="after the cross-correlation of de Gelder, Wehrens, Hageman, "
    "J. Comput. Chem. 22, 273 (2001), "
    "doi 10.1002/1096-987X(200102)22:3<273::AID-JCC1001>3.0.CO;2-0",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=True,
    order=2,
)

# An overlap with less than this part of a spectrum's power is flat but for rounding. It stands
# here because numba's cache does not notice a constant that changes in another file.
FLAT = 1e-12


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Centred spectra of unit norm with the running sums of themselves and of their squares.

    The sums give mean and norm of any overlap at once.

    Returns
    -------
    ndarray of shape (n, 3, points)

    Raises
    ------
    InputError
        If a spectrum has a constant signal.
    """
    rows = centred_unit_rows(intensity)
    return np.stack([rows, np.cumsum(rows, axis=1), np.cumsum(rows**2, axis=1)], axis=1)


def pairwise(
    queries: np.ndarray, library: np.ndarray, energy: np.ndarray, *, max_shift: float = 1.0
) -> np.ndarray:
    """Distances between 0 and 2.

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, 3, points) and (m, 3, points).
    energy
        Uniform grid, eV, shape (points,).
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
    limit = steps(max_shift, energy, "max_shift")
    if limit > len(energy) // 2:
        raise InputError(
            f"max_shift is {max_shift} eV, which leaves less than half of the grid's "
            f"{energy[-1] - energy[0]:.1f} eV to compare"
        )
    out = np.empty((len(queries), len(library)))
    _greatest(np.ascontiguousarray(queries), np.ascontiguousarray(library), limit, out)
    return np.maximum(1 - out, 0)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _greatest(queries, library, limit, out):
    for row in range(len(queries)):
        for column in range(len(library)):
            best = -1.0
            for shift in range(limit + 1):
                up = _overlap_correlation(queries[row], library[column], shift)
                down = _overlap_correlation(library[column], queries[row], shift)
                best = max(best, up, down)
            out[row, column] = best


@njit(inline="always")
def _overlap_correlation(lower, upper, shift):
    """Correlation of the first points of ``lower`` with the last ones of ``upper``."""
    points = lower.shape[1]
    count = points - shift
    product = 0.0
    for point in range(count):
        product += lower[0, point] * upper[0, point + shift]
    lower_sum, lower_square = lower[1, count - 1], lower[2, count - 1]
    upper_sum, upper_square = upper[1, points - 1], upper[2, points - 1]
    if shift > 0:
        upper_sum -= upper[1, shift - 1]
        upper_square -= upper[2, shift - 1]
    lower_power = lower_square - lower_sum * lower_sum / count
    upper_power = upper_square - upper_sum * upper_sum / count
    # An overlap in which one spectrum is flat shows nothing.
    if lower_power <= FLAT or upper_power <= FLAT:
        return -1.0
    return (product - lower_sum * upper_sum / count) / np.sqrt(lower_power * upper_power)
