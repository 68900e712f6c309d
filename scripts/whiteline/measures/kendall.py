"""Kendall distance: one minus tau-b, by how many pairs of points two spectra order differently.

As Spearman's it sees only the order of the intensities. Each pair of points is one bit, whether
the first is the greater, and another, whether it is the lesser; a pair of spectra is compared by
counting bits, so its cost grows with the square of the number of points.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, centred_unit_rows

MEASURE = Measure(
    name="Kendall correlation",
    reference="Kendall, Biometrika 33, 239 (1945), doi 10.1093/biomet/33.3.239",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=1,
    cost="pairs of points",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Bits of all pairs of points: greater, lesser; uint64, shape (n, 2, words).

    Raises
    ------
    InputError
        If a spectrum has a constant signal.
    """
    centred_unit_rows(intensity)
    from whiteline.measures.kernels import signs

    return signs.pack(intensity)


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances between 0 and 2.

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, 2, words) and (m, 2, words).
    energy
        Grid, eV; not used.

    Returns
    -------
    ndarray of shape (n, m)
    """
    from whiteline.measures.kernels import signs

    return 1 - signs.agreement(queries, library)
