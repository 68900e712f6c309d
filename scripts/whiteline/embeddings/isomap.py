"""Isomap: geodesic distances along the nearest neighbours, then classical scaling.

A map of more spectra than landmarks becomes landmark Isomap: geodesics are those from landmarks.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from whiteline.embeddings._scaling import scaled
from whiteline.embeddings.base import Embedding, check_neighbors
from whiteline.neighbors import Neighbors

EMBEDDING = Embedding(
    name="Isomap",
    reference="Tenenbaum, de Silva, Langford, Science 290, 2319 (2000), "
    "doi 10.1126/science.290.5500.2319",
    placing="by geodesics through their nearest neighbours to the landmarks (Gower's formula)",
)
# Queries placed at a time: 20 MB with ten neighbours and a thousand landmarks.
CHUNK = 256


def embed(
    own: Neighbors, queries: Neighbors, seed: int, *, components: int = 2, neighbors: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from geodesic distances.

    Parameters
    ----------
    own, queries
        Distances of the map's n spectra and of q queries.
    seed
        Not used; the solution is unique but for signs, which are fixed.
    components
        Number of dimensions.
    neighbors
        Nearest neighbours that count as adjacent. Where the graph falls apart, each two of its
        parts are joined at their nearest points, as far as one of these is a landmark.

    Returns
    -------
    ndarrays of shape (n, components) and (q, components)

    Raises
    ------
    InputError
        If there are too few spectra or kept neighbours for that many neighbours or components.
    """
    check_neighbors("isomap", own, neighbors=neighbors, components=components)
    count = len(own)
    pairs = np.repeat(np.arange(count), neighbors), own.nearest[:, :neighbors].ravel()
    graph = _graph(*pairs, own.distance[:, :neighbors].ravel(), count)
    parts, part = connected_components(graph, directed=False)
    if parts > 1:
        rows, columns, lengths = _bridges(own, parts, part)
        known = graph.tocoo()
        graph = _graph(
            np.concatenate([known.row, rows]),
            np.concatenate([known.col, columns]),
            np.concatenate([known.data, lengths]),
            count,
        )
    geodesics = dijkstra(graph, directed=False, indices=own.landmarks).T
    return scaled(
        "isomap", own.landmarks, geodesics, _via(queries, geodesics, neighbors), components
    )


def _graph(rows: np.ndarray, columns: np.ndarray, lengths: np.ndarray, count: int) -> csr_matrix:
    """Each pair once, with the mean of its lengths, which may differ slightly by direction."""
    low, high = np.minimum(rows, columns).astype(np.int64), np.maximum(rows, columns)
    pairs, place = np.unique(low * count + high, return_inverse=True)
    mean = np.bincount(place, weights=lengths) / np.bincount(place)
    # A length of zero would pass for no edge.
    mean = np.maximum(mean, np.finfo(float).tiny)
    return csr_matrix((mean, np.divmod(pairs, count)), shape=(count, count))


def _bridges(
    own: Neighbors, parts: int, part: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nearest points of each two parts, one of them a landmark: ends and lengths of edges."""
    order = np.argsort(part, kind="stable")
    starts = np.searchsorted(part[order], np.arange(parts))
    rows, columns, lengths = [], [], []
    for other in range(parts):
        at = np.flatnonzero(part[own.landmarks] == other)
        if not len(at):
            continue
        nearest = at[own.landmark_distance[:, at].argmin(axis=1)]
        length = own.landmark_distance[np.arange(len(part)), nearest].astype(float)
        for points in np.split(order, starts[1:]):
            point = points[length[points].argmin()]
            if part[point] != other:
                rows.append(point)
                columns.append(own.landmarks[nearest[point]])
                lengths.append(length[point])
    return np.array(rows, dtype=int), np.array(columns, dtype=int), np.array(lengths)


def _via(queries: Neighbors, geodesics: np.ndarray, neighbors: int) -> np.ndarray:
    """Geodesics of the queries to the landmarks through the best of their neighbours, (q, l)."""
    result = np.empty((len(queries), geodesics.shape[1]))
    for start in range(0, len(queries), CHUNK):
        chunk = slice(start, start + CHUNK)
        steps = queries.distance[chunk, :neighbors, None].astype(float)
        result[chunk] = (geodesics[queries.nearest[chunk, :neighbors]] + steps).min(axis=1)
    return result
