"""Computes the distances of queries to a library by one measure.

Input: queries, library (preprocessed), shifts. Output: distances (contract "distances").
Settings: kind (module or file of the measure), parameters, seed (of measures that learn).
"""

import numpy as np

from whiteline import contracts, measures
from whiteline.distances import aligned_distances


def compute_distances(
    *,
    queries: str,
    library: str,
    shifts: str,
    distances: str,
    kind: str,
    parameters: dict,
    seed: int,
) -> None:
    """Write the distance of every query to every library spectrum, each pair at its shift."""
    query, reference = contracts.read(queries, "spectra"), contracts.read(library, "spectra")
    energy = reference["energy"].values
    labels = {name: reference[name].values for name in ("valence", "ten_dq")}
    measure = measures.load(kind, **parameters)
    measure = measure.fit(reference["intensity"].values, labels, energy, seed)
    step = (energy[-1] - energy[0]) / (len(energy) - 1)
    shift = np.rint(contracts.read(shifts, "shifts")["energy_shift"].values / step).astype(int)
    distance = aligned_distances(
        measure, query["intensity"].values, reference["intensity"].values, shift, energy
    )
    data = contracts.dataset(
        "distances",
        {
            "distance": distance,
            "query_id": query["id"].values,
            "library_id": reference["id"].values,
        },
        measure=measure.kind,
        order=measure.facts.order,
        parameters=contracts.dumps(measure.parameters),
    )
    contracts.write(data, distances)


if __name__ == "__main__":
    from whiteline.stage import run

    run(compute_distances, snakemake)  # noqa: F821
