"""The forward model: the spectrum of given parameters, as a continuous function of them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan, nan

import numpy as np

from whiteline import engines
from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.simulation import AXES, Parameters, Sticks

WIDTHS = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")
SHIFT = "energy_shift"


class ForwardModel:
    """Isotropic spectra of one ion in one symmetry, simulated as they are asked for.

    Parameters
    ----------
    ion, symmetry
        Names, e.g. ``"Mn2+"`` and ``"Oh"``.
    zero
        Energy on ``grid`` of the zero of the sticks, eV.
    grid
        Uniform energies of the spectra, eV, shape (points,).
    engine
        Kind of the engine, see `whiteline.engines`.
    """

    def __init__(
        self, ion: str, symmetry: str, zero: float, grid: np.ndarray, engine: str = "multiplet"
    ) -> None:
        self._engine = engines.load(engine, parse_ion(ion), symmetry)
        self._zero, self._grid = zero, grid
        self._known: dict[tuple, Sticks] = {}

    def __call__(self, values: Mapping[str, float]) -> np.ndarray:
        """The spectrum, intensity per eV, shape (points,).

        ``values`` holds the engine's parameters (`AXES`; NaN is the default), the line widths and
        ``energy_shift`` (eV), by which the spectrum lies higher than its nominal place.
        """
        sticks = self._sticks(values)
        place = self._zero + values.get(SHIFT, 0.0)
        widths = Broadening(**{name: values[name] for name in WIDTHS})
        boundary = self._engine.l3_l2_boundary
        return broaden(sticks.energy, sticks.intensity, boundary, [widths], self._grid - place)[0]

    def _sticks(self, values: Mapping[str, float]) -> Sticks:
        """Sticks are kept while only widths and shift change, which cost a tenth of them."""
        chosen = {name: float(values[name]) for name in AXES if not isnan(values.get(name, nan))}
        key = tuple(chosen.items())
        if key not in self._known:
            if len(self._known) > len(AXES):
                self._known.clear()
            self._known[key] = self._engine.sticks(Parameters(**chosen))
        return self._known[key]
