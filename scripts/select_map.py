"""Takes the slice of a library that its maps show: one Slater reduction, one broadening.

Input: library (preprocessed). Output: spectra (contract "spectra").
Settings: slater_reduction (None: the one nearest 0.8), broadening (the line widths).
"""

import numpy as np

from whiteline import contracts

USUAL_SLATER_REDUCTION = 0.8


def select_map(
    *, library: str, spectra: str, slater_reduction: float | None, broadening: dict
) -> None:
    """Write the library's spectra of the slice."""
    data = contracts.read(library, "spectra")
    wanted = USUAL_SLATER_REDUCTION if slater_reduction is None else slater_reduction
    values = data["slater_reduction"].values
    chosen = np.isclose(values, values[np.abs(values - wanted).argmin()])
    for name, width in broadening.items():
        chosen &= np.isclose(data[name].values, width)
    contracts.write(data.isel(spectrum=chosen), spectra)


if __name__ == "__main__":
    from whiteline.stage import run

    run(select_map, snakemake)  # noqa: F821
