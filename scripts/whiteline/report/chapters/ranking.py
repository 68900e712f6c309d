"""Chapter: the measures ranked, with their scores, and the estimators beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from whiteline import plotting
from whiteline.evaluation.ranking import Ranking
from whiteline.report.formatting import NOTHING, number, percent
from whiteline.report.page import Part, Picture, Section, Table
from whiteline.report.products import Branch, Products
from whiteline.report.wording import caption, title

SCORES = {
    "valence_accuracy": "valence right",
    "ten_dq_mae": "10Dq mean abs. error (eV)",
    "ten_dq_median": "median (eV)",
    "ten_dq_p95": "95th percentile (eV)",
    "ten_dq_failure_rate": "off by > 0.3 eV",
    "coverage_68%": "in 68 % interval",
    "coverage_95%": "in 95 % interval",
    "width_68%": "68 % width (eV)",
    "width_95%": "95 % width (eV)",
    "outside_library": "flagged outside",
}
ENERGIES = ("ten_dq_mae", "ten_dq_median", "ten_dq_p95", "width_68%", "width_95%")


def chapter(products: Products) -> Section:
    """Measures ranked."""
    parts = [_part(products, branch) for branch in products.branches]
    return Section("ranking", "Measures ranked", parts)


def _part(products: Products, branch: Branch) -> Part:
    heading = title(products, branch)
    errors = products.ranked_errors(branch)
    if errors is None:
        return Part(heading, ["Without scored scenarios there is nothing to rank."])
    found = products.ranking(branch)
    if found is None:
        text, pictures = "One measure only: there is nothing to rank.", []
        order = list(products.study["measures"])
    else:
        text = _friedman(found, products.ranked_by, errors["id"].nunique())
        pictures = [_picture(products, branch, found)]
        order = list(found.mean_rank.index)
    tables = [
        _overview(products, branch, order),
        _detailed(products, branch, order),
        _estimators(products, branch, order),
    ]
    return Part(heading, [text], pictures, tables)


def _friedman(found: Ranking, scenario: str, spectra: int) -> str:
    words = f"Ranked on the {spectra} spectra of the scenario {scenario!r}"
    if np.isfinite(found.p_value):
        chance = "below 0.001" if found.p_value < 1e-3 else number(found.p_value)
        words += f"; Friedman's test of no difference at all: p {chance}"
    return words + (
        ". A wrong valence counts as worse than any error of 10Dq. Mean ranks farther apart than "
        f"the critical difference of {number(found.critical_difference)} differ (Nemenyi, 5 %)."
    )


def _picture(products: Products, branch: Branch, found: Ranking) -> Picture:
    words = caption(
        "ranking",
        scenario=products.ranked_by,
        estimator=products.estimator,
        difference=number(found.critical_difference),
    )
    figure = plotting.ranking_figure(found, plotting.styles(products.study["measures"]))
    return Picture(f"ranking_{branch.key}", figure, words)


def _rows(
    products: Products, branch: Branch, order: Sequence[str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Shown name and scores of the rows of a table: measures, then baselines."""
    for name in order:
        yield name, products.of(branch, measure=name, estimator=products.estimator)
    for name in plotting.BASELINES:
        yield name.replace("_", " "), products.of(branch, measure="none", estimator=name)


def _pair(scores: pd.DataFrame) -> str:
    """Mean error of 10Dq and accuracy of the valence over all levels of a scenario."""
    if scores.empty:
        return NOTHING
    weight = scores["spectra"].values
    error = np.average(scores["ten_dq_mae"].values, weights=weight)
    right = np.average(scores["valence_accuracy"].values, weights=weight)
    return f"{number(error)} / {percent(right)}"


def _overview(products: Products, branch: Branch, order: Sequence[str]) -> Table:
    rows = [
        [shown, *(_pair(own[own["scenario"] == scenario]) for scenario in products.scored)]
        for shown, own in _rows(products, branch, order)
    ]
    head = [f"{name} (tier {scenario['tier']})" for name, scenario in products.scored.items()]
    note = (
        "10Dq mean absolute error in eV / share of correct valences; a scenario with several "
        "levels: over all of them. Last rows: estimates that look at no spectrum."
    )
    return Table(f"All scenarios by {products.estimator}", ["measure", *head], rows, note)


def _detailed(products: Products, branch: Branch, order: Sequence[str]) -> Table:
    scenario = products.ranked_by
    columns = _columns(products.of(branch, scenario=scenario))
    rows = []
    for shown, own in _rows(products, branch, order):
        mean = own[own["scenario"] == scenario][columns].mean()
        cells = [number(mean[c]) if c in ENERGIES else percent(mean[c]) for c in columns]
        rows.append([shown, *cells])
    head = ["measure", *(SCORES[column] for column in columns)]
    return Table(f"Scenario {scenario} by {products.estimator}", head, rows)


def _columns(scores: pd.DataFrame) -> list[str]:
    """Scores that there are; without calibration none of intervals and the flag."""
    columns = [name for name in SCORES if name in scores]
    if "width_68%" in scores and scores["width_68%"].notna().any():
        return columns
    return [name for name in columns if not name.startswith(("coverage", "width", "outside"))]


def _estimators(products: Products, branch: Branch, order: Sequence[str]) -> Table:
    names = list(products.study["estimators"])
    scenario = products.ranked_by
    rows = []
    for measure in order:
        own = products.of(branch, measure=measure, scenario=scenario)
        rows.append([measure, *(_pair(own[own["estimator"] == name]) for name in names)])
    guesses = products.of(branch, measure="none", scenario=scenario)
    stand = [
        f"{name.replace('_', ' ')} {_pair(guesses[guesses['estimator'] == name])}"
        for name in plotting.BASELINES
    ]
    note = f"10Dq mean absolute error in eV / correct valences. Baselines: {', '.join(stand)}."
    return Table(f"Estimators in the scenario {scenario}", ["measure", *names], rows, note)
