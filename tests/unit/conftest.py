"""A small simulated library of nickel, made by the stages themselves, and records to look up."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from whiteline import contracts
from whiteline.evaluation.scenarios import recorded_scenarios
from whiteline.queries import prepare_queries

# The stage scripts, and the files that tests share.
HERE = Path(__file__).parent
sys.path += [str(path) for path in (HERE.parents[1] / "scripts", HERE.parent, HERE)]

BACKGROUND = {"kind": "constant", "window": [-6.0, -3.0]}
PREPARATION = {"background": BACKGROUND, "continuum": "none", "normalisation": "area"}
LIBRARY = {
    "engine": "multiplet",
    "ions": ["Ni2+", "Ni3+"],
    "symmetry": ["Oh"],
    "polarisation": ["isotropic"],
    "ten_dq": {"start": 0.6, "stop": 1.8, "step": 0.1},
    "slater_reduction": [0.7, 0.8, 0.9],
    "zeta_3d_scale": 1.0,
    "temperature": 300.0,
    "broadening": [
        {"lorentzian_hwhm_l3": 0.2, "lorentzian_hwhm_l2": 0.3, "gaussian_sigma": 0.2},
        {"lorentzian_hwhm_l3": 0.3, "lorentzian_hwhm_l2": 0.4, "gaussian_sigma": 0.4},
    ],
    "energy": {"start": 844.0, "stop": 884.0, "step": 0.1},
    "chemical_shift": 0.8,
}
SCENARIO = {
    "tier": "c",
    "spectra": 6,
    "energy_uncertainty": 0.5,
    "draw": {},
    "disturb": {},
    "vary": {},
}


@pytest.fixture(scope="session")
def configuration() -> dict[str, Any]:
    """The library's configuration, defaults filled in."""
    return LIBRARY


@pytest.fixture(scope="session")
def library_path(tmp_path_factory) -> Path:
    """File of the library, preprocessed."""
    from prepared_libraries import prepared_library

    return prepared_library(tmp_path_factory.mktemp("library"), LIBRARY, BACKGROUND)


@pytest.fixture(scope="session")
def library(library_path) -> xr.Dataset:
    """The library's spectra. Not to be changed."""
    return contracts.read(library_path, "spectra")


@pytest.fixture(scope="session")
def record() -> Callable[..., xr.Dataset]:
    """Makes the records of scenarios, each given as its differences from an undisturbed one."""

    def make(seed: int = 0, **scenarios: dict[str, Any]) -> xr.Dataset:
        full = {name: {**SCENARIO, **changes} for name, changes in scenarios.items()}
        return contracts.dataset("recorded", recorded_scenarios(LIBRARY, "ni", full, seed))

    return make


@pytest.fixture(scope="session")
def prepare(library) -> Callable[..., xr.Dataset]:
    """Prepares records for the library."""

    def prepared(recorded: xr.Dataset, reference: dict[str, str] | None = None) -> xr.Dataset:
        return prepare_queries(recorded, library, PREPARATION, reference)[0]

    return prepared


@pytest.fixture
def rng() -> np.random.Generator:
    """The same draws in every test."""
    return np.random.default_rng(0)
