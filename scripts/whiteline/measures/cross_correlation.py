"""Weighted cross-correlation: cosine distance of spectra whose neighbouring points may meet.

Products of intensities at energies e and e' count with the weight 1 - |e - e'| / width. This
triangle is what a box of that width makes with itself, so the measure is the cosine distance of
the spectra each drawn out over such a box, without end effects.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, one_minus_product, steps, unit_rows

MEASURE = Measure(
    name="Weighted cross-correlation",
    reference="Kallman et al., Chem. Phys. 535, 110786 (2020), doi "
    "10.1016/j.chemphys.2020.110786; weight of de Gelder, Wehrens, Hageman, J. "
    "Comput. Chem. 22, 273 (2001), doi "
    "10.1002/1096-987X(200102)22:3<273::AID-JCC1001>3.0.CO;2-0",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=2,
    cost="matrix product",
)


def prepare(intensity: np.ndarray, energy: np.ndarray, *, width: float = 2.0) -> np.ndarray:
    """Spectra summed over a box and of unit norm, shape (n, points + box - 1).

    Parameters
    ----------
    intensity
        Spectra, shape (n, points).
    energy
        Uniform grid, eV, shape (points,).
    width
        Difference in energy at which the weight becomes zero, eV.

    Raises
    ------
    InputError
        If the width is negative, or a spectrum is zero throughout.
    """
    box = max(1, steps(width, energy, "width"))
    padded = np.pad(unit_rows(intensity), ((0, 0), (box, box - 1)))
    total = np.cumsum(padded, axis=1)
    return unit_rows(total[:, box:] - total[:, :-box])


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances between 0 and 2.

    Parameters
    ----------
    queries, library
        Prepared spectra, from `prepare`.
    energy
        Grid, eV; not used.

    Returns
    -------
    ndarray of shape (n, m)
    """
    return one_minus_product(queries, library)
