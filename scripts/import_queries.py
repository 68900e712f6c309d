"""Reads a set of measured spectra into one file.

Input: spectra (files, in the order of ids). Output: recorded (contract "recorded").
Settings: ids, energy_columns, intensity_columns, valences (None where unknown), energy_uncertainty
(eV, None where unknown).
"""

import numpy as np

from whiteline import contracts
from whiteline.recorded import read_recorded


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
    data = read_recorded(
        spectra,
        ids,
        energy_columns,
        intensity_columns,
        valence=np.array(valences, dtype=float),
        energy_uncertainty=np.full(len(ids), energy_uncertainty, dtype=float),
    )
    contracts.write(data, recorded)


if __name__ == "__main__":
    from whiteline.stage import run

    run(import_queries, snakemake)  # noqa: F821
