"""Chapter: errors of single test spectra, the confusion of valences, and how intervals hold."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from whiteline import plotting
from whiteline.evaluation.calibration import SET_COVERAGE
from whiteline.report.formatting import NOTHING, number, percent
from whiteline.report.page import Part, Picture, Section, Table
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
    tables = []
    if own["width_68%"].notna().any():
        tables = [_held(products, branch)]
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
    return Part(heading, [text], pictures, tables)


def _held(products: Products, branch: Branch) -> Table:
    """How often intervals and sets of valences hold the truth, by scenario and level."""
    scores = products.of(branch, measure=products.measure, estimator=products.estimator)
    rows = [
        [
            f"{row['scenario']} (tier {row['tier']})",
            NOTHING if pd.isna(row["level"]) else f"{row['level']:g}".replace("inf", "∞"),
            f"{row['spectra']:.0f}",
            *(percent(row[f"coverage_{level}"]) for level in ("68%", "95%")),
            *(number(row[f"width_{level}"]) for level in ("68%", "95%")),
            percent(row["coverage_valence"]),
            number(row["valences_that_fit"], 3),
            number(row["ten_dq_bound"]),
        ]
        for _, row in scores.iterrows()
    ]
    head = ["scenario", "level", "spectra", "68 % intervals hold", "95 % intervals hold"]
    head += ["their mean width (eV)", "that of 95 % (eV)", "sets hold the valence"]
    head += ["valences in a set", "bound of the error (eV)"]
    note = (
        f"By {products.measure} and {products.estimator}. Intervals and sets are claimed for "
        f"spectra like those of the scenario {products.calibration!r}; they are longer than need "
        "be for cleaner ones and too short for worse ones. Sets of valences are meant to hold the "
        f"true one with at least {percent(SET_COVERAGE)}. Bound: median of Cramér and Rao's."
    )
    return Table("Intervals and sets of valences by scenario", head, rows, note)


def confusion(errors: pd.DataFrame) -> pd.DataFrame:
    """Number of spectra by true (rows) and estimated (columns) valence."""
    counts = pd.crosstab(errors["true_valence"], errors["valence"])
    columns = sorted({*counts.index, *counts.columns})
    counts = counts.reindex(columns=columns, fill_value=0)
    return counts.rename(index="{:g}".format, columns="{:g}".format)


def coverage(errors: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """Share of spectra whose interval holds the truth, by measure and nominal coverage."""
    columns = [n for n in errors.columns if n.startswith("covered_") and n.endswith("%")]
    table = errors.groupby("measure")[columns].mean().reindex(measures)
    table = table.rename(columns=lambda name: name.removeprefix("covered_"))
    table.attrs["spectra"] = errors["id"].nunique()
    return table
