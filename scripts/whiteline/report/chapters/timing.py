"""Chapter: how long the distances took."""

from __future__ import annotations

from whiteline.distances import BATCH
from whiteline.report.formatting import number
from whiteline.report.page import Part, Section, Table
from whiteline.report.products import Branch, Products, spectra_in


def chapter(products: Products) -> Section:
    """Time."""
    tests = spectra_in(products.study["scenarios"])
    rows = [
        _row(branch, measure, tests) for branch in products.branches for measure in branch.seconds
    ]
    part = (
        Part(tables=[_table(rows)])
        if rows
        else Part(text=["No times were recorded, because no scenarios were compared."])
    )
    return Section("time", "Time", [part])


def _row(branch: Branch, measure: str, tests: int) -> list[str]:
    size, points = branch.spectra.sizes["spectrum"], branch.spectra.sizes["energy"]
    each = branch.seconds[measure] / tests
    return [
        branch.library,
        branch.preprocessing,
        measure,
        number(1e3 * each),
        number(1e6 * each / size),
        f"{size:,}",
        str(points),
        str(tests),
    ]


def _table(rows: list[list[str]]) -> Table:
    head = ["library", "preprocessing", "measure", "ms per spectrum", "µs per pair"]
    head += ["library spectra", "points", "test spectra"]
    note = (
        "Wall time of the whole job that compares the scenarios' spectra with the library, "
        f"start-up of Python included; the spectra are prepared in batches of {BATCH}."
    )
    return Table("Distances", head, rows, note)
