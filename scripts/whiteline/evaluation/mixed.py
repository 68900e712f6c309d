"""Test spectra that are mixtures of valences, for the intervals of fractions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from whiteline.atomic import parse_ion
from whiteline.evaluation.disturbances import disturb
from whiteline.evaluation.from_files import References
from whiteline.evaluation.scenarios import (
    Draw,
    Simulator,
    as_columns,
    draws,
    engine_of,
    generator,
    recorded_axis,
)

# Draws per mixture: of each valence there must be some.
POOL = 4
# What a sample has once.
SHARED = ("temperature",)


def recorded_mixtures(
    library: Mapping[str, Any],
    library_name: str,
    scenario: Mapping[str, Any],
    count: int,
    seed: int,
    references: References | None = None,
) -> tuple[dict[str, np.ndarray], list[dict[float, float]]]:
    """Mixtures disturbed as the spectra of a scenario are.

    Two or more of the library's valences, drawn at random, have fractions of the ions drawn evenly
    from all that add up to one. Each has parameters of its own; widths, temperature and what
    disturbs the sum are common to them.

    Returns
    -------
    columns
        Of a "recorded" contract, ``count`` spectra.
    fractions
        Of each spectrum, by valence; those left out are zero.
    """
    rng = generator(seed, library_name, "mixtures")
    simulator = Simulator(engine_of(scenario, library), library)
    pool = draws({**scenario, "spectra": POOL * count}, library, rng, references)
    of_valence: dict[float, list[Draw]] = {}
    for draw in pool:
        of_valence.setdefault(float(parse_ion(draw.ion).valence), []).append(draw)
    records, fractions = [], []
    for number, common in enumerate(pool[:count]):
        shares = _shares(sorted(of_valence), rng)
        energy = recorded_axis(library, rng)
        clean = np.zeros(len(energy))
        for valence, share in shares.items():
            one = of_valence[valence][rng.integers(len(of_valence[valence]))]
            clean += share * simulator.curve(_beside(one, common), energy)
        energy, intensity = disturb(energy, clean, common.disturbances[0], rng)
        fractions.append(shares)
        records.append(
            {
                "energy": energy,
                "intensity": intensity,
                "id": f"mixture_{number:03d}",
                "ion": "",
                "symmetry": "",
                "scenario": "mixtures",
                "leave_out": False,
                "energy_uncertainty": scenario["energy_uncertainty"],
            }
        )
    return as_columns(records), fractions


def _shares(valences: list[float], rng: np.random.Generator) -> dict[float, float]:
    """Fractions of some of the valences, at least two where there are two."""
    count = rng.integers(min(2, len(valences)), len(valences) + 1)
    chosen = np.sort(rng.choice(valences, count, replace=False))
    return dict(zip(chosen.tolist(), rng.dirichlet(np.ones(count)).tolist(), strict=True))


def _beside(draw: Draw, common: Draw) -> Draw:
    """A component as it is in the sample and the instrument of another."""
    shared = {name: value for name, value in common.parameters.items() if name in SHARED}
    return replace(draw, widths=common.widths, parameters=draw.parameters | shared)
