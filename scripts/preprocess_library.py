"""Prepares a library as its queries are prepared: background and normalisation.

Its measured references join it here, because they are prepared as queries are, too.

Input: library (contract "spectra"), references (contract "recorded"; none, or one file). Output:
prepared (contract "spectra"). Settings: background, normalisation, reference_settings (preparation
and energy_shift of each reference).
"""

import numpy as np

from whiteline import contracts
from whiteline.preprocessing.background import fitted_background
from whiteline.preprocessing.edge import edge_onset
from whiteline.preprocessing.normalisation import normalise
from whiteline.references import with_references


def preprocess_library(
    *,
    library: str,
    references: list[str],
    prepared: str,
    background: dict,
    normalisation: str,
    reference_settings: list[dict],
) -> None:
    """Write the library's spectra, normalised, and their usual onset (eV) as an attribute."""
    data = contracts.read(library, "spectra")
    energy = data["energy"].values
    spectra = data["intensity"].values
    onsets = [edge_onset(energy, row, energy[0], energy[-1]) for row in spectra]
    # What the subtraction takes from the tails of the lines, it takes from library and queries
    # alike.
    rows = [
        row - fitted_background(energy, row, onset, background)
        for row, onset in zip(spectra, onsets, strict=True)
    ]
    data["intensity"] = data["intensity"].copy(data=normalise(np.stack(rows), normalisation))
    data.attrs.update(
        normalisation=normalisation,
        background=contracts.dumps(background),
        onset=float(np.median(onsets)),
    )
    for path in references:
        recorded = contracts.read(path, "recorded")
        data = with_references(data, recorded, reference_settings, normalisation)
    contracts.write(data, prepared)


if __name__ == "__main__":
    from whiteline.stage import run

    run(preprocess_library, snakemake)  # noqa: F821
