"""Makes a map of a slice or sample of the library and places the queries into it.

Input: map_spectra, queries (spectra, a file per set), distances (contract "neighbors", a file per
block, of the map's spectra and then of the queries).
Output: embedding (contract "embedding"). Settings: kind, parameters, seed.
"""

import numpy as np

from whiteline import contracts, embeddings
from whiteline.neighbors import joined, of_dataset


def embed_spectra(
    *,
    map_spectra: str,
    queries: list[str],
    distances: list[str],
    embedding: str,
    kind: str,
    parameters: dict,
    seed: int,
) -> None:
    """Write coordinates of the map's spectra and, out of sample, of the queries."""
    sets = [contracts.read(path, "spectra") for path in (map_spectra, *queries)]
    labels = {
        name: np.concatenate([part[name].values for part in sets])
        for name in ("id", "ion", "valence", "ten_dq")
    }
    size = sets[0].sizes["spectrum"]
    del sets
    kept = joined([of_dataset(contracts.read(path, "neighbors")) for path in distances])
    coordinates, placed = embeddings.load(kind, **parameters)(kept[:size], kept[size:], seed)
    data = contracts.dataset(
        "embedding",
        {
            **labels,
            "coordinate": np.concatenate([coordinates, placed]),
            "is_query": np.repeat([0, 1], [len(coordinates), len(placed)]),
        },
        embedding=kind,
        placing=embeddings.facts(kind).placing,
        parameters=contracts.dumps(parameters),
        seed=seed,
    )
    contracts.write(data, embedding)


if __name__ == "__main__":
    from whiteline.stage import run

    run(embed_spectra, snakemake)  # noqa: F821
