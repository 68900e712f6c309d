"""Chapter: the measured spectra with the best library spectrum of each valence."""

from __future__ import annotations

import numpy as np
import xarray as xr

from whiteline import contracts, plotting
from whiteline.alignment import window
from whiteline.report.formatting import (
    NOTHING,
    coverages,
    energy,
    intervals,
    number,
    valences_that_fit,
)
from whiteline.report.page import Part, Picture, Section
from whiteline.report.products import Branch, Measured, Products
from whiteline.report.wording import caption, honesty, title

BROADENING = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")


def chapter(products: Products) -> Section:
    """Best matches of the measured spectra."""
    sets = [(branch, measured) for branch in products.branches for measured in branch.measured]
    if sets:
        text = [caption("fit", measure=products.measure), honesty(products)]
        parts = [Part(text=text), *(_cards(products, *one) for one in sets)]
    else:
        parts = [Part(text=["No measured spectra were given."])]
    return Section("fits", "Best matches of the measured spectra", parts)


def best_fits(measured: Measured, row: int, library: xr.Dataset) -> list[plotting.Fit]:
    """The best library spectrum of each valence, laid on a measured spectrum, best first.

    The measured spectrum is moved by the pair's shift; the simulated one is scaled and offset by
    least squares.
    """
    distance = measured.estimates["candidate_distance"].values[row]
    order = np.argsort(distance, kind="stable")
    return [_fit(measured, row, column, library) for column in order]


def _fit(measured: Measured, row: int, column: int, library: xr.Dataset) -> plotting.Fit:
    """The same for one valence, a column of the candidates."""
    estimates = measured.estimates
    match = int(estimates["candidate_match"].values[row, column])
    recorded = _moved(measured, row, match, library["energy"].values)
    simulated = library["intensity"].values[match]
    design = np.stack([simulated, np.ones_like(simulated)], axis=1)
    factors = np.linalg.lstsq(design, recorded, rcond=None)[0]
    height = np.abs(recorded).max() or 1.0
    spectrum = library.isel(spectrum=match)
    ten_dq = energy(estimates["candidate_ten_dq"].values[row, column])
    distance = number(estimates["candidate_distance"].values[row, column], 3)
    label = f"{plotting.ion_label(str(spectrum['ion'].values))} {spectrum['symmetry'].values}"
    label = label.strip()
    return plotting.Fit(
        valence=float(estimates["candidate"].values[column]),
        heading=f"{label}, 10Dq {ten_dq} eV, distance {distance}",
        details=_details(spectrum, contracts.is_reference(library)[match]),
        measured=recorded / height,
        simulated=design @ factors / height,
    )


def _moved(measured: Measured, row: int, match: int, energies: np.ndarray) -> np.ndarray:
    """A measured spectrum on the library's energies, moved by its shift to one of its spectra."""
    step = (energies[-1] - energies[0]) / (len(energies) - 1)
    shift = measured.shifts["energy_shift"].values[row, match]
    query = measured.queries["intensity"].values[row : row + 1]
    return window(query, int(np.rint(shift / step)), len(energies))[0]


def _details(spectrum: xr.Dataset, is_reference: bool) -> str:
    """Parameters of a library spectrum beside its ion; of a reference, which has few, its name."""

    def text(name: str) -> str:
        return energy(float(spectrum[name].values))

    if is_reference:
        return f"match: the reference {spectrum['id'].values}"
    return (
        f"match: 10Dq {text('ten_dq')}, widths {'/'.join(map(text, BROADENING))} eV, "
        f"Slater {text('slater_reduction')}"
    )


def _cards(products: Products, branch: Branch, measured: Measured) -> Part:
    energies = branch.spectra["energy"].values
    pictures = [
        Picture(
            branch.picture_name("fit", measured, row),
            plotting.fit_figure(energies, best_fits(measured, row, branch.spectra)),
            _words(measured.estimates, row),
            str(measured.queries["id"].values[row]),
        )
        for row in range(measured.queries.sizes["spectrum"])
    ]
    return Part(title(products, branch, measured.collection), pictures=pictures, cards=True)


def _words(estimates: xr.Dataset, row: int) -> str:
    interval = next(intervals(estimates, row), NOTHING)
    ten_dq = energy(estimates["ten_dq"].values[row])
    words = f"Valence {estimates['valence'].values[row]:g}, 10Dq {ten_dq} eV"
    if interval != NOTHING:
        words += f" ({coverages(estimates)[0]}: {interval} eV)"
    words += f"; energy shift {estimates['energy_shift'].values[row]:+.2f} eV."
    if np.isfinite(estimates.attrs["distance_limit"]):
        words += f" Valences that fit: {valences_that_fit(estimates, row)}."
    if estimates["outside_library"].values[row]:
        words += " Outside the library: no identification."
    return words
