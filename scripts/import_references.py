"""Reads the measured references of a library into one file.

Input: spectra (files, in the order of ids). Output: recorded (contract "recorded").
Settings: ids, energy_columns, intensity_columns, ions, known (for each, what is known of it:
symmetry and parameters by name).
"""

import numpy as np

from whiteline import contracts
from whiteline.atomic import parse_ion
from whiteline.recorded import read_recorded
from whiteline.simulation import AXES


def import_references(
    *,
    spectra: list[str],
    recorded: str,
    ids: list[str],
    energy_columns: list,
    intensity_columns: list,
    ions: list[str],
    known: list[dict],
) -> None:
    """Write the references as recorded, with their ion and what else is known."""
    data = read_recorded(
        spectra,
        ids,
        energy_columns,
        intensity_columns,
        ion=ions,
        valence=[parse_ion(ion).valence for ion in ions],
        symmetry=[values.get("symmetry", "") for values in known],
        **{axis: [values.get(axis, np.nan) for values in known] for axis in AXES},
    )
    contracts.write(data, recorded)


if __name__ == "__main__":
    from whiteline.stage import run

    run(import_references, snakemake)  # noqa: F821
