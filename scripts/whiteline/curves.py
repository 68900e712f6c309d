"""Simulated spectra and sticks as curves with labels, and as text tables for other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from whiteline import __version__, engines
from whiteline.library import polarised_rows
from whiteline.simulation import AXES

WIDTHS = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")


@dataclass(frozen=True, eq=False)
class Curve:
    """One spectrum, or the sticks of one point.

    ``varied`` are the values by which it differs from the others, by parameter; ``energy`` (eV)
    and ``intensity`` have shape (points,).
    """

    varied: dict[str, float]
    polarisation: str
    energy: np.ndarray
    intensity: np.ndarray


def of_spectra(spectra: xr.Dataset, varied: Sequence[str]) -> list[Curve]:
    """The rows of a dataset of contract "spectra"."""
    energy = spectra["energy"].values
    return [
        Curve(_values(spectra, varied, row), str(polarisation), energy, intensity)
        for row, (polarisation, intensity) in enumerate(
            zip(spectra["polarisation"].values, spectra["intensity"].values, strict=True)
        )
    ]


def of_sticks(
    sticks: xr.Dataset, varied: Sequence[str], polarisations: Sequence[str]
) -> list[Curve]:
    """The points of a dataset of contract "sticks" in each polarisation, at their place."""
    return [
        Curve(_values(sticks, varied, row), polarisation, energy + sticks.attrs["zero"], intensity)
        for polarisation in polarisations
        for row, (energy, intensity) in enumerate(polarised_rows(sticks, polarisation))
    ]


def _values(data: xr.Dataset, varied: Sequence[str], row: int) -> dict[str, float]:
    return {name: float(data[name].values[row]) for name in varied}


def name(curve: Curve, polarised: bool) -> str:
    """What tells a curve from the others, e.g. ``ten_dq=0.9 ds=0.1``; empty if nothing does."""
    parts = [f"{parameter}={value:g}" for parameter, value in curve.varied.items()]
    return " ".join([*parts, *([curve.polarisation] if polarised else [])])


def several_polarisations(curves: Sequence[Curve]) -> bool:
    """Whether curves differ by their polarisation."""
    return len({curve.polarisation for curve in curves}) > 1


def spectra_table(curves: Sequence[Curve], comments: Sequence[str]) -> str:
    """CSV for plotting programs: the energies, then a column for each spectrum.

    What is the same for all stands in comments, lines that begin with ``#``; what differs is the
    name of the column.
    """
    polarised = several_polarisations(curves)
    names = [name(curve, polarised) or "intensity (1/eV)" for curve in curves]
    columns = np.column_stack([curves[0].energy, *(curve.intensity for curve in curves)])
    return _csv(comments, ["energy (eV)", *names], columns)


def sticks_table(curves: Sequence[Curve], comments: Sequence[str]) -> str:
    """CSV with a row for each stick: the varied parameters, energy, intensity by polarisation."""
    polarisations = list(dict.fromkeys(curve.polarisation for curve in curves))
    points = len(curves) // len(polarisations)
    blocks = []
    for number, curve in enumerate(curves[:points]):
        values = np.tile(list(curve.varied.values()), (len(curve.energy), 1))
        intensities = [other.intensity for other in curves[number::points]]
        blocks.append(np.column_stack([values, curve.energy, *intensities]))
    intensity = polarisations if len(polarisations) > 1 else ["intensity"]
    varied = [f"{name} ({AXES[name].units})" for name in curves[0].varied]
    return _csv(comments, [*varied, "energy (eV)", *intensity], np.concatenate(blocks))


def comments(data: xr.Dataset, varied: Sequence[str]) -> list[str]:
    """What all curves of a dataset share, one fact a line."""
    facts = data.attrs
    spectra = facts["contract"] == "spectra"
    place = f" + {facts['zero']:g}" if facts["zero"] else ""
    lines = [
        f"Whiteline {__version__}: {facts['ion']} in {facts['symmetry']}, "
        f"engine {facts['engine']} {facts['version']}",
        f"energy: eV, E_final - E_initial{place}",
        f"intensity: squared matrix elements of C1_q{' per eV' if spectra else ''}",
    ]
    for parameter in (*_meaningful(facts), *(WIDTHS if spectra else ())):
        units, values = data[parameter].attrs["units"], data[parameter].values
        if parameter in varied:
            lines.append(f"{parameter}: varied, {units}")
        elif np.isfinite(values).all():
            lines.append(f"{parameter}: {values[0]:g} {units}".removesuffix(" 1"))
    if spectra:
        kinds = dict.fromkeys(data["polarisation"].values.astype(str))
        lines.append(f"polarisation: {', '.join(kinds)}")
    return lines


def _meaningful(facts: Mapping[str, Any]) -> list[str]:
    """The parameters that the engine knows and the symmetry has."""
    known = engines.facts(facts["engine"]).parameters
    return [
        name
        for name, axis in AXES.items()
        if name in known and facts["symmetry"] in (axis.symmetries or (facts["symmetry"],))
    ]


def _csv(comments: Sequence[str], names: Sequence[str], columns: np.ndarray) -> str:
    head = [*(f"# {line}" for line in comments), ",".join(names)]
    rows = [",".join(f"{value:.8g}" for value in row) for row in columns]
    return "\n".join([*head, *rows, ""])
