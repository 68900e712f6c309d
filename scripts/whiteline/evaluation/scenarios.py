"""Test spectra with known truth: which parameters they have and how they are disturbed.

Tiers: a, spectra of the library whose own ion and 10Dq are left out of it; b, 10Dq off the grid,
all else as in the library; c, widths, Slater reduction, temperature, shift, background and noise
too; d, as c, but simulated by another engine than the library.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from whiteline import engines
from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.evaluation.disturbances import disturb
from whiteline.evaluation.from_files import References
from whiteline.grids import grid
from whiteline.library import axis_zero
from whiteline.sampling import is_range, limits
from whiteline.simulation import AXES, Parameters, Sticks

# Test spectra are recorded this far beyond the library's grid, eV.
AXIS_MARGIN = 8.0
RAGGED = ("energy", "intensity")
# What the sticks of a test spectrum, and where they lie, depend on.
SIMULATED = ("ion", "symmetry", "zero", "parameters")
BOTH_EDGES = "lorentzian_hwhm"
BROADENING = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")


@dataclass(frozen=True)
class Draw:
    """One test spectrum: what it is, and the disturbances at each level.

    ``parameters`` are those of the engine, ``widths`` those of the broadening, ``disturbances``
    has one entry per level and ``levels`` their strengths (NaN where nothing is varied). ``zero``
    is where the engine's zero lies on the library's axis, eV.
    """

    ion: str
    symmetry: str
    zero: float
    parameters: dict[str, float]
    widths: dict[str, float]
    disturbances: list[dict[str, float]]
    levels: list[float]


def generator(seed: int, *names: str) -> np.random.Generator:
    """The random generator of a named purpose; adding another purpose does not change it."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def draws(
    scenario: Mapping[str, Any],
    library: Mapping[str, Any],
    rng: np.random.Generator,
    references: References | None = None,
) -> list[Draw]:
    """Draw the test spectra of a scenario.

    Those beyond the first ``points``, where the scenario says so, share the ions and parameters of
    the first in turn, and so their sticks; widths and disturbances are their own.

    Parameters
    ----------
    scenario, library
        Their configurations, with defaults filled in.
    rng
        Source of every draw.
    references
        The spectra of a library of other programs' files, which then tell ions and parameters.
    """
    drawn = [_draw(scenario, library, rng, references) for _ in range(scenario["spectra"])]
    points = scenario.get("points", len(drawn))
    return [
        replace(draw, **{name: getattr(drawn[number % points], name) for name in SIMULATED})
        for number, draw in enumerate(drawn)
    ]


def _draw(
    scenario: Mapping[str, Any],
    library: Mapping[str, Any],
    rng: np.random.Generator,
    references: References | None,
) -> Draw:
    if references is None:
        parameters = _of_axes(scenario, library, rng)
    else:
        truth = references.draw(scenario["tier"], rng)
        parameters = truth.parameters
    widths = dict(library["broadening"][rng.integers(len(library["broadening"]))])
    for name, ends in scenario["draw"].items():
        value = _uniform(ends, rng)
        if name == BOTH_EDGES:
            widths |= dict.fromkeys(("lorentzian_hwhm_l3", "lorentzian_hwhm_l2"), value)
        else:
            (widths if name in BROADENING else parameters)[name] = value
    fixed = {name: _uniform(ends, rng) for name, ends in scenario["disturb"].items()}
    (varied, levels) = next(iter(scenario["vary"].items()), (None, [np.nan]))
    if references is None:
        ion, symmetry = (str(rng.choice(library[name])) for name in ("ions", "symmetry"))
        zero = axis_zero(parse_ion(ion), library["chemical_shift"])
    else:
        ion, symmetry, zero = truth.ion, truth.symmetry, truth.zero
    return Draw(
        ion=ion,
        symmetry=symmetry,
        zero=zero,
        parameters=parameters,
        widths=widths,
        disturbances=[fixed if varied is None else {**fixed, varied: level} for level in levels],
        levels=[float(level) for level in levels],
    )


def _of_axes(
    scenario: Mapping[str, Any], library: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, float]:
    """Parameters on the axes of a simulated library, 10Dq anywhere in between but in tier a."""
    axes = {axis: library[axis] for axis in AXES if axis in library}
    parameters = {axis: _on_axis(spec, rng) for axis, spec in axes.items()}
    if scenario["tier"] != "a":
        parameters["ten_dq"] = _uniform(limits(axes["ten_dq"]), rng)
    return parameters


def _on_axis(spec: Any, rng: np.random.Generator) -> float:
    return _uniform(limits(spec), rng) if is_range(spec) else float(rng.choice(grid(spec)))


