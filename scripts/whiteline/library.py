"""Simulated spectra on the library's energy axis, with all that is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.atomic import Ion, edge_energy, parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.simulation import AXES, POLARISATION_WEIGHTS, POLARISATIONS


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
    polarisations: Sequence[str] = ("isotropic",),
    first: int = 0,
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
    polarisations
        Of `POLARISATION_WEIGHTS`; all but isotropic need polarised sticks.
    first
        Number of the first point, for identifiers; the files before hold as many.
    """
    ion = parse_ion(sticks.attrs["ion"])
    zero = axis_zero(ion, chemical_shift)
    widths = [Broadening(**width) for width in broadenings]
    boundary = sticks.attrs["l3_l2_boundary"]
    blocks = [
        broaden(stick_energy, stick_intensity, boundary, widths, energy - zero)
        for polarisation in polarisations
        for stick_energy, stick_intensity in polarised_rows(sticks, polarisation)
    ]
    points, copies = sticks.sizes["point"], len(polarisations) * sticks.sizes["point"]
    count = copies * len(widths)
    return {
        "intensity": np.concatenate([np.empty((0, len(energy))), *blocks]),
        "id": _identifiers(sticks, range(first, first + points), len(widths), polarisations),
        "ion": np.full(count, ion.name),
        "symmetry": np.full(count, sticks.attrs["symmetry"]),
        "polarisation": np.repeat(polarisations, points * len(widths)),
        "valence": np.full(count, float(ion.valence)),
        **{
            name: np.tile(np.repeat(sticks[name].values, len(widths)), len(polarisations))
            for name in AXES
        },
        **{
            name: np.tile([width[name] for width in broadenings], copies)
            for name in broadenings[0]
        },
        "energy_uncertainty": np.zeros(count),
        "scenario": np.full(count, ""),
        "leave_out": np.zeros(count),
        "energy_shift": np.full(count, zero),
    }


def _identifiers(
    sticks: xr.Dataset, numbers: Sequence[int], widths: int, polarisations: Sequence[str]
) -> np.ndarray:
    """Identifiers of all points at all line widths and polarisations, in the library's order."""
    kind = f"{sticks.attrs['ion']}_{sticks.attrs['symmetry']}"
    names = [
        f"{kind}_{number:05d}_{width}" + ("" if light == "isotropic" else f"_{light}")
        for light in polarisations
        for number in numbers
        for width in range(widths)
    ]
    return np.array(names, dtype=str)


def polarised_rows(sticks: xr.Dataset, polarisation: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Energy (eV) and intensity of every point's sticks in one of `POLARISATION_WEIGHTS`."""
    rows = contracts.split_rows(sticks)
    if polarisation == "isotropic":
        return rows
    weights = [POLARISATION_WEIGHTS[polarisation][name] for name in POLARISATIONS]
    intensity = sticks["components"].values.astype(float) @ weights
    ends = np.cumsum(sticks["row_size"].values)[:-1]
    return [
        (energy, part) for (energy, _), part in zip(rows, np.split(intensity, ends), strict=True)
    ]
