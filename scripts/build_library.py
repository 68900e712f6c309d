"""Brings simulated sticks, or what other programs calculated, onto one energy grid.

Input: sticks, one file per ion, symmetry and batch, or none; outputs, one file of other programs'
spectra, or none. Output: library (contract "spectra").
Settings: broadening (list of line widths), energy (grid), chemical_shift (eV per unit of valence),
polarisation (list), files (of outputs: energy_zero and on_error).
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from whiteline import calculated, contracts
from whiteline.grids import grid
from whiteline.library import library_spectra


def build_library(
    *,
    sticks: list[str],
    library: str,
    broadening: list[dict],
    energy: dict,
    chemical_shift: float,
    polarisation: list[str],
    outputs: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
) -> None:
    """Write every stick spectrum at every line width, or every curve as it is."""
    energies = grid(energy)
    settings = {"broadening": broadening, "energy": energy, "chemical_shift": chemical_shift}
    known = {"parameters": contracts.dumps(settings)}
    if outputs:
        data = contracts.read(outputs[0], "outputs")
        zero, skip = files["energy_zero"], files["on_error"] == "skip"
        columns, faults = calculated.library_spectra(
            data, broadening, energies, chemical_shift, polarisation, zero, skip
        )
        for sentence in faults:
            print(f"skipped: {sentence}")
        known["skipped"] = contracts.dumps([*json.loads(data.attrs["skipped"]), *faults])
    else:
        columns = _simulated(sticks, broadening, energies, chemical_shift, polarisation)
    data = contracts.dataset("spectra", {**columns, "energy": energies}, **known)
    contracts.write(data, library)


def _simulated(
    sticks: list[str],
    broadening: list[dict],
    energies: np.ndarray,
    chemical_shift: float,
    polarisation: list[str],
) -> dict[str, np.ndarray]:
    parts, before = [], Counter()
    for path in sticks:
        data = contracts.read(path, "sticks")
        kind = data.attrs["ion"], data.attrs["symmetry"]
        parts.append(
            library_spectra(data, broadening, energies, chemical_shift, polarisation, before[kind])
        )
        before[kind] += data.sizes["point"]
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in [*parts[0]]}


if __name__ == "__main__":
    from whiteline.stage import run

    run(build_library, snakemake)  # noqa: F821
