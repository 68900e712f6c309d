"""Makes a map of a slice of the library and places the queries into it.

Input: map (spectra), map_distances, queries (spectra, one file per set), query_distances.
Output: embedding (contract "embedding"). Settings: kind, parameters, seed.
"""

import numpy as np

from whiteline import contracts, embeddings


def embed_spectra(
    *,
    map_spectra: str,
    map_distances: str,
    queries: list[str],
    query_distances: list[str],
    embedding: str,
    kind: str,
    parameters: dict,
    seed: int,
) -> None:
    """Write coordinates of the slice's spectra and, out of sample, of the queries."""
    shown = contracts.read(map_spectra, "spectra")
    sets = [contracts.read(path, "spectra") for path in queries]
    own = contracts.read(map_distances, "distances")
    # Lengths of a map must grow evenly: 1 - correlation grows with the square of a small change.
    power = 1 / own.attrs["order"]
    columns = np.flatnonzero(np.isin(own["library_id"].values, shown["id"].values))
    rows = [
        contracts.read(path, "distances")["distance"].values[:, columns]
        for path in query_distances
    ]
    rows = np.concatenate([*rows, np.empty((0, len(columns)))]).astype(float)
    square = own["distance"].values[:, columns].astype(float)
    square, rows = square**power, rows**power
    coordinates, placed = embeddings.load(kind, **parameters)(square, rows, seed)
    labels = {
        name: np.concatenate([part[name].values for part in (shown, *sets)])
        for name in ("id", "ion", "valence", "ten_dq")
    }
    data = contracts.dataset(
        "embedding",
        {
            **labels,
            "coordinate": np.concatenate([coordinates, placed]),
            "is_query": np.repeat([0, 1], [len(coordinates), len(placed)]),
        },
        embedding=kind,
        parameters=contracts.dumps(parameters),
        seed=seed,
    )
    contracts.write(data, embedding)


if __name__ == "__main__":
    from whiteline.stage import run

    run(embed_spectra, snakemake)  # noqa: F821