def _uniform(ends: float | list[float], rng: np.random.Generator) -> float:
    low, high = np.broadcast_to(ends, 2)
    # No noise is written as an infinite ratio, which is no end of a range.
    return float(low) if np.isinf(low) else float(rng.uniform(low, high))


def recorded_scenarios(
    library: Mapping[str, Any],
    library_name: str,
    scenarios: Mapping[str, Any],
    seed: int,
    references: References | None = None,
) -> dict[str, np.ndarray]:
    """All test spectra of a library as columns of a "recorded" contract.

    Parameters
    ----------
    library
        Configuration of the library.
    library_name
        Its name, which with the scenario's name and ``seed`` determines every draw.
    scenarios
        Configurations by name.
    references
        The spectra of a library of other programs' files.
    """
    records: list[dict[str, Any]] = []
    # Scenarios share them, because an engine takes longer to set up than for many spectra.
    simulators: dict[str, Simulator] = {}
    for name, scenario in scenarios.items():
        rng = generator(seed, library_name, name)
        kind = engine_of(scenario, library)
        simulator = simulators.setdefault(kind, Simulator(kind, library))
        for number, draw in enumerate(draws(scenario, library, rng, references)):
            for disturbances, level in zip(draw.disturbances, draw.levels, strict=True):
                energy = recorded_axis(library, rng)
                clean = simulator.curve(draw, energy)
                energy, intensity = disturb(energy, clean, disturbances, rng)
                records.append(
                    {
                        "energy": energy,
                        "intensity": intensity,
                        "id": f"{name}_{number:03d}" + ("" if np.isnan(level) else f"_{level:g}"),
                        "scenario": name,
                        "level": level,
                        "leave_out": scenario["tier"] == "a",
                        "energy_uncertainty": scenario["energy_uncertainty"],
                        **_truth(draw),
                    }
                )
    return as_columns(records)


def recorded_axis(library: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    """An axis as an instrument might have it, eV."""
    grid_energy = grid(library["energy"])
    step = grid_energy[1] - grid_energy[0]
    # No instrument shares the library's grid: its axis starts somewhere between two grid points.
    start = grid_energy[0] - AXIS_MARGIN + rng.uniform(0, step)
    return np.arange(start, grid_energy[-1] + AXIS_MARGIN, step)


def engine_of(scenario: Mapping[str, Any], library: Mapping[str, Any]) -> str:
    """The kind of engine that simulates the spectra of a scenario."""
    return scenario.get("engine", library["engine"])


class Simulator:
    """Curves of draws by one engine, each point simulated once."""

    def __init__(self, kind: str, library: Mapping[str, Any]) -> None:
        self._kind = kind
        # The settings of the library are those of its own engine.
        self._settings = engines.settings(library) if kind == library["engine"] else {}
        self._engines: dict[tuple[str, str], engines.Engine] = {}
        self._sticks: dict[tuple, Sticks] = {}

    def curve(self, draw: Draw, energy: np.ndarray) -> np.ndarray:
        """The clean spectrum of a draw on an axis (eV), its area in proportion to the holes."""
        sticks, boundary = self._simulated(draw)
        widths, axis = [Broadening(**draw.widths)], energy - draw.zero
        (clean,) = broaden(sticks.energy, sticks.intensity, boundary, widths, axis)
        return clean

    def _simulated(self, draw: Draw) -> tuple[Sticks, float]:
        """The sticks of a draw, and the energy between L3 and L2 on their axis, eV."""
        site = (draw.ion, draw.symmetry)
        if site not in self._engines:
            self._engines[site] = engines.load(
                self._kind, parse_ion(draw.ion), draw.symmetry, **self._settings
            )
        engine = self._engines[site]
        point = (*site, *sorted(draw.parameters.items()))
        if point not in self._sticks:
            self._sticks[point] = engine.sticks(Parameters(**draw.parameters))
        return self._sticks[point], engine.l3_l2_boundary


def _truth(draw: Draw) -> dict[str, Any]:
    parameters = {"slater_reduction_pd": draw.parameters["slater_reduction"], **draw.parameters}
    return {
        "ion": draw.ion,
        "symmetry": draw.symmetry,
        "valence": parse_ion(draw.ion).valence,
        **parameters,
        **draw.widths,
    }


def as_columns(records: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Records as columns of a "recorded" contract."""
    found = {
        name: np.array([r[name] for r in records]) for name in records[0] if name not in RAGGED
    }
    found |= {name: np.concatenate([r[name] for r in records]) for name in RAGGED}
    return found | {"row_size": np.array([len(r["energy"]) for r in records])}
