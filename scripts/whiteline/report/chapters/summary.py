"""Chapter: what came out, in words, and the estimates of the measured spectra."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from whiteline import plotting
from whiteline.evaluation.ranking import Ranking
from whiteline.report.formatting import count, number, percent
from whiteline.report.outcomes import outcome_table, outcome_words
from whiteline.report.page import Part, Section
from whiteline.report.products import Branch, Products, spectra_in
from whiteline.report.wording import honesty, title

NOISE = (
    "Distances grow with noise: the limit beyond which a match is flagged holds for spectra as "
    "noisy as those of the scenario {calibration!r}."
)


def chapter(products: Products) -> Section:
    """The summary."""
    return Section("summary", "Summary", [_words(products), *_outcomes(products)])


def _words(products: Products) -> Part:
    text = [_simulated(products) + _compared(products)]
    for branch in products.branches:
        text.append(title(products, branch, _ranked(products, branch)))
    if not any(branch.measured for branch in products.branches):
        text.append("No measured spectra were given.")
    text.append(honesty(products))
    if products.calibration:
        text[-1] += " " + NOISE.format(calibration=products.calibration)
    return Part(text=text)


def _simulated(products: Products) -> str:
    study = products.study
    libraries = {branch.library: branch for branch in products.branches}
    parts = []
    for name, branch in libraries.items():
        ions = ", ".join(map(plotting.ion_label, study["libraries"][name]["ions"]))
        source = ", from files" if study["libraries"][name]["engine"] == "files" else ""
        size = f"{branch.spectra.sizes['spectrum']:,} L2,3 spectra of {ions}"
        parts.append(f"{size} ({name}{source})")
    words = f"Simulated: {'; '.join(parts)}."
    tests = spectra_in(products.scored)
    if tests:
        scenarios = count(len(products.scored), "scenario")
        measures = count(len(study["measures"]), "measure")
        estimators = count(len(study["estimators"]), "estimator")
        words += (
            f" Tested for each library: {tests:,} simulated spectra of known valence and 10Dq, in "
            f"{scenarios}, by {measures} and {estimators}."
        )
    return words


def _compared(products: Products) -> str:
    sets = {m.collection: m for branch in products.branches for m in branch.measured}
    total = sum(m.queries.sizes["spectrum"] for m in sets.values())
    return f" Compared with it: {count(total, 'measured spectrum')}." if sets else ""


def _ranked(products: Products, branch: Branch) -> str:
    errors = products.ranked_errors(branch)
    if errors is None:
        return "no scored scenario, so measures were not compared."
    scenario = products.ranked_by
    found = products.ranking(branch)
    if found is None:
        words = _error_words(errors, products.measure)
        return f"one measure only; in the scenario {scenario!r}, {words}."
    best = found.mean_rank.index[0]
    words = (
        f"the best-ranked of {len(found.mean_rank)} measures in the scenario {scenario!r} (tier "
        f"{products.scored[scenario]['tier']}) is {best}: {_error_words(errors, best)}; "
    )
    words += _rivals(found)
    if products.measure != best:
        words += f" Fits and maps below use {products.measure}: "
        words += _error_words(errors, products.measure) + "."
    return words


def _rivals(found: Ranking) -> str:
    """The measures within the critical difference of the best."""
    limit = found.mean_rank.iloc[0] + found.critical_difference
    near = ", ".join(found.mean_rank.index[1:][found.mean_rank.values[1:] <= limit])
    difference = f"the critical difference of {number(found.critical_difference)} ranks"
    if near:
        return f"within {difference}, and so not told apart from it: {near}."
    return f"no other is within {difference}."


def _error_words(errors: pd.DataFrame, measure: str) -> str:
    own = errors[errors["measure"] == measure]
    error = number(own["ten_dq_error"].abs().mean())
    right = percent(own["valence_correct"].mean())
    return f"10Dq mean absolute error {error} eV, valence right in {right} of {len(own)} spectra"


def _outcomes(products: Products) -> Iterator[Part]:
    for branch in products.branches:
        for measured in branch.measured:
            table = outcome_table(products, branch, measured)
            text = [outcome_words(measured, branch.spectra)]
            heading = title(products, branch, f"measured spectra {measured.collection}")
            yield Part(heading=heading, text=text, tables=[table])
