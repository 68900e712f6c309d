"""Dynamic time warping within a Sakoe-Chiba band: the least distance when energies may stretch.

Each point of one spectrum meets points of the other at most ``band`` away, in order. The local
cost is the squared difference, and the distance the square root of its sum along the best path, as
in dtaidistance and tslearn. It does not obey the triangle inequality. In float32, distances below
1e-6 are rounding.

The recursion has no independent steps within a pair of spectra, so it runs over a tile of library
spectra at once, one per SIMD lane.
"""

from __future__ import annotations

import numpy as np
from numba import njit

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
)

# Library spectra in one tile. Fewer starve the SIMD units, more are wasted on small libraries.
LANES = 32
# Stands for infinity in float32: sums of it must not overflow.
FAR = np.float32(1e30)


def prepare(intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectra of mean 0 and unit norm, float32, shape (n, points).

    Warping can't make up for a difference in height, so spectra need one scale. Mean and deviation
    (z-normalisation, customary for this measure) use every point; a maximum is the noisiest one.
    With unit norm the distance at band 0 is sqrt(2 (1 - correlation)), whatever the grid.

    Raises
    ------
    InputError
        If a spectrum has a constant signal.
    """
    return centred_unit_rows(intensity).astype(np.float32)


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
    width = min(steps(band, energy, "band"), len(energy) - 1)
    out = np.empty((len(queries), len(library)))
    _squared_distances(np.ascontiguousarray(queries), np.ascontiguousarray(library), width, out)
    return np.sqrt(out, out=out)


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz", "contract"}, error_model="numpy")
def _squared_distances(queries, library, band, out):
    points = library.shape[1]
    tile = np.zeros((points, LANES), np.float32)
    cost = np.empty((2 * band + 3, LANES), np.float32)
    for start in range(0, library.shape[0], LANES):
        used = min(LANES, library.shape[0] - start)
        for point in range(points):
            for lane in range(used):
                tile[point, lane] = library[start + lane, point]
        for row in range(queries.shape[0]):
            _warp(queries[row], tile, band, cost)
            for lane in range(used):
                out[row, start + lane] = cost[band + 1, lane]


@njit(inline="always")
def _warp(query, tile, band, cost):
    """Least costs of one query and a tile of library spectra, left in ``cost[band + 1]``.

    ``cost[k + 1]`` holds the cost up to the query's point i and the library's point
    j = i + k - band. Going to the next i, it still holds the cost at (i-1, j-1), ``cost[k + 2]``
    that at (i-1, j), and ``cost[k]`` already that at (i, j-1).
    """
    points = len(query)
    cost[:, :] = FAR
    cost[band + 1, :] = 0
    for i in range(points):
        k, end = max(0, band - i), min(2 * band, points - 1 - i + band) + 1
        # Two steps at a time share what they load.
        while k + 1 < end:
            _two_steps(query[i], tile, i + k - band, cost, k)
            k += 2
        if k < end:
            _step(query[i], tile[i + k - band], cost[k], cost[k + 1], cost[k + 2])


@njit(inline="always")
def _step(value, library, left, diagonal, up):
    for lane in range(LANES):
        difference = value - library[lane]
        least = min(left[lane], min(diagonal[lane], up[lane]))
        diagonal[lane] = difference * difference + least


@njit(inline="always")
def _two_steps(value, tile, j, cost, k):
    first, second = tile[j], tile[j + 1]
    left, diagonal, up, next_up = cost[k], cost[k + 1], cost[k + 2], cost[k + 3]
    for lane in range(LANES):
        difference, next_difference = value - first[lane], value - second[lane]
        least = min(left[lane], min(diagonal[lane], up[lane]))
        here = difference * difference + least
        next_least = min(here, min(up[lane], next_up[lane]))
        diagonal[lane] = here
        up[lane] = next_difference * next_difference + next_least
