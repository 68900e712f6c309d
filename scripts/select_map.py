"""Takes the slice of a library that its maps show: one broadening, one value of
each axis but 10Dq, Ds and Dt.

Input: library (preprocessed). Output: spectra (contract "spectra", on the library's grid extended
on both sides). Settings: slater_reduction (None: the one nearest 0.8), broadening (the line
widths), energy_uncertainty (eV).
"""

import numpy as np

from whiteline import contracts
from whiteline.alignment import extended, search_steps

# A map shows one value of each of these axes, the one nearest the customary.
USUAL = {
    "slater_reduction": 0.8,
    "slater_reduction_pd": 0.8,
    "zeta_3d_scale": 1.0,
    "temperature": 300.0,
}


def select_map(
    *,
    library: str,
    spectra: str,
    slater_reduction: float | None,
    broadening: dict,
    energy_uncertainty: float,
) -> None:
    """Write the library's spectra of the slice, to be compared with the library as queries are.

    Measured spectra are compared at the best shift; a map of simulations that are not would place
    all of them in its middle.
    """
    data = contracts.read(library, "spectra")
    wanted = dict(USUAL)
    if slater_reduction is not None:
        wanted |= {"slater_reduction": slater_reduction, "slater_reduction_pd": slater_reduction}
    chosen = np.ones(data.sizes["spectrum"], dtype=bool)
    for name, value in (wanted | broadening).items():
        values = data[name].values
        chosen &= np.isclose(values, values[np.abs(values - value).argmin()])
    energy = data["energy"].values
    step = (energy[-1] - energy[0]) / (len(energy) - 1)
    margin = int(search_steps(np.array([energy_uncertainty]), step)[0])
    columns = {name: data[name].values[chosen] for name in data.variables if name != "energy"}
    # Far from the lines a simulated spectrum is flat, so its end values continue it.
    columns["intensity"] = np.pad(columns["intensity"], ((0, 0), (margin, margin)), mode="edge")
    columns["energy_uncertainty"] = np.full(chosen.sum(), energy_uncertainty)
    columns["energy"] = extended(energy, margin)
    contracts.write(contracts.dataset("spectra", columns), spectra)


if __name__ == "__main__":
    from whiteline.stage import run

    run(select_map, snakemake)  # noqa: F821
