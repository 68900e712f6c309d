"""Chapter: maps of a slice of the library with the measured spectra."""

from __future__ import annotations

import xarray as xr

from whiteline import plotting
from whiteline.report.page import Part, Picture, Section
from whiteline.report.products import Branch, Products
from whiteline.report.wording import caption, title


def chapter(products: Products) -> Section:
    """Maps."""
    return Section("maps", "Maps", [_part(products, branch) for branch in products.branches])


def _part(products: Products, branch: Branch) -> Part:
    pictures = [
        _picture(products, branch, name)
        for name, embedding in branch.maps.items()
        if embedding.sizes["component"] > 1
    ]
    text = [] if pictures else ["No map with two components was configured."]
    return Part(title(products, branch), text, pictures)


def _picture(products: Products, branch: Branch, name: str) -> Picture:
    embedding = branch.maps[name]
    words = caption(
        "map",
        embedding=name,
        measure=products.measure,
        spectra=int((embedding["is_query"].values == 0).sum()),
        key=_key(embedding),
    )
    figure = plotting.map_figure(embedding)
    return Picture(f"map_{name}_{branch.key}", figure, words, f"Map {name}")


def _key(embedding: xr.Dataset) -> str:
    """Which number stands for which measured spectrum."""
    ids = embedding["id"].values[embedding["is_query"].values == 1]
    if not len(ids):
        return "There are no measured spectra in it."
    key = ", ".join(f"{place} {name}" for place, name in enumerate(ids, start=1))
    return "" if len(ids) <= plotting.NAMED else f"Measured: {key}."
