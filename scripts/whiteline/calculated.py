"""Spectra that other programs have calculated, on a library's energy axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.atomic import edge_splitting, parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.errors import InputError
from whiteline.library import axis_zero
from whiteline.preprocessing.edge import edge_onset
from whiteline.preprocessing.resampling import resample
from whiteline.simulation import AXES, POLARISATION_WEIGHTS, POLARISATIONS

# An axis that holds an energy below this (eV) counts from some zero: no L3 edge lies so low.
ABSOLUTE = 100.0
# A curve must cover this share of the library's grid; beyond, its end values continue it.
MINIMUM_COVER = 0.5
WIDTHS = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")


@dataclass(frozen=True, eq=False)
class Output:
    """One file: its labels, and energy (eV), intensity and polarisations of a curve or sticks."""

    labels: Mapping[str, Any]
    energy: np.ndarray
    intensity: np.ndarray
    components: np.ndarray
    sticks: bool

    def polarised(self, polarisation: str) -> np.ndarray | None:
        """Intensity for light of a kind (`POLARISATION_WEIGHTS`), None where it is not known."""
        if polarisation == "isotropic":
            return self.intensity
        if np.isnan(self.components).any():
            return None
        return self.components @ [POLARISATION_WEIGHTS[polarisation][q] for q in POLARISATIONS]


def library_spectra(
    outputs: xr.Dataset,
    broadenings: Sequence[Mapping[str, float]],
    energy: np.ndarray,
    chemical_shift: float,
    polarisations: Sequence[str],
    energy_zero: str,
    skip: bool,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """All files as columns of a "spectra" contract, and a sentence for each that is left out.

    Curves are resampled as they are; sticks get every one of the ``broadenings``.

    Parameters
    ----------
    outputs
        A dataset of contract "outputs".
    broadenings
        Line widths for sticks, eV, with the keys of `whiteline.broadening.Broadening`.
    energy
        Uniform grid of the library, eV, shape (points,).
    chemical_shift
        eV per unit of valence, for axes that are not absolute.
    polarisations
        Of `POLARISATION_WEIGHTS`; a file that does not tell one has no spectrum for it.
    energy_zero
        Of the files' axes. ``relative``: `whiteline.library.axis_zero` is added, which is right
        where energies count from the difference of the configuration averages. ``absolute``: they
        are taken as they stand. ``onset``: the onset of L3 is laid on the nominal place of L3,
        where that of a simulated spectrum is within 1.5 eV. ``auto``: relative if there are
        energies below 100 eV, else absolute.
    skip
        Whether a file whose spectrum does not lie on the grid is left out.

    Raises
    ------
    InputError
        Names the file whose spectrum does not lie on the grid; or if no spectrum is left.
    """
    rows: list[dict[str, Any]] = []
    faults = []
    for number, output in enumerate(_split(outputs)):
        try:
            shift = _check_place(output, _shift(output, energy_zero, chemical_shift), energy)
        except InputError as error:
            sentence = f"{output.labels['file']}: {error}"
            if not skip:
                raise InputError(sentence) from None
            faults.append(sentence)
        else:
            name = f"{number:05d}_{Path(output.labels['file']).stem}"
            placed = replace(output, energy=output.energy + shift)
            spectra = _broadened(placed, chemical_shift, broadenings, energy, polarisations)
            rows += [{**row, "id": name + row["id"], "energy_shift": shift} for row in spectra]
    if not rows:
        asked = ", ".join(polarisations)
        reason = faults[0] if faults else f"no file tells the polarisation {asked}"
        raise InputError(f"there is no spectrum for the library: {reason}")
    constant = {name: np.zeros(len(rows)) for name in ("energy_uncertainty", "leave_out")}
    constant["scenario"] = np.full(len(rows), "")
    return {name: np.array([row[name] for row in rows]) for name in rows[0]} | constant, faults


def _split(outputs: xr.Dataset) -> Iterator[Output]:
    """The files one by one."""
    names = ("file", "ion", "symmetry", "energy_shift", "l3_l2_boundary", *AXES, *WIDTHS)
    table = {name: outputs[name].values.tolist() for name in names}
    parts = {}
    for prefix in ("curve_", "stick_"):
        ends = np.cumsum(outputs[f"{prefix}row_size"].values)[:-1]
        components = np.split(outputs[f"{prefix}components"].values, ends)
        parts[prefix] = list(zip(contracts.split_rows(outputs, prefix), components, strict=True))
    for row, curve in enumerate(parts["curve_"]):
        sticks = not len(curve[0][0])
        (energy, intensity), components = parts["stick_"][row] if sticks else curve
        labels = {name: values[row] for name, values in table.items()}
        yield Output(labels, energy, intensity, components, sticks)


def _shift(output: Output, energy_zero: str, chemical_shift: float) -> float:
    """What is to be added to the file's energies, eV."""
    ion = parse_ion(output.labels["ion"])
    zero = axis_zero(ion, chemical_shift)
    if energy_zero == "auto":
        energy_zero = "relative" if output.energy[0] < ABSOLUTE else "absolute"
    place = {"relative": zero, "absolute": 0.0}.get(energy_zero)
    if place is None:
        place = zero - edge_splitting(ion.element) / 3 - _onset(output)
    return place + output.labels["energy_shift"]


