"""Prepares a library as its queries are prepared: background and normalisation.

Input: library. Output: spectra (both contract "spectra"). Settings: background, normalisation.
"""

import numpy as np

from whiteline import contracts
from whiteline.preprocessing import clean, normalise


def preprocess_library(
    *, library: str, spectra: str, background: dict, normalisation: str
) -> None:
    """Write the library's spectra, normalised, and their usual onset (eV) as an attribute."""
    data = contracts.read(library, "spectra")
    energy = data["energy"].values
    rows, onsets = zip(*(clean(energy, row, background) for row in data["intensity"].values), strict=True)
    data["intensity"] = data["intensity"].copy(data=normalise(np.stack(rows), normalisation))
    data.attrs.update(
        normalisation=normalisation,
        background=contracts.dumps(background),
        onset=float(np.median(onsets)),
    )
    contracts.write(data, spectra)


if __name__ == "__main__":
    from whiteline.stage import run

    run(preprocess_library, snakemake)  # noqa: F821
