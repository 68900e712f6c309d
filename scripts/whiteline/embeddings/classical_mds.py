"""Classical multidimensional scaling with Gower's placement of new points.

Torgerson, Psychometrika 17, 401 (1952); Gower, Biometrika 55, 582 (1968).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from whiteline.errors import InputError


def embed(
    map_distances: np.ndarray, query_distances: np.ndarray, seed: int, *, components: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates whose euclidean distances are nearest the given ones.

    Parameters
    ----------
    map_distances
        Shape (n, n). Made symmetric by averaging: pairs aligned from either side differ slightly.
    query_distances
        Shape (q, n).
    seed
        Not used; the solution is unique but for signs, which are fixed.
    components
        Number of dimensions.

    Returns
    -------
    ndarrays of shape (n, components) and (q, components)

    Raises
    ------
    InputError
        If the distances have fewer positive dimensions than ``components``.
    """
    if components < 1:
        raise InputError(f"classical_mds: components is {components}; at least 1 is needed")
    squared = ((map_distances + map_distances.T) / 2) ** 2
    row_mean = squared.mean(0)
    gram = -(squared - row_mean - row_mean[:, None] + row_mean.mean()) / 2
    last = len(gram) - 1
    values, vectors = eigh(gram, subset_by_index=(max(0, last + 1 - components), last))
    values, vectors = values[::-1], vectors[:, ::-1]
    if len(values) < components or values[-1] <= 1e-12 * values[0]:
        raise InputError(
            f"classical_mds: these distances do not span {components} dimensions; "
            "ask for fewer components"
        )
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(components)])
    coordinates = vectors * np.sqrt(values)
    placed = (row_mean - query_distances**2) @ coordinates / (2 * values)
    return coordinates, placed
