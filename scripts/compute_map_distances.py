"""Computes the distances of a map's spectra and of queries to the map by one measure.

Of each spectrum the nearest neighbours are kept and the distances to landmarks. Pairs are aligned
within each query's energy uncertainty; where that is zero, nothing is searched.

Input: map_spectra, queries (a file per set; none but for the last block), library (preprocessed;
read by measures that learn). Output: distances (contract "neighbors") of a block of the map's
spectra, and then of the queries. Settings: kind (module or file of the measure), parameters,
neighbors and landmarks (how many, at most), block and of (which part of the map), seed.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from whiteline import contracts, measures
from whiteline.alignment import correlate, search_steps
from whiteline.distances import Distances
from whiteline.neighbors import block_rows, draw_landmarks, joined, reduce

# Rows of the square matrix in memory at a time: 50 MB at 50,000 spectra.
ROWS = 256


def compute_map_distances(
    *,
    map_spectra: str,
    queries: Sequence[str],
    library: str,
    distances: str,
    kind: str,
    parameters: dict,
    neighbors: int,
    landmarks: int,
    block: int,
    of: int,
    seed: int,
) -> None:
    """Write what is kept of these spectra's distances, each pair at its shift."""
    sets = [contracts.read(path, "spectra") for path in (map_spectra, *queries)]
    shown, margin = sets[0], sets[0].attrs["margin"]
    inner = slice(margin, shown.sizes["energy"] - margin)
    energy, spectra = shown["energy"].values[inner], shown["intensity"].values[:, inner]
    measure = _fitted(measures.load(kind, **parameters), library, seed)
    compared = Distances(measure, spectra, energy)
    chosen = draw_landmarks(len(spectra), landmarks, seed)
    parts, ids = [], []
    for asked in sets:
        size = asked.sizes["spectrum"]
        places = block_rows(size, block, of) if asked is shown else np.arange(size)
        ids.append(asked["id"].values[places])
        for start in range(0, max(len(places), 1), ROWS):
            part = places[start : start + ROWS]
            found = _distances(asked.isel(spectrum=part), spectra, compared)
            parts.append(reduce(found, neighbors, chosen, part if asked is shown else None))
    kept = joined(parts)
    data = contracts.dataset(
        "neighbors",
        {
            "nearest": kept.nearest,
            "distance": kept.distance,
            "landmark": kept.landmarks,
            "landmark_distance": kept.landmark_distance,
            "query_id": np.concatenate(ids),
        },
        measure=measure.kind,
        order=measure.facts.order,
        parameters=contracts.dumps(measure.parameters),
    )
    contracts.write(data, distances)


def _distances(asked: xr.Dataset, spectra: np.ndarray, compared: Distances) -> np.ndarray:
    """Distances to the map's spectra (m, points), each pair at its best shift, shape (n, m)."""
    energy, moved = asked["energy"].values, asked["intensity"].values
    limit = search_steps(asked["energy_uncertainty"].values, np.diff(energy).mean())
    if limit.any():
        return compared.rows(moved, correlate(moved, spectra, limit)[0])
    return compared.rows(moved, np.broadcast_to(0, (len(moved), len(spectra))))


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
