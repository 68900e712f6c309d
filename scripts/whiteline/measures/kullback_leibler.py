"""Kullback-Leibler divergence of the library spectrum from the query.

The sum of p (ln p - ln q), p the query's and q the library's distribution over energy. Where q is
zero it would be infinite, so a part ``floor`` of a flat distribution is mixed into both.
"""

from __future__ import annotations

import numpy as np

from whiteline.errors import InputError
from whiteline.measures.base import CANCELLED, Measure, replace_small, unit_sum_rows

MEASURE = Measure(
    name="Kullback-Leibler",
    reference="Kullback, Leibler, Ann. Math. Stat. 22, 79 (1951), doi 10.1214/aoms/1177729694",
    symmetric=False,
    is_metric=False,
    needs_nonnegative=True,
    tolerates_shift=False,
    order=2,
    cost="matrix product",
)


def prepare(intensity: np.ndarray, energy: np.ndarray, *, floor: float = 1e-6) -> np.ndarray:
    """Distributions p over energy and ln p, shape (n, 2, points).

    Parameters
    ----------
    intensity
        Spectra, shape (n, points), not negative.
    energy
        Grid, eV; not used.
    floor
        Part of a flat distribution in the mixture, above 0 and below 1.

    Raises
    ------
    InputError
        If a spectrum has no positive intensity, or the floor is no such part.
    """
    if not 0 < floor < 1:
        raise InputError(f"floor is {floor}; it must lie between 0 and 1")
    mixed = (1 - floor) * unit_sum_rows(intensity) + floor / intensity.shape[1]
    return np.stack([mixed, np.log(mixed)], axis=1)


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Divergences in natural units, from 0 on.

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
    p, p_log, q_log = queries[:, 0], queries[:, 1], library[:, 1]
    out = np.einsum("ij,ij->i", p, p_log)[:, None] - p @ q_log.T

    def directly(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        apart = q_log[columns] - p_log[rows]
        # Both distributions add up to 1, so e^x - 1 - x, which is never negative, has this sum.
        return np.einsum("ij,ij->i", p[rows], np.expm1(apart) - apart)

    return replace_small(out, CANCELLED * np.finfo(out.dtype).eps, directly)
