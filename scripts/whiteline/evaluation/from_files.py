"""Parameters of test spectra for a library of other programs' files.

Their truth must be known, so they are simulated by the built-in engine, with what the library says
of its spectra; and they must lie where the library's do, whatever zero the programs count from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts, engines
from whiteline.alignment import correlate, extended, fraction, search_steps
from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.errors import InputError
from whiteline.library import axis_zero
from whiteline.simulation import AXES, DEFAULTS, Parameters

ENGINE = "multiplet"
# How far a program's zero is sought from ours, eV.
FARTHEST = 10.0
WIDTHS = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")


@dataclass(frozen=True)
class Truth:
    """Ion, symmetry and all parameters of a test spectrum, and where its zero lies, eV."""

    ion: str
    symmetry: str
    parameters: dict[str, float]
    zero: float


class References:
    """The isotropic spectra of a library whose 10Dq is known.

    Parameters
    ----------
    library
        Dataset of contract "spectra".
    chemical_shift
        eV per unit of valence.
    widths
        Line widths (eV) for spectra that do not state theirs.

    Raises
    ------
    InputError
        If no spectrum has a known 10Dq.
    """

    def __init__(
        self, library: xr.Dataset, chemical_shift: float, widths: Mapping[str, float]
    ) -> None:
        isotropic = library["polarisation"].values == "isotropic"
        self._library = library.isel(spectrum=isotropic & np.isfinite(library["ten_dq"].values))
        if not self._library.sizes["spectrum"]:
            raise InputError("test spectra need files of known 10Dq, isotropic; there are none")
        self._chemical_shift = chemical_shift
        self._widths = widths
        self._zeros: dict[int, float] = {}
        self._engines: dict[tuple[str, str], engines.Engine] = {}

    @classmethod
    def read(cls, paths: Sequence[str], library: Mapping[str, Any]) -> References | None:
        """Those in the file of a library with this configuration; none if it is simulated and
        there is no file.
        """
        if not paths:
            return None
        data = contracts.read(paths[0], "spectra")
        return cls(data, library["chemical_shift"], library["broadening"][0])

    @cached_property
    def _ions(self) -> np.ndarray:
        return self._library["ion"].values.astype(str)

    def draw(self, tier: str, rng: np.random.Generator) -> Truth:
        """A test spectrum: 10Dq within what the files of an ion cover, or one of theirs in tier a.

        All else is as in a file of the nearest 10Dq; what it does not say has its default. Axes
        that the built-in engine does not have are left out.
        """
        ion = str(rng.choice(self._tested(2 if tier == "a" else 1)))
        rows = np.flatnonzero(self._ions == ion)
        ten_dq = self._library["ten_dq"].values[rows]
        if tier == "a":
            value = float(rng.choice(np.unique(ten_dq)))
        else:
            value = float(rng.uniform(ten_dq.min(), ten_dq.max()))
        distance = np.abs(ten_dq - value)
        row = int(rng.choice(rows[np.isclose(distance, distance.min())]))
        symmetry, parameters = self._known(row)
        return Truth(ion, symmetry, parameters | {"ten_dq": value}, self._zero(row))

    def _tested(self, least: int) -> list[str]:
        """Ions with at least so many values of 10Dq: one can be left out only where others are."""
        ten_dq = self._library["ten_dq"].values
        ions = np.unique(self._ions)
        return [ion for ion in ions if len(np.unique(ten_dq[self._ions == ion])) >= least]

    def engine(self, ion: str, symmetry: str) -> engines.Engine:
        """The built-in engine for an ion, built once."""
        key = (ion, symmetry)
        if key not in self._engines:
            self._engines[key] = engines.load(ENGINE, parse_ion(ion), symmetry)
        return self._engines[key]

    def _known(self, row: int) -> tuple[str, dict[str, float]]:
        """Symmetry and parameters of a spectrum as far as the built-in engine has them."""
        facts = engines.facts(ENGINE)
        symmetry = str(self._library["symmetry"].values[row])
        if symmetry not in facts.symmetries:
            symmetry = "Oh"
        parameters = {}
        for name in facts.parameters:
            allowed = AXES[name].symmetries
            if allowed is not None and symmetry not in allowed:
                continue
            value = float(self._library[name].values[row])
            value = DEFAULTS[name] if np.isnan(value) else value
            if value is not None:
                parameters[name] = value
        return symmetry, parameters

    def _zero(self, row: int) -> float:
        """Where the built-in engine's zero lies on the library's axis, going by one spectrum."""
        if row not in self._zeros:
            self._zeros[row] = self._nominal(row) + self._offset(row)
        return self._zeros[row]

    def _nominal(self, row: int) -> float:
        return axis_zero(parse_ion(self._ions[row]), self._chemical_shift)

    def _offset(self, row: int) -> float:
        """Shift (eV) that lays a simulation of a library spectrum on it."""
        grid = self._library["energy"].values
        step = (grid[-1] - grid[0]) / (len(grid) - 1)
        steps = search_steps(np.array([FARTHEST]), step)
        symmetry, parameters = self._known(row)
        engine = self.engine(self._ions[row], symmetry)
        sticks = engine.sticks(Parameters(**parameters))
        simulated = broaden(
            sticks.energy,
            sticks.intensity,
            engine.l3_l2_boundary,
            [Broadening(**self._widths_of(row))],
            extended(grid, int(steps[0]) + 1) - self._nominal(row),
        )
        own = self._library["intensity"].values[row : row + 1]
        shift, similarity = correlate(simulated, own, steps)
        part = fraction(simulated, own, shift, similarity)
        return float(shift[0, 0] + part[0]) * step

    def _widths_of(self, row: int) -> dict[str, Any]:
        stated = {name: float(self._library[name].values[row]) for name in WIDTHS}
        return {n: self._widths[n] if np.isnan(value) else value for n, value in stated.items()}
