"""Isomap: geodesic distances along the nearest neighbours, then classical scaling.

Tenenbaum, de Silva, Langford, Science 290, 2319 (2000), doi 10.1126/science.290.5500.2319.
"""

from __future__ import annotations

import numpy as np

from whiteline.errors import InputError


def embed(
    map_distances: np.ndarray,
    query_distances: np.ndarray,
    seed: int,
    *,
    components: int = 2,
    neighbors: int = 10,
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from geodesic distances, by scikit-learn.

    Parameters
    ----------
    map_distances, query_distances
        Shapes (n, n) and (q, n).
    seed
        Not used; the solution is unique but for signs, which are fixed.
    components
        Number of dimensions.
    neighbors
        Nearest neighbours that count as adjacent. Where the graph falls apart, scikit-learn joins
        its parts at their nearest points.

    Returns
    -------
    ndarrays of shape (n, components) and (q, components)

    Raises
    ------
    InputError
        If there are too few spectra for that many neighbours or components.
    """
    from sklearn.manifold import Isomap

    others = len(map_distances) - 1
    for name, value in (("neighbors", neighbors), ("components", components)):
        if not 1 <= value <= others:
            raise InputError(
                f"isomap: {name} is {value}; {len(map_distances)} spectra in the map allow "
                f"1 to {others}"
            )
    symmetric = (map_distances + map_distances.T) / 2
    model = Isomap(
        n_neighbors=neighbors, n_components=components, metric="precomputed", eigen_solver="dense"
    )
    coordinates = model.fit_transform(symmetric)
    placed = (
        model.transform(query_distances) if len(query_distances) else np.empty((0, components))
    )
    # The sign of an eigenvector is arbitrary; the largest coordinate is made positive.
    sign = np.sign(coordinates[np.abs(coordinates).argmax(0), np.arange(components)])
    return coordinates * sign, placed * sign
