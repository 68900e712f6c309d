"""Finds the energy shift between each query and each library spectrum.

Input: queries, library (preprocessed). Output: shifts (contract "shifts").
"""

import numpy as np

from whiteline import contracts
from whiteline.alignment import correlate, search_steps


def align_queries(*, queries: str, library: str, shifts: str) -> None:
    """Write the shift of greatest correlation within each query's energy uncertainty."""
    query, reference = contracts.read(queries, "spectra"), contracts.read(library, "spectra")
    energy = reference["energy"].values
    step = (energy[-1] - energy[0]) / (len(energy) - 1)
    limit = search_steps(query["energy_uncertainty"].values, step)
    shift, similarity = correlate(query["intensity"].values, reference["intensity"].values, limit)
    data = contracts.dataset(
        "shifts",
        {
            "energy_shift": np.round(shift * step, 6),
            "similarity": similarity,
            "query_id": query["id"].values,
            "library_id": reference["id"].values,
        },
    )
    contracts.write(data, shifts)


if __name__ == "__main__":
    from whiteline.stage import run

    run(align_queries, snakemake)  # noqa: F821
