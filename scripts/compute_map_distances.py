"""Computes the distances of a map's spectra, or of queries, to the map by one measure.

Of each spectrum the nearest neighbours are kept and the distances to landmarks. Pairs are aligned
within each query's energy uncertainty; where that is zero, nothing is searched.

Input: queries (the map itself or a query set), map_spectra, library (preprocessed; read by
measures that learn). Output: distances (contract "neighbors") of one block of the queries.
Settings: kind (module or file of the measure), parameters, neighbors and landmarks (how many, at
most), block and of (which part of the queries), within (whether they are the map itself), seed.
"""

import numpy as np

from whiteline import contracts, measures
from whiteline.alignment import correlate, search_steps
from whiteline.distances import Distances
from whiteline.neighbors import block_rows, draw_landmarks, joined, reduce

# Rows of the square matrix in memory at a time: 50 MB at 50,000 spectra.
ROWS = 256


def compute_map_distances(
    *,
    queries: str,
    map_spectra: str,
    library: str,
    distances: str,
    kind: str,
    parameters: dict,
    neighbors: int,
    landmarks: int,
    block: int,
    of: int,
    within: bool,
    seed: int,
) -> None:
    """Write what is kept of these queries' distances, each pair at its shift."""
    shown = contracts.read(map_spectra, "spectra")
    query = shown if within else contracts.read(queries, "spectra")
    rows = block_rows(query.sizes["spectrum"], block, of)
    measure = _fitted(measures.load(kind, **parameters), library, seed)
    margin = shown.attrs["margin"]
    inner = slice(margin, shown.sizes["energy"] - margin)
    energy, spectra = shown["energy"].values[inner], shown["intensity"].values[:, inner]
    limit = search_steps(query["energy_uncertainty"].values, np.diff(energy).mean())
    chosen = draw_landmarks(len(spectra), landmarks, seed)
    compared, parts = Distances(measure, spectra, energy), []
    for start in range(0, max(len(rows), 1), ROWS):
        part = rows[start : start + ROWS]
        moved = query["intensity"].values[part]
        shift = (
            correlate(moved, spectra, limit[part])[0]
            if limit[part].any()
            else np.broadcast_to(0, (len(part), len(spectra)))
        )
        found = compared.rows(moved, shift)
        parts.append(reduce(found, neighbors, chosen, part if within else None))
    kept = joined(parts)
    data = contracts.dataset(
        "neighbors",
        {
            "nearest": kept.nearest,
            "distance": kept.distance,
            "landmark": kept.landmarks,
            "landmark_distance": kept.landmark_distance,
            "query_id": query["id"].values[rows],
        },
        measure=measure.kind,
        order=measure.facts.order,
        parameters=contracts.dumps(measure.parameters),
    )
    contracts.write(data, distances)


def _fitted(
    measure: measures.BoundMeasure | measures.BoundEnsemble, library: str, seed: int
) -> measures.BoundMeasure | measures.BoundEnsemble:
    """The measure, having learnt from the library if it is one that learns."""
    if not measure.learns:
        return measure
    data = contracts.read(library, "spectra")
    labels = {name: data[name].values for name in ("valence", "ten_dq")}
    return measure.fit(data["intensity"].values, labels, data["energy"].values, seed)


if __name__ == "__main__":
    from whiteline.stage import run

    run(compute_map_distances, snakemake)  # noqa: F821
