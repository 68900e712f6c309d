"""Few simulated spectra on which a measure is tried, in a second and without a study."""

from __future__ import annotations

from functools import cache

import numpy as np

ENERGY = 844 + 0.1 * np.arange(400)
IONS = ("Ni2+", "Ni3+")
TEN_DQ = (0.6, 0.9, 1.2, 1.5, 1.8)
SLATER_REDUCTION = (0.7, 0.8, 0.9)
CHEMICAL_SHIFT = 0.8


def spectra(count: int, seed: int = 0, energy: np.ndarray = ENERGY) -> np.ndarray:
    """Spectra of unit maximum with random ion, 10Dq, Slater reduction and widths.

    Parameters
    ----------
    count
        Number of spectra, no two alike.
    seed
        Of the random draws.
    energy
        Uniform grid, eV, shape (points,).

    Returns
    -------
    ndarray of shape (count, points)
    """
    random = np.random.default_rng(seed)
    return _broadened(random.integers(len(_sticks()), size=count), random, energy)


@cache
def labelled(count: int, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Spectra (count, points) as of a library, and the ``valence`` and ``ten_dq`` (eV) of each.

    They are kept, so they are not to be changed.
    """
    sticks = _sticks()
    chosen = np.arange(count) % len(sticks)
    labels = {
        "valence": np.array([float(sticks[i][0].valence) for i in chosen]),
        "ten_dq": np.array([sticks[i][1] for i in chosen]),
    }
    return _broadened(chosen, np.random.default_rng(seed), ENERGY), labels


def _broadened(chosen: np.ndarray, random: np.random.Generator, energy: np.ndarray) -> np.ndarray:
    from whiteline.broadening import Broadening, broaden
    from whiteline.library import axis_zero

    rows = []
    for index in chosen:
        ion, _, boundary, sticks = _sticks()[index]
        width = Broadening(*random.uniform((0.2, 0.3, 0.1), (0.4, 0.6, 0.4)))
        axis = energy - axis_zero(ion, CHEMICAL_SHIFT)
        (row,) = broaden(sticks.energy, sticks.intensity, boundary, [width], axis)
        rows.append(row / row.max())
    return np.array(rows, dtype=float).reshape(len(chosen), len(energy))


@cache
def _sticks() -> tuple:
    """Ion, 10Dq, boundary of L3 and L2, and sticks of every point."""
    from whiteline import engines
    from whiteline.atomic import parse_ion
    from whiteline.simulation import Parameters

    found = []
    for ion in map(parse_ion, IONS):
        engine = engines.load("multiplet", ion, "Oh")
        for ten_dq in TEN_DQ:
            for reduction in SLATER_REDUCTION:
                sticks = engine.sticks(Parameters(ten_dq=ten_dq, slater_reduction=reduction))
                found.append((ion, ten_dq, engine.l3_l2_boundary, sticks))
    return tuple(found)
