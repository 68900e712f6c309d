"""Chapter: the measured spectra as mixtures of valences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from whiteline import plotting
from whiteline.alignment import window
from whiteline.report.formatting import count, energy, number
from whiteline.report.page import Part, Picture, Section, Table
from whiteline.report.products import Branch, Measured, Products
from whiteline.report.wording import caption, title


def chapter(products: Products) -> Section | None:
    """Fractions of valences, if any query set asks for them."""
    sets = [
        (branch, measured)
        for branch in products.branches
        for measured in branch.measured
        if measured.mixtures is not None
    ]
    if not sets:
        return None
    parts = [Part(text=[caption("mixture", **_calibration(sets[0][1].mixtures))])]
    for branch, measured in sets:
        heading = title(products, branch, measured.collection)
        parts.append(Part(heading, tables=[_table(measured.mixtures)]))
        parts.append(Part(pictures=[*_pictures(branch, measured)], cards=True))
    return Section("mixtures", "Mixtures of valences", parts)


def _calibration(mixtures: xr.Dataset) -> dict[str, str]:
    """What the caption says of simulated spectra of known fractions."""
    spectra = int(mixtures.attrs["calibrated"])
    if not spectra:
        alone = "by an F test of what is left, as there is no calibration scenario"
        return {"calibrated": alone, "stretched": ", without a calibration"}
    pure = count(spectra, "simulated spectrum")
    return {
        "calibrated": f"by an F test of what is left and by {pure} of one valence",
        "stretched": ", and the intervals are stretched to hold the truth of simulated mixtures "
        "as often as they say",
    }


def _table(mixtures: xr.Dataset) -> Table:
    levels = [f"{level:.0%}".replace("%", " %") for level in mixtures["coverage"].values]
    head = ["spectrum"]
    for valence in mixtures["candidate"].values:
        head += [f"valence {valence:g}", *(f"{level} interval" for level in levels)]
    head += ["single valence", "it leaves", "the mixture leaves", "p", "mixture needed"]
    rows = [
        [
            str(mixtures["query_id"].values[row]),
            *_fractions(mixtures, row),
            f"{mixtures['single_valence'].values[row]:g}",
            number(mixtures["single_residual"].values[row]),
            number(mixtures["mixture_residual"].values[row]),
            number(mixtures["p_value"].values[row]),
            "yes" if mixtures["mixture_needed"].values[row] else "no",
        ]
        for row in range(mixtures.sizes["query"])
    ]
    note = "What is left: root mean square, in units of the normalised spectrum."
    return Table("", head, rows, note)


def _fractions(mixtures: xr.Dataset, row: int) -> Iterator[str]:
    for column in range(mixtures.sizes["candidate"]):
        yield energy(mixtures["fraction"].values[row, column])
        low, high = (mixtures[f"fraction_{end}"].values[row, column] for end in ("lower", "upper"))
        for ends in zip(low, high, strict=True):
            yield " … ".join(map(energy, ends))


def _pictures(branch: Branch, measured: Measured) -> Iterator[Picture]:
    mixtures, library = measured.mixtures, branch.spectra
    energies = library["energy"].values
    step = (energies[-1] - energies[0]) / (len(energies) - 1)
    for row in range(mixtures.sizes["query"]):
        moved = mixtures["energy_shift"].values[row] - measured.queries["energy_shift"].values[row]
        query = measured.queries["intensity"].values[row : row + 1]
        figure = plotting.mixture_figure(
            energies,
            window(query, int(np.rint(moved / step)), len(energies))[0],
            float(mixtures["background"].values[row]),
            _components(mixtures, row, library),
        )
        name = str(mixtures["query_id"].values[row])
        yield Picture(branch.picture_name("mixture", measured, row), figure, "", name)


def _components(
    mixtures: xr.Dataset, row: int, library: xr.Dataset
) -> list[tuple[str, float, np.ndarray]]:
    """Name, valence and share of each component that a query has."""
    found = []
    for column, valence in enumerate(mixtures["candidate"].values):
        match = int(mixtures["component"].values[row, column])
        if match < 0:
            continue
        ion = plotting.ion_label(str(library["ion"].values[match]))
        name = f"{ion}, 10Dq {energy(float(library['ten_dq'].values[match]))} eV"
        share = mixtures["amplitude"].values[row, column] * library["intensity"].values[match]
        found.append((name, float(valence), share))
    return found
