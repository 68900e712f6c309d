"""Fits mixtures of valences to measured spectra.

Input: queries, library (preprocessed); and, where there is a calibration scenario,
calibration_queries (the scenarios), calibration_mixtures and calibration_truth (simulated mixtures
and their fractions). Output: mixtures (contract "mixtures"). Settings: calibration (the scenario
whose spectra of one valence set the limit), seed.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from whiteline import contracts
from whiteline.alignment import search_steps
from whiteline.atomic import parse_ion
from whiteline.mixtures import (
    COVERAGE,
    SIGNIFICANCE,
    Components,
    Mixture,
    Stretch,
    Unmixing,
    p_value,
    unclaimed,
)

# So many calibration spectra tell a probability of 5 % well, at a quarter of a second each.
CALIBRATION = 99


def fit_mixtures(
    *,
    queries: str,
    library: str,
    calibration_queries: Sequence[str],
    calibration_mixtures: Sequence[str],
    calibration_truth: Sequence[str],
    mixtures: str,
    calibration: str | None,
    seed: int,
) -> None:
    """Write the fractions of the valences in each query, and whether it needs a mixture."""
    query, reference = contracts.read(queries, "spectra"), contracts.read(library, "spectra")
    energy = reference["energy"].values
    step = (energy[-1] - energy[0]) / (len(energy) - 1)
    seen = _seen(query, reference)
    unmixing = Unmixing(_components(reference.isel(spectrum=seen)))
    pure = np.array([])
    for path in calibration_queries:
        known = contracts.read(path, "spectra")
        chosen = np.flatnonzero(known["scenario"].values == calibration)[:CALIBRATION]
        tests = [unmixing.test(*pair) for pair in _pairs(known.isel(spectrum=chosen), step)]
        pure = np.array([test.gain for test in tests])
    tests = [unmixing.test(*pair) for pair in _pairs(query, step)]
    fits = [unmixing.fit(*pair, seed) for pair in _pairs(query, step)]
    for known in zip(calibration_mixtures, calibration_truth, strict=True):
        fits = _calibrated(unmixing, fits, query, *known, step, seed)
    chance = np.array([p_value(test.gain, test.chance, pure) for test in tests])
    component = np.stack([fit.component for fit in fits])
    moved = step * np.array([fit.steps for fit in fits])
    data = contracts.dataset(
        "mixtures",
        {
            "query_id": query["id"].values,
            "candidate": unmixing.valences,
            "coverage": COVERAGE,
            "fraction": [fit.fraction for fit in fits],
            "fraction_lower": [fit.lower for fit in fits],
            "fraction_upper": [fit.upper for fit in fits],
            "component": np.where(component < 0, -1, seen[component]),
            "amplitude": [fit.amplitude for fit in fits],
            "background": [fit.background for fit in fits],
            "energy_shift": query["energy_shift"].values + moved,
            "single_valence": unmixing.valences[[test.single for test in tests]],
            "single_residual": [test.single_residual for test in tests],
            "mixture_residual": [test.residual for test in tests],
            "p_value": chance,
            "mixture_needed": chance <= SIGNIFICANCE,
        },
        seed=seed,
        calibrated=len(pure),
    )
    contracts.write(data, mixtures)


def _calibrated(
    unmixing: Unmixing,
    fits: Sequence[Mixture],
    query: xr.Dataset,
    mixtures: str,
    truth: str,
    step: float,
    seed: int,
) -> list[Mixture]:
    """Fits with intervals that simulated mixtures have stretched; where the shift was sought
    farther than theirs, nothing is claimed.
    """
    known, table = contracts.read(mixtures, "spectra"), pd.read_csv(truth, index_col="id")
    fractions = table.loc[known["id"].values].to_numpy()
    tried = [unmixing.fit(*pair, seed) for pair in _pairs(known, step)]
    stretch = Stretch.learn(tried, fractions)
    farthest = known["energy_uncertainty"].values.min() + 1e-9
    near = query["energy_uncertainty"].values <= farthest
    return [
        stretch(fit) if claimed else unclaimed(fit)
        for fit, claimed in zip(fits, near, strict=True)
    ]


def _pairs(queries: xr.Dataset, step: float) -> list[tuple[np.ndarray, int]]:
    """Each query, and by how many steps it may be moved."""
    limits = search_steps(queries["energy_uncertainty"].values, step)
    return list(zip(queries["intensity"].values, limits.tolist(), strict=True))


def _seen(queries: xr.Dataset, library: xr.Dataset) -> np.ndarray:
    """Rows of the library that the set may be made of: where its resolution is stated, those of
    that width or of unknown width.
    """
    width = library["gaussian_sigma"].values
    if "resolution" not in queries:
        return np.arange(len(width))
    known = np.isclose(width[:, None], queries["resolution"].values).any(1)
    return np.flatnonzero(known | np.isnan(width))


def _components(library: xr.Dataset) -> Components:
    ions = [parse_ion(ion) for ion in library["ion"].values.astype(str)]
    return Components(
        intensity=library["intensity"].values,
        valence=library["valence"].values,
        holes=np.array([10.0 - ion.d_count for ion in ions]),
        width=library["gaussian_sigma"].values,
        anywhere=contracts.is_reference(library) == 1,
    )


if __name__ == "__main__":
    from whiteline.stage import run

    run(fit_mixtures, snakemake)  # noqa: F821