def _onset(output: Output) -> float:
    energy, intensity = output.energy, output.intensity
    if output.sticks:
        width = Broadening(0.2, 0.4, 0.2)
        energy = np.arange(energy[0] - 10.0, energy[-1] + 10.0, 0.05)
        (intensity,) = broaden(output.energy, intensity, np.inf, [width], energy)
    return edge_onset(energy, intensity, energy[0], energy[-1])


def _check_place(output: Output, shift: float, grid: np.ndarray) -> float:
    """The shift, if it brings the spectrum onto the grid."""
    energy = output.energy + shift
    peak = energy[output.intensity.argmax()]
    cover = (min(energy[-1], grid[-1]) - max(energy[0], grid[0])) / (grid[-1] - grid[0])
    if not grid[0] < peak < grid[-1] or (cover < MINIMUM_COVER and not output.sticks):
        raise InputError(
            f"on the library's axis its energies are {energy[0]:.1f}..{energy[-1]:.1f} eV, the "
            f"highest line at {peak:.1f}, but the grid is {grid[0]:g}..{grid[-1]:g} eV; check "
            "energy_zero and energy_shift"
        )
    return shift


def _broadened(
    output: Output,
    chemical_shift: float,
    broadenings: Sequence[Mapping[str, float]],
    grid: np.ndarray,
    polarisations: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """The spectra of a file on the grid: each polarisation that it tells, sticks at each width."""
    boundary = axis_zero(parse_ion(output.labels["ion"]), chemical_shift)
    boundary += output.labels["l3_l2_boundary"]
    for polarisation in polarisations:
        intensity = output.polarised(polarisation)
        if intensity is None:
            continue
        if output.sticks:
            widths = [Broadening(**width) for width in broadenings]
            spectra = zip(
                broadenings,
                broaden(output.energy, intensity, boundary, widths, grid),
                strict=True,
            )
        else:
            stated = {name: output.labels[name] for name in WIDTHS}
            spectra = [(stated, resample(output.energy, intensity, grid))]
        label = "" if polarisation == "isotropic" else f"_{polarisation}"
        for number, (width, spectrum) in enumerate(spectra):
            yield {
                "intensity": spectrum,
                "id": (f"_{number}" if output.sticks else "") + label,
                "ion": output.labels["ion"],
                "symmetry": output.labels["symmetry"],
                "polarisation": polarisation,
                "valence": float(parse_ion(output.labels["ion"]).valence),
                **{axis: output.labels[axis] for axis in AXES},
                **width,
            }
