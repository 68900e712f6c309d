"""Jensen-Shannon distance: square root of the mean divergence from the two spectra's average.

The square root is a metric (Endres, Schindelin, IEEE Trans. Inf. Theory 49, 1858 (2003), doi
10.1109/TIT.2003.813506). With natural logarithms it lies between 0 and sqrt(ln 2). The distance
grows as x with a small change x, but as sqrt(x) where a spectrum is zero.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import CANCELLED, Measure, replace_small, unit_sum_rows

MEASURE = Measure(
    name="Jensen-Shannon",
    reference="Lin, IEEE Trans. Inf. Theory 37, 145 (1991), doi 10.1109/18.61115",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=1,
    cost="one pass with logarithms",
)

# Added before taking a logarithm, so that 0 log 0 is 0.
TINY = 1e-300


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distributions p over energy, and p ln 2p; shape (n, 2, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    p = unit_sum_rows(intensity)
    return np.stack([p, p * np.log(2 * p + TINY)], axis=1)


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances between 0 and sqrt(ln 2).

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, 2, points) and (m, 2, points).
    energy
        Grid, eV; not used.

    Returns
    -------
    ndarray of shape (n, m)
    """
    from scipy.special import kl_div

    from whiteline.measures.kernels import tiles

    out = tiles.entropy_gain(queries, library) / 2

    def directly(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        p, q = queries[rows, 0].astype(float), library[columns, 0].astype(float)
        mean = (p + q) / 2
        # x ln(x / y) - x + y, of which no term is negative; the rest adds up to zero.
        return (kl_div(p, mean) + kl_div(q, mean)).sum(axis=1) / 2

    replace_small(out, CANCELLED * np.finfo(out.dtype).eps / 10, directly)
    return np.sqrt(np.maximum(out, 0))
