"""Chapter: what was run, with which versions, libraries, measures, estimators and scenarios."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

import numpy as np
import xarray as xr

from whiteline import __version__, plotting, sampling
from whiteline.grids import grid
from whiteline.report.formatting import NOTHING, count, setting, settings
from whiteline.report.page import Part, Section, Table
from whiteline.report.products import Branch, Products, levels
from whiteline.simulation import AXES

WIDTHS = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "xarray", "netCDF4", "plotly", "snakemake")


def chapter(products: Products) -> Section:
    """What was run."""
    study = products.study
    tables = [_libraries(products), _measures(study), _estimators(study)]
    if study["scenarios"]:
        tables.append(_scenarios(products))
    calibration = products.calibration
    text = [
        f"Whiteline {__version__}, Python {platform.python_version()}, {', '.join(_versions())}. "
        f"Seed of every random draw: {study['seed']}. "
        + (f"Calibrated by the scenario {calibration!r}." if calibration else "Not calibrated.")
    ]
    if not study["scenarios"]:
        text.append("No scenarios were configured, so nothing was scored.")
    ways = "; ".join(f"{name}: {settings(way)}" for name, way in study["preprocessings"].items())
    part = Part(text=[*text, f"Preprocessing: {ways}."], tables=tables)
    return Section("run", "What was run", [part, *_skipped(products)])


def _skipped(products: Products) -> Iterator[Part]:
    """What was wrong with the files of other programs that were left out."""
    for name, branch in {branch.library: branch for branch in products.branches}.items():
        sentences = json.loads(branch.spectra.attrs.get("skipped", "[]"))
        if sentences:
            left_out = count(len(sentences), "file")
            heading = f"Library {name}: {left_out} of calculated spectra left out"
            yield Part(heading=heading, text=sentences)


def _versions() -> Iterator[str]:
    for name in PACKAGES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue


def _libraries(products: Products) -> Table:
    libraries = {branch.library: branch for branch in products.branches}
    rows = [
        [name, *_library(products.study["libraries"][name], branch)]
        for name, branch in libraries.items()
    ]
    head = ["library", "ions", "symmetry", "axes", "line widths (eV)", "spectra", "energy (eV)"]
    note = "Line widths: Lorentzian HWHM of L3 / of L2 / Gaussian standard deviation."
    return Table("Libraries", head, rows, note)


def _library(library: Mapping[str, Any], branch: Branch) -> list[str]:
    if library["engine"] == "files":
        axes, widths = ["from files", *_axes_found(branch.spectra)], _widths_found(branch.spectra)
    else:
        axes = [_axis(axis, library) for axis in AXES if axis in library]
        widths = [_widths(*(w[name] for name in WIDTHS)) for w in library["broadening"]]
    scale = library["energy"]
    return [
        ", ".join(plotting.ion_label(ion) for ion in library["ions"]),
        ", ".join(library["symmetry"]),
        "; ".join(axes),
        "; ".join(widths),
        f"{branch.spectra.sizes['spectrum']:,}",
        f"{scale['start']:g} … {scale['stop']:g} in steps of {scale['step']:g} "
        f"({branch.spectra.sizes['energy']} points)",
    ]


def _widths(*values: float) -> str:
    return " / ".join(f"{value:g}" if np.isfinite(value) else NOTHING for value in values)


def _axes_found(spectra: xr.Dataset) -> Iterator[str]:
    """The parameters that are known of other programs' spectra, with their ranges."""
    for axis in AXES:
        values = np.unique(spectra[axis].values[np.isfinite(spectra[axis].values)])
        if values.size:
            yield _axis(axis, {axis: values.tolist()})


def _widths_found(spectra: xr.Dataset) -> list[str]:
    table = np.column_stack([spectra[name].values for name in WIDTHS])
    return list(dict.fromkeys(_widths(*row) for row in np.unique(table, axis=0)))


def _axis(axis: str, library: Mapping[str, Any]) -> str:
    label, spec = AXES[axis].label, library[axis]
    unit = "" if AXES[axis].units == "1" else f" {AXES[axis].units}"
    low, high = sampling.limits(spec)
    if low == high:
        return f"{label} {low:g}{unit}"
    how = "sampled" if sampling.is_range(spec) else f"{len(grid(spec))} values"
    return f"{label} {low:g} … {high:g}{unit} ({how})"


def _measures(study: Mapping[str, Any]) -> Table:
    from whiteline import measures

    rows = []
    for name, spec in study["measures"].items():
        bound = measures.load(**spec)
        tolerant = "yes" if bound.facts.tolerates_shift else "no"
        rows.append(
            [name, bound.facts.name, settings(bound.parameters), tolerant, bound.facts.reference]
        )
    head = ["measure", "kind", "parameters", "tolerates shifts", "defined in"]
    return Table("Measures", head, rows)


def _estimators(study: Mapping[str, Any]) -> Table:
    rows = []
    for name, spec in study["estimators"].items():
        given = {key: value for key, value in spec.items() if key != "kind"}
        rows.append([name, spec["kind"], settings(given) if given else "defaults"])
    return Table("Estimators", ["estimator", "kind", "parameters"], rows)


def _tier(scenario: Mapping[str, Any]) -> str:
    """The tier, with the engine of tier d."""
    return (
        f"{scenario['tier']} ({scenario['engine']})" if "engine" in scenario else scenario["tier"]
    )


def _scenarios(products: Products) -> Table:
    rows = []
    for name, scenario in products.study["scenarios"].items():
        role = "calibration" if name == products.calibration else "scored"
        several = len(levels(scenario))
        spectra = f"{scenario['spectra']}" + (f" × {several}" if several > 1 else "")
        drawn = [settings(scenario[key]) for key in ("draw", "disturb", "vary")]
        rows.append(
            [
                name,
                _tier(scenario),
                role,
                spectra,
                setting(scenario["energy_uncertainty"]),
                *drawn,
            ]
        )
    head = ["scenario", "tier", "use", "spectra", "shift searched (± eV)", "drawn", "disturbed by"]
    note = (
        "Tier a: spectra of the library with their own ion and 10Dq left out of it; b: 10Dq off "
        "the grid; c: also unlike the library in what is drawn and disturbed; d: as c, from "
        "another engine. Energies and widths "
        "in eV, temperature in K, snr and counts at the peak, background in peak heights."
    )
    return Table("Scenarios", [*head, "varied"], rows, note)
