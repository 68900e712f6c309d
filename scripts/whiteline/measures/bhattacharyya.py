"""Bhattacharyya distance: minus the logarithm of the overlap of two distributions.

It would be infinite where they don't overlap at all; an overlap counts as one rounding at least.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, one_minus_product, replace_small, unit_sum_rows

MEASURE = Measure(
    name="Bhattacharyya",
    reference="Kailath, IEEE Trans. Commun. Technol. 15, 52 (1967), doi 10.1109/TCOM.1967.1089532",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=2,
    cost="matrix product",
)

# Below this, ln(1 - x) loses digits that log1p, which is slower, keeps.
NEAR = 0.01


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Square roots of the distributions over energy, of unit norm; shape (n, points).

    Raises
    ------
    InputError
        If a spectrum has no positive intensity.
    """
    return np.sqrt(unit_sum_rows(intensity))


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances from 0 on.

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
    apart = one_minus_product(queries, library)

    def directly(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return -np.log1p(-apart[rows, columns])

    out = -np.log(np.maximum(1 - apart, np.finfo(apart.dtype).eps))
    return replace_small(out, NEAR, directly)
