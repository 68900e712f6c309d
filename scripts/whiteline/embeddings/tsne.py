"""t-SNE: neighbours in the map with the probabilities that they have among the spectra.

By openTSNE on the graph of nearest neighbours, from classical scaling as its start.
"""

from __future__ import annotations

import numpy as np

from whiteline.embeddings import classical_mds
from whiteline.embeddings.base import Embedding, weighted_mean
from whiteline.errors import InputError
from whiteline.neighbors import Neighbors

EMBEDDING = Embedding(
    name="t-SNE",
    reference="van der Maaten, Hinton, J. Mach. Learn. Res. 9, 2579 (2008); "
    "openTSNE: Policar, Strazar, Zupan, J. Stat. Softw. 109(3) (2024), doi 10.18637/jss.v109.i03",
    placing="by optimising their places in the finished map (openTSNE)",
    needs="openTSNE",
)
# Perplexity by which new spectra are placed, that of openTSNE.
OF_QUERIES = 5


def embed(
    own: Neighbors, queries: Neighbors, seed: int, *, components: int = 2, perplexity: float = 30.0
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates by gradient descent.

    Parameters
    ----------
    own, queries
        Distances of the map's n spectra and of q queries.
    seed
        Of what openTSNE draws.
    components
        1 or 2.
    perplexity
        Effective number of neighbours; three times as many nearest ones are used.

    Returns
    -------
    ndarrays of shape (n, components) and (q, components)

    Raises
    ------
    InputError
        If so many neighbours are not kept, or there are more than two components.
    """
    from openTSNE import TSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.initialization import rescale

    if components not in (1, 2):
        raise InputError(f"tsne: components is {components}; it must be 1 or 2")
    kept, wanted = own.nearest.shape[1], int(3 * perplexity)
    if not 1 <= wanted / 3 <= kept / 3:
        raise InputError(
            f"tsne: perplexity is {perplexity:g}; the {len(own)} spectra of the map, each with "
            f"its {kept} nearest (map.neighbors), allow 1 to {kept / 3:.1f}"
        )
    start, _ = classical_mds.embed(own, queries, seed, components=components)
    index = _index(own, queries, wanted)
    graph = PerplexityBasedNN(knn_index=index, perplexity=perplexity, n_jobs=1, random_state=seed)
    made = TSNE(
        n_components=components, initialization=rescale(start), n_jobs=1, random_state=seed
    ).fit(affinities=graph)
    coordinates = np.asarray(made, dtype=float)
    if not len(queries):
        return coordinates, np.empty((0, components))
    nearest = weighted_mean(queries, coordinates, 3 * OF_QUERIES)
    placed = made.transform(
        np.arange(len(queries))[:, None], perplexity=OF_QUERIES, initialization=nearest
    )
    return coordinates, np.asarray(placed, dtype=float)


def _index(own: Neighbors, queries: Neighbors, count: int):
    """What openTSNE asks for neighbours: of the map's spectra and, by number, of the queries."""
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    class Known(PrecomputedNeighbors):
        def query(self, rows, k):
            chosen = rows[:, 0]
            return queries.nearest[chosen, :k], queries.distance[chosen, :k].astype(float)

    return Known(own.nearest[:, :count], own.distance[:, :count].astype(float))
