"""UMAP: a layout in which the fuzzy graph of nearest neighbours is most alike.

By umap-learn on the graph of nearest neighbours, from classical scaling as its start.
"""

from __future__ import annotations

import warnings

import numpy as np

from whiteline.embeddings import classical_mds
from whiteline.embeddings.base import Embedding, check_neighbors, weighted_mean
from whiteline.neighbors import Neighbors

EMBEDDING = Embedding(
    name="UMAP",
    reference="McInnes, Healy, Melville, arXiv:1802.03426 (2018), doi 10.48550/arXiv.1802.03426",
    # umap-learn can't place new points where it was given distances and no spectra.
    placing="at the mean place of their nearest neighbours, weighted by 1 / distance (UMAP itself "
    "has no way for distances)",
    needs="umap",
)
# Half the width of the start's longer side, as umap-learn scales its own.
EXTENT = 10.0


def embed(
    own: Neighbors,
    queries: Neighbors,
    seed: int,
    *,
    components: int = 2,
    min_dist: float = 0.1,
    neighbors: int = 15,
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates by stochastic gradient descent.

    Parameters
    ----------
    own, queries
        Distances of the map's n spectra and of q queries.
    seed
        Of what umap-learn draws.
    components
        Number of dimensions.
    min_dist
        Least distance between points of the map.
    neighbors
        Nearest neighbours that make the graph, the spectrum itself counted.

    Returns
    -------
    ndarrays of shape (n, components) and (q, components)

    Raises
    ------
    InputError
        If so many neighbours are not kept.
    """
    from umap import UMAP

    check_neighbors("umap", own, neighbors=neighbors, components=components)
    start, _ = classical_mds.embed(own, queries, seed, components=components)
    itself = np.arange(len(own))[:, None]
    nearest = np.concatenate([itself, own.nearest[:, : neighbors - 1]], axis=1)
    distance = np.concatenate([0.0 * itself, own.distance[:, : neighbors - 1]], axis=1)
    model = UMAP(
        n_neighbors=neighbors,
        n_components=components,
        min_dist=min_dist,
        init=start * (EXTENT / np.abs(start).max()),
        precomputed_knn=(nearest, distance.astype(np.float32)),
        random_state=seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # Says that new points can't be placed; they are placed below.
        warnings.filterwarnings("ignore", message="precomputed_knn")
        # The spectra themselves are not looked at where their neighbours are known.
        coordinates = model.fit_transform(itself.astype(np.float32)).astype(float)
    return coordinates, weighted_mean(queries, coordinates, neighbors)
