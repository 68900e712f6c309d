"""Chapter: error against the strength of each disturbance."""

from __future__ import annotations

from whiteline import plotting
from whiteline.report.page import Part, Picture, Section
from whiteline.report.products import Branch, Products, levels
from whiteline.report.wording import caption, title


def chapter(products: Products) -> Section:
    """Error against disturbance."""
    parts = [_part(products, branch) for branch in products.branches]
    return Section("levels", "Error against disturbance", parts)


def _part(products: Products, branch: Branch) -> Part:
    several = [name for name, scenario in products.scored.items() if len(levels(scenario)) > 1]
    pictures = []
    if not products.scores.empty:
        pictures = [_picture(products, branch, name) for name in several]
    text = [] if pictures else ["No scored scenario has several levels, so there are no curves."]
    return Part(title(products, branch), text, pictures)


def _picture(products: Products, branch: Branch, name: str) -> Picture:
    scenario = products.scored[name]
    own = products.of(branch, scenario=name)
    guesses = own[own["measure"] == "none"]
    figure = plotting.level_figure(
        own[own["estimator"] == products.estimator],
        guesses.assign(measure=guesses["estimator"]),
        next(iter(scenario["vary"])),
        plotting.styles(products.study["measures"]),
    )
    words = caption(
        "levels",
        scenario=name,
        spectra=scenario["spectra"],
        search=_search(scenario["energy_uncertainty"]),
        estimator=products.estimator,
    )
    return Picture(f"levels_{name}_{branch.key}", figure, words, f"Scenario {name}")


def _search(limit: float) -> str:
    if not limit:
        return "no search for the energy shift"
    return f"a search for the energy shift within ±{limit:g} eV"
