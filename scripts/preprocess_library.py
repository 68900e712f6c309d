"""Prepares a library as its queries are prepared: background and normalisation.

Input: library. Output: prepared (both contract "spectra"). Settings: background, normalisation.
"""

import numpy as np

from whiteline import contracts
from whiteline.preprocessing import edge_onset, normalise, subtract_background


def preprocess_library(
    *, library: str, prepared: str, background: dict, normalisation: str
) -> None:
    """Write the library's spectra, normalised, and their usual onset (eV) as an attribute."""
    data = contracts.read(library, "spectra")
    energy = data["energy"].values
    spectra = data["intensity"].values
    onsets = [edge_onset(energy, row, energy[0], energy[-1]) for row in spectra]
    # What the subtraction takes from the tails of the lines, it takes from library and queries
    # alike.
    rows = [
        subtract_background(energy, row, onset, background)
        for row, onset in zip(spectra, onsets, strict=True)
    ]
    data["intensity"] = data["intensity"].copy(data=normalise(np.stack(rows), normalisation))
    data.attrs.update(
        normalisation=normalisation,
        background=contracts.dumps(background),
        onset=float(np.median(onsets)),
    )
    contracts.write(data, prepared)


if __name__ == "__main__":
    from whiteline.stage import run

    run(preprocess_library, snakemake)  # noqa: F821
