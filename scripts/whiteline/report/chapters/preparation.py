"""Chapter: the measured spectra before and after their preparation."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from whiteline import plotting
from whiteline.alignment import window
from whiteline.report.formatting import count, energy, settings
from whiteline.report.page import Part, Picture, Section
from whiteline.report.products import Branch, Measured, Products
from whiteline.report.wording import caption, title

# So much of a record beyond the library's range is kept in its figure, eV.
BEYOND = 20.0


def chapter(products: Products) -> Section:
    """How the measured spectra were prepared."""
    sets = [(branch, measured) for branch in products.branches for measured in branch.measured]
    parts = [_cards(products, *one) for one in sets]
    if parts:
        parts = [Part(text=[caption("preparation")]), *parts]
    else:
        parts = [Part(text=["No measured spectra were given."])]
    return Section("preparation", "Preparation of the measured spectra", parts)


def _cards(products: Products, branch: Branch, measured: Measured) -> Part:
    shown, total = measured.steps.sizes["spectrum"], measured.queries.sizes["spectrum"]
    text = [f"Settings: {settings(json.loads(measured.steps.attrs['preparation']))}."]
    if shown < total:
        text.append(f"The first {shown} of {total} spectra are drawn.")
    pictures = [*_pictures(branch, measured)]
    heading = title(products, branch, measured.collection)
    return Part(heading, text=text, pictures=pictures, cards=True)


def _pictures(branch: Branch, measured: Measured) -> Iterator[Picture]:
    grid = branch.spectra["energy"].values
    steps = measured.steps
    ends = np.cumsum(steps["row_size"].values)[:-1]
    names = ("energy", "intensity", "background", "continuum", "masked", "signal")
    columns = [np.split(steps[name].values, ends) for name in names]
    for row, record in enumerate(zip(*columns, strict=True)):
        before = dict(zip(names, record, strict=True))
        shift = float(measured.queries["energy_shift"].values[row])
        on_axis = before["energy"] + shift
        near = (on_axis > grid[0] - BEYOND) & (on_axis < grid[-1] + BEYOND)
        near = {name: values[near] for name, values in before.items()}
        after = window(measured.queries["intensity"].values[row : row + 1], 0, len(grid))[0]
        masked = int(before["masked"].sum())
        words = (
            f"Onset of L3 at {energy(steps['onset'].values[row])} eV as recorded; "
            f"{count(masked, 'point')} of {len(before['energy'])} masked; moved by "
            f"{shift:+.2f} eV before the search."
        )
        yield Picture(
            branch.picture_name("preparation", measured, row),
            plotting.preparation_figure(near, grid, after, shift),
            words,
            str(steps["id"].values[row]),
        )
