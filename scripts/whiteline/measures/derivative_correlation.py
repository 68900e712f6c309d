"""Derivative correlation distance: one minus Pearson's correlation of the first derivatives.

A sloping background adds only a constant to the derivative, which centring removes.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import savgol_filter

from whiteline.errors import InputError
from whiteline.measures.base import (
    Measure,
    centred_unit_rows,
    energy_step,
    one_minus_product,
    steps,
)

MEASURE = Measure(
    name="Derivative correlation",
    reference="Savitzky, Golay, Anal. Chem. 36, 1627 (1964), doi 10.1021/ac60214a047",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=2,
)


def prepare(
    intensity: np.ndarray, energy: np.ndarray, *, window: float = 1.0, polynomial: int = 2
) -> np.ndarray:
    """Smoothed first derivatives of mean 0 and unit norm, shape (n, points).

    Parameters
    ----------
    intensity
        Spectra, shape (n, points).
    energy
        Uniform grid, eV, shape (points,).
    window
        Width of the filter, eV; the nearest odd number of points is used.
    polynomial
        Degree of the polynomial fitted in the window.

    Raises
    ------
    InputError
        If the window holds too few points for the polynomial or more than the spectrum has, or if
        a spectrum is constant or a straight line.
    """
    points = 2 * (steps(window, energy, "window") // 2) + 1
    if polynomial < 1:
        raise InputError(f"polynomial is {polynomial}; a derivative needs 1 or more")
    if not polynomial < points <= len(energy):
        raise InputError(
            f"a window of {window} eV is {points} points wide on this grid; it must have more "
            f"than {polynomial} (the polynomial's degree) and at most {len(energy)}"
        )
    # The filter refuses an empty set, and the derivative of a constant is rounding, not zero.
    if not len(centred_unit_rows(intensity)):
        return np.empty_like(intensity)
    step = energy_step(energy)
    return centred_unit_rows(savgol_filter(intensity, points, polynomial, deriv=1, delta=step))


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances between 0 and 2.

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
    return one_minus_product(queries, library)
