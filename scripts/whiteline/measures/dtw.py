"""Dynamic time warping within a Sakoe-Chiba band: the least distance when energies may stretch.

Each point of one spectrum meets points of the other at most ``band`` away, in order. The local
cost is the squared difference, and the distance the square root of its sum along the best path, as
in dtaidistance and tslearn. It does not obey the triangle inequality. With ``derivative: 1`` it is
the derivative version (Keogh, Pazzani, Proc. SIAM Data Mining (2001),
doi 10.1137/1.9781611972719.1).
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure, centred_unit_rows, steps

MEASURE = Measure(
    name="Dynamic time warping",
    reference="Sakoe, Chiba, IEEE Trans. Acoust. Speech Signal Process. 26, 43 (1978), "
    "doi 10.1109/TASSP.1978.1163055",
    symmetric=True,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=True,
    order=1,
    cost="points by band",
)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectra of mean 0 and unit norm, shape (n, points).

    Warping can't make up for a difference in height, so spectra need one scale. Mean and deviation
    (z-normalisation, customary for this measure) use every point; a maximum is the noisiest one.
    With unit norm the distance at band 0 is sqrt(2 (1 - correlation)), whatever the grid.

    Raises
    ------
    InputError
        If a spectrum has a constant signal.
    """
    return centred_unit_rows(intensity)


def pairwise(
    queries: np.ndarray, library: np.ndarray, energy: np.ndarray, *, band: float = 1.0
) -> np.ndarray:
    """Distances between 0 and 2.

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, points) and (m, points).
    energy
        Uniform grid, eV, shape (points,).
    band
        Largest difference in energy between points that meet, eV.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    InputError
        If the band is negative.
    """
    from whiteline.measures.kernels import warping

    width = min(steps(band, energy, "band"), len(energy) - 1)
    return np.sqrt(warping.warped(queries, library, width))
