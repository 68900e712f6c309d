"""Takes the slice or the sample of a library that its maps show.

A slice has one broadening and one Slater reduction unless more are asked for, and one value of
each other axis but 10Dq, Ds and Dt. A sample is drawn from all. Measured references are not shown.

Input: library (preprocessed). Output: spectra (contract "spectra", on the library's grid extended
on both sides by as many points as the attribute margin says). Settings: sample (number of spectra;
None: a slice), slater_reduction (a grid; None: the one nearest 0.8), broadening (list of line
widths), energy_uncertainty (eV), seed.
"""

from itertools import product

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.alignment import extended, search_steps
from whiteline.grids import grid

# A map shows one value of each of these axes, the one nearest the customary.
USUAL = {"zeta_3d_scale": 1.0, "temperature": 300.0}
USUAL_REDUCTION = 0.8


def select_map(
    *,
    library: str,
    spectra: str,
    sample: int | None,
    slater_reduction: float | list | dict | None,
    broadening: list[dict],
    energy_uncertainty: float,
    seed: int,
) -> None:
    """Write the chosen spectra, in the library's order, to be compared as queries are.

    Measured spectra are compared at the best shift; a map of simulations that are not would place
    all of them in its middle.
    """
    data = contracts.read(library, "spectra")
    if sample is None:
        chosen = _slice(data, slater_reduction, broadening)
    else:
        chosen = _sample(data, sample, seed)
    energy = data["energy"].values
    step = (energy[-1] - energy[0]) / (len(energy) - 1)
    margin = int(search_steps(np.array([energy_uncertainty]), step)[0])
    columns = {name: data[name].values[chosen] for name in data.variables if name != "energy"}
    # Far from the lines a simulated spectrum is flat, so its end values continue it.
    columns["intensity"] = np.pad(columns["intensity"], ((0, 0), (margin, margin)), mode="edge")
    columns["energy_uncertainty"] = np.full(chosen.sum(), energy_uncertainty)
    columns["energy"] = extended(energy, margin)
    contracts.write(contracts.dataset("spectra", columns, margin=margin), spectra)


def _sample(data: xr.Dataset, count: int, seed: int) -> np.ndarray:
    simulated = np.flatnonzero(~contracts.is_reference(data))
    drawn = np.random.default_rng(seed).permutation(simulated)[:count]
    return np.isin(np.arange(data.sizes["spectrum"]), drawn)


def _slice(
    data: xr.Dataset, slater_reduction: float | list | dict | None, broadening: list[dict]
) -> np.ndarray:
    reductions = grid(USUAL_REDUCTION if slater_reduction is None else slater_reduction)
    chosen = np.zeros(data.sizes["spectrum"], dtype=bool)
    for reduction, widths in product(reductions, broadening):
        usual = dict.fromkeys(("slater_reduction", "slater_reduction_pd"), reduction) | USUAL
        chosen |= _nearest(data, usual | widths)
    return chosen


def _nearest(data: xr.Dataset, wanted: dict[str, float]) -> np.ndarray:
    """Which spectra have, for every name in turn, the value nearest the wanted one, or none.

    Other programs' files are no product of grids, so the nearest is sought among what is left.
    """
    chosen = ~contracts.is_reference(data)
    for name, value in wanted.items():
        values = data[name].values
        known = values[chosen & np.isfinite(values)]
        if known.size:
            nearest = known[np.abs(known - value).argmin()]
            chosen &= np.isclose(values, nearest) | np.isnan(values)
    return chosen


if __name__ == "__main__":
    from whiteline.stage import run

    run(select_map, snakemake)  # noqa: F821
