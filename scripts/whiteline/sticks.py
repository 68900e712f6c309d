"""Stick spectra of many points as one dataset of contract "sticks"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts, engines
from whiteline.engines import Engine
from whiteline.errors import InputError
from whiteline.simulation import AXES, POLARISATIONS, Parameters, Sticks


def made_by(
    engine: str, settings: Mapping[str, Any], ion: str, symmetry: str, polarised: bool
) -> dict[str, Any]:
    """Attributes that tell how sticks were made."""
    return {
        "engine": engine,
        "settings": contracts.dumps(settings),
        "version": engines.version(engine),
        "ion": ion,
        "symmetry": symmetry,
        "polarised": int(polarised),
    }


def simulate(program: Engine, row: np.ndarray, polarised: bool) -> Sticks:
    """The sticks of one point, ``row`` of `whiteline.sampling.points`, shape (axes,).

    Raises
    ------
    InputError
        If a parameter has no meaning, or the engine gives no polarisations where they are wanted.
    """
    parameters = Parameters.from_row(dict(zip(AXES, row, strict=True)))
    found = program.sticks(parameters, polarised=polarised)
    if polarised and found.components is None:
        raise InputError("the engine gives isotropic spectra only")
    return found


def dataset(
    table: np.ndarray, spectra: Sequence[Sticks], boundary: float, **attributes: Any
) -> xr.Dataset:
    """A dataset of contract "sticks".

    Parameters
    ----------
    table
        The points, shape (points, axes), as of `whiteline.sampling.points`.
    spectra
        Sticks of each point, with components where the attribute ``polarised`` is 1.
    boundary
        Energy (eV) that parts L3 from L2.
    attributes
        Of `made_by` and others.
    """
    columns = {
        "energy": np.concatenate([[], *(s.energy for s in spectra)]),
        "intensity": np.concatenate([[], *(s.intensity for s in spectra)]),
        "row_size": [len(s.energy) for s in spectra],
        **{name: table[:, column] for column, name in enumerate(AXES)},
    }
    if attributes["polarised"]:
        parts = (s.components for s in spectra)
        columns["components"] = np.concatenate([np.empty((0, len(POLARISATIONS))), *parts])
        columns["polarisation"] = list(POLARISATIONS)
    return contracts.dataset("sticks", columns, l3_l2_boundary=boundary, **attributes)
