"""Chapter: errors of single test spectra, the confusion of valences, and how intervals hold."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from whiteline import plotting
from whiteline.report.page import Part, Picture, Section
from whiteline.report.products import Branch, Products
from whiteline.report.wording import caption, honesty, title


def chapter(products: Products) -> Section:
    """Errors in detail."""
    parts = [_part(products, branch) for branch in products.branches]
    return Section("errors", "Errors in detail", parts)


def _part(products: Products, branch: Branch) -> Part:
    heading = title(products, branch)
    errors = products.ranked_errors(branch)
    if errors is None:
        return Part(heading, ["Without scored scenarios there are no errors to show."])
    values = {
        "scenario": products.ranked_by,
        "measure": products.measure,
        "estimator": products.estimator,
    }
    own = errors[errors["measure"] == products.measure]
    figures = {
        "error": plotting.error_figure(own),
        "confusion": plotting.confusion_figure(confusion(own)),
    }
    if own["width_68%"].notna().any():
        table = coverage(errors, list(products.study["measures"]))
        figures["coverage"] = plotting.coverage_figure(table)
        values["calibration"] = products.calibration
        text = honesty(products)
    else:
        text = (
            "Without a calibration scenario there are no intervals, so their coverage is left out."
        )
    pictures = [
        Picture(f"{name}_{branch.key}", figure, caption(name, **values))
        for name, figure in figures.items()
    ]
    return Part(heading, [text], pictures)


def confusion(errors: pd.DataFrame) -> pd.DataFrame:
    """Number of spectra by true (rows) and estimated (columns) valence."""
    counts = pd.crosstab(errors["true_valence"], errors["valence"])
    columns = sorted({*counts.index, *counts.columns})
    counts = counts.reindex(columns=columns, fill_value=0)
    return counts.rename(index="{:g}".format, columns="{:g}".format)


def coverage(errors: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """Share of spectra whose interval holds the truth, by measure and nominal coverage."""
    columns = [name for name in errors.columns if name.startswith("covered_")]
    table = errors.groupby("measure")[columns].mean().reindex(measures)
    table = table.rename(columns=lambda name: name.removeprefix("covered_"))
    table.attrs["spectra"] = errors["id"].nunique()
    return table
