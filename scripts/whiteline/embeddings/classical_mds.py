"""Classical multidimensional scaling with Gower's placement of new points.

A map of more spectra than landmarks becomes landmark scaling: the landmarks are scaled, and all
other spectra placed as new ones are.
"""

from __future__ import annotations

import numpy as np

from whiteline.embeddings._scaling import scaled
from whiteline.embeddings.base import Embedding
from whiteline.neighbors import Neighbors

EMBEDDING = Embedding(
    name="classical scaling",
    reference="de Silva, Tenenbaum, Sparse multidimensional scaling, Stanford (2004); "
    "Gower, Biometrika 55, 582 (1968), doi 10.1093/biomet/55.3.582",
    placing="by their distances to the landmarks (Gower's formula)",
)


def embed(
    own: Neighbors, queries: Neighbors, seed: int, *, components: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates whose euclidean distances are nearest the given ones.

    Parameters
    ----------
    own, queries
        Distances of the map's n spectra and of q queries; those to landmarks count.
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
    rows = own.landmark_distance, queries.landmark_distance
    return scaled("classical_mds", own.landmarks, *rows, components)
