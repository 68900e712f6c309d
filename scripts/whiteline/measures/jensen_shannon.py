"""Jensen-Shannon distance: square root of the mean divergence from the two spectra's average.

The square root is a metric (Endres, Schindelin, IEEE Trans. Inf. Theory 49, 1858 (2003),
doi 10.1109/TIT.2003.813506). With natural logarithms it lies between 0 and sqrt(ln 2).

The divergence is entropy of the average minus average of the entropies, so one logarithm per pair
and point is enough. The difference of entropies is exact to about 1e-16; distances below 1e-7 are
rounding. The distance grows as x with a small change x, but as sqrt(x) where a spectrum is zero.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from whiteline.measures.base import Measure, unit_sum_rows

MEASURE = Measure(
    name="Jensen-Shannon",
    reference="Lin, IEEE Trans. Inf. Theory 37, 145 (1991), doi 10.1109/18.61115",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=1,
)

LN2 = float(np.log(2))
# Added before taking a logarithm, so that 0 log 0 is 0.
TINY = 1e-300
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
EXPONENT_MASK = -(1 << 52)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distributions p over energy and, in the last column, sum p ln p; shape (n, points + 1).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    distribution = unit_sum_rows(intensity)
    entropy = (distribution * np.log(distribution + TINY)).sum(axis=1)
    return np.column_stack([distribution, entropy])


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances between 0 and sqrt(ln 2).

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, points + 1) and (m, points + 1).
    energy
        Grid, eV; not used.

    Returns
    -------
    ndarray of shape (n, m)
    """
    out = np.empty((len(queries), len(library)))
    _divergences(np.ascontiguousarray(queries), np.ascontiguousarray(library), out)
    return np.sqrt(np.maximum(out, 0, out=out), out=out)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _divergences(queries, library, out):
    points = queries.shape[1] - 1
    for row in range(queries.shape[0]):
        for column in range(library.shape[0]):
            total = 0.0
            for point in range(points):
                both = queries[row, point] + library[column, point] + TINY
                total += both * _log(both)
            entropies = queries[row, points] + library[column, points]
            out[row, column] = (entropies - total) / 2 + LN2


@njit(inline="always")
def _log(x):
    """Natural logarithm of a positive normal number, relative error below 1e-14.

    Written without branches, because numba vectorises no call to the logarithm of libm.
    """
    bits = np.float64(x).view(np.int64)
    exponent = (bits - SQRT_HALF_BITS) & EXPONENT_MASK
    # x = mantissa * 2^k with the mantissa between sqrt(1/2) and sqrt(2).
    mantissa = np.int64(bits - exponent).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    # ln(mantissa) = 2 artanh(s), |s| < 0.172: the first term left out is below 1e-15 s.
    series = 1 / 15 + z * (1 / 17 + z * (1 / 19))
    series = 1 / 9 + z * (1 / 11 + z * (1 / 13 + z * series))
    series = 1 / 3 + z * (1 / 5 + z * (1 / 7 + z * series))
    return (exponent >> 52) * LN2 + 2.0 * (s + s * z * series)
