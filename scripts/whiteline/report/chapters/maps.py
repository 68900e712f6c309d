"""Chapter: maps of a slice or sample of the library with the measured spectra; their scores."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from whiteline import plotting
from whiteline.evaluation.map_quality import KEPT
from whiteline.report.formatting import number
from whiteline.report.page import Part, Picture, Section, Table
from whiteline.report.products import Branch, Products
from whiteline.report.wording import caption, title

SCORES = {
    "trustworthiness": "trustworthiness",
    "continuity": "continuity",
    "ten_dq_rank_correlation": "rank correlation with 10Dq",
    "valence_separation": "separation of valences",
}


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
    return Part(title(products, branch), text, pictures, _quality(products, branch))


def _picture(products: Products, branch: Branch, name: str) -> Picture:
    embedding = branch.maps[name]
    words = caption(
        "map",
        embedding=name,
        measure=products.measure,
        shown=_shown(products, branch, embedding),
        placing=embedding.attrs["placing"],
        key=_key(embedding),
    )
    figure = plotting.map_figure(embedding)
    return Picture(f"map_{name}_{branch.key}", figure, words, f"Map {name}")


def _shown(products: Products, branch: Branch, embedding: xr.Dataset) -> str:
    """What the map is of, and how much of it is drawn."""
    count = int((embedding["is_query"].values == 0).sum())
    of = (
        "a random sample of the library"
        if "sample" in products.study["libraries"][branch.library]["map"]
        else "a slice of the library"
    )
    drawn = f", {plotting.DRAWN:,} of them drawn" if count > plotting.DRAWN else ""
    return f"{of} ({count:,} spectra{drawn})"


def _quality(products: Products, branch: Branch) -> list[Table]:
    """The scores of the maps that are shown."""
    table = products.map_quality
    if table.empty:
        return []
    wanted = {
        "library": branch.library,
        "preprocessing": branch.preprocessing,
        "measure": products.measure,
    }
    own = table[(table[[*wanted]] == pd.Series(wanted)).all(axis=1)]
    rows = [
        [row["embedding"], *(number(row[name], 3) for name in SCORES)] for _, row in own.iterrows()
    ]
    note = (
        f"1 is best. Trustworthiness: the {KEPT} nearest in the map are near by distance; "
        "continuity: the reverse. Rank correlation: of distances in the map with differences of "
        "10Dq within a valence. Separation: mean silhouette of the valences, below 0 where they "
        "mix. In a map of more spectra than landmarks these are estimates from the landmarks. "
        "All measures are in results/map_quality.csv."
    )
    return [Table(f"Maps of {products.measure} distances", ["map", *SCORES.values()], rows, note)]


def _key(embedding: xr.Dataset) -> str:
    """Which number stands for which measured spectrum."""
    ids = embedding["id"].values[embedding["is_query"].values == 1]
    if not len(ids):
        return "There are no measured spectra in it."
    key = ", ".join(f"{place} {name}" for place, name in enumerate(ids, start=1))
    return "" if len(ids) <= plotting.NAMED else f"Measured: {key}."
