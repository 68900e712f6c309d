"""Reads a set of measured spectra into one file.

Input: spectra (files, in the order of ids). Output: recorded (contract "recorded").
Settings: ids, energy_columns, intensity_columns, valences (None where unknown), energy_uncertainty
(eV, None where unknown).
"""

import numpy as np

from whiteline import contracts
from whiteline.formats import read_spectrum


def import_queries(
    *,
    spectra: list[str],
    recorded: str,
    ids: list[str],
    energy_columns: list,
    intensity_columns: list,
    valences: list,
    energy_uncertainty: float | None,
) -> None:
    """Write the spectra as recorded; only order, sign and duplicate energies are put right."""
    records = [
        read_spectrum(path, energy_column=energy, intensity_column=intensity)
        for path, energy, intensity in zip(spectra, energy_columns, intensity_columns, strict=True)
    ]
    unknown = np.full(len(ids), "")
    data = contracts.dataset(
        "recorded",
        {
            "energy": np.concatenate([record.energy for record in records]),
            "intensity": np.concatenate([record.intensity for record in records]),
            "row_size": [len(record.energy) for record in records],
            "id": ids,
            "ion": unknown,
            "symmetry": unknown,
            "scenario": unknown,
            "valence": np.array(valences, dtype=float),
            "energy_uncertainty": np.full(len(ids), energy_uncertainty, dtype=float),
            "leave_out": np.zeros(len(ids)),
        },
        notes=contracts.dumps({i: list(r.notes) for i, r in zip(ids, records, strict=True)}),
    )
    contracts.write(data, recorded)


if __name__ == "__main__":
    from whiteline.stage import run

    run(import_queries, snakemake)  # noqa: F821
