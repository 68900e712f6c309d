"""Broadens stick spectra into a library on one energy grid.

Input: sticks, one file per ion, symmetry and batch. Output: library (contract "spectra").
Settings: broadening (list of line widths), energy (grid), chemical_shift (eV per unit of valence),
polarisation (list).
"""

from collections import Counter

import numpy as np

from whiteline import contracts
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
) -> None:
    """Write every stick spectrum at every line width."""
    energies = grid(energy)
    parts, before = [], Counter()
    for path in sticks:
        data = contracts.read(path, "sticks")
        kind = data.attrs["ion"], data.attrs["symmetry"]
        parts.append(
            library_spectra(data, broadening, energies, chemical_shift, polarisation, before[kind])
        )
        before[kind] += data.sizes["point"]
    columns = {name: np.concatenate([part.pop(name) for part in parts]) for name in [*parts[0]]}
    settings = {"broadening": broadening, "energy": energy, "chemical_shift": chemical_shift}
    data = contracts.dataset(
        "spectra", {**columns, "energy": energies}, parameters=contracts.dumps(settings)
    )
    contracts.write(data, library)


if __name__ == "__main__":
    from whiteline.stage import run

    run(build_library, snakemake)  # noqa: F821
