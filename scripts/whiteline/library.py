"""Simulated spectra on the library's energy axis, with all that is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.atomic import Ion, edge_energy, parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.grids import AXES


def axis_zero(ion: Ion, chemical_shift: float) -> float:
    """Energy (eV) on the library's axis of the sticks' zero, the configuration average.

    The edge's tabulated place, moved by ``chemical_shift`` eV for each unit of valence above 2. No
    calculation predicts absolute places within better than about 1 eV, so valence must come out of
    the shape unless the measured axis is calibrated.
    """
    return edge_energy(ion.element) + chemical_shift * (ion.valence - 2)


def library_spectra(
    sticks: xr.Dataset,
    broadenings: Sequence[Mapping[str, float]],
    energy: np.ndarray,
    chemical_shift: float,
) -> dict[str, np.ndarray]:
    """All points of a stick file at all line widths, as columns of a "spectra" contract.

    Parameters
    ----------
    sticks
        A dataset of contract "sticks".
    broadenings
        Line widths, eV, with the keys of `whiteline.broadening.Broadening`.
    energy
        Uniform grid of the library, eV, shape (points,).
    chemical_shift
        eV per unit of valence.
    """
    ion = parse_ion(sticks.attrs["ion"])
    zero = axis_zero(ion, chemical_shift)
    widths = [Broadening(**width) for width in broadenings]
    boundary = sticks.attrs["l3_l2_boundary"]
    intensity = [
        broaden(stick_energy, stick_intensity, boundary, widths, energy - zero)
        for stick_energy, stick_intensity in contracts.split_rows(sticks)
    ]
    points, count = len(intensity), len(intensity) * len(widths)
    symmetry = sticks.attrs["symmetry"]
    return {
        "intensity": np.concatenate(intensity),
        "id": np.array(
            [
                f"{ion.name}_{symmetry}_{p:05d}_{w}"
                for p in range(points)
                for w in range(len(widths))
            ]
        ),
        "ion": np.full(count, ion.name),
        "symmetry": np.full(count, symmetry),
        "valence": np.full(count, float(ion.valence)),
        **{name: np.repeat(sticks[name].values, len(widths)) for name in AXES},
        **{
            name: np.tile([width[name] for width in broadenings], points)
            for name in broadenings[0]
        },
        "energy_uncertainty": np.zeros(count),
        "scenario": np.full(count, ""),
        "leave_out": np.zeros(count),
        "energy_shift": np.full(count, zero),
    }
