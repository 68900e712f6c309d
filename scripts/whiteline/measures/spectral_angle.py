"""Spectral angle: the angle between two spectra taken as vectors."""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, one_minus_product, unit_rows

MEASURE = Measure(
    name="Spectral angle",
    reference="Kruse et al., Remote Sens. Environ. 44, 145 (1993), doi "
    "10.1016/0034-4257(93)90013-N",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=1,
    cost="matrix product",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectra of unit norm, shape (n, points).

    Raises
    ------
    InputError
        If a spectrum is zero throughout.
    """
    return unit_rows(intensity)


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Angles between 0 and pi.

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
    # Half the chord's length is the sine of half the angle; the arc cosine loses small ones.
    out = one_minus_product(queries, library)
    out /= 2
    np.clip(out, 0, 1, out=out)
    np.sqrt(out, out=out)
    np.arcsin(out, out=out)
    out *= 2
    return out
