"""Writes the report page and its figures.

Input: scores, map_quality, errors, libraries (preprocessed), embeddings, queries, shifts,
estimates, steps (of the preparation), mixtures (of the sets that ask for them), benchmarks; the
lists may be empty. Output: report (HTML), figures (folder of PNG and SVG).
Settings: study (the configuration), labels (what each input of a list is of).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from whiteline import contracts
from whiteline.report import Branch, Measured, Products, write


def make_report(
    *,
    scores: str,
    map_quality: str,
    errors: list[str],
    libraries: list[str],
    embeddings: list[str],
    queries: list[str],
    shifts: list[str],
    estimates: list[str],
    steps: list[str],
    mixtures: list[str],
    benchmarks: list[str],
    report: str,
    figures: str,
    study: dict,
    labels: dict,
) -> None:
    """Write the page from the products of all branches."""
    maps = [contracts.read(path, "embedding") for path in embeddings]
    fractions = dict(zip(map(tuple, labels["mixtures"]), mixtures, strict=True))
    measured = [
        Measured(
            name[-1],
            contracts.read(spectra, "spectra"),
            contracts.read(shift, "shifts"),
            contracts.read(estimate, "estimates"),
            contracts.read(step, "preparation"),
            contracts.read(fractions[tuple(name)], "mixtures")
            if tuple(name) in fractions
            else None,
        )
        for name, spectra, shift, estimate, step in zip(
            labels["queries"], queries, shifts, estimates, steps, strict=True
        )
    ]
    seconds = [float(pd.read_csv(path, sep="\t")["s"].mean()) for path in benchmarks]
    branches = [
        Branch(
            *branch,
            spectra=contracts.read(path, "spectra"),
            errors=pd.read_csv(errors[number]) if errors else None,
            maps=dict(_of(branch, labels["embeddings"], maps)),
            measured=[value for _, value in _of(branch, labels["queries"], measured)],
            seconds=dict(_of(branch, labels["benchmarks"], seconds)),
        )
        for number, (branch, path) in enumerate(zip(labels["branches"], libraries, strict=True))
    ]
    products = Products(study, _table(scores), branches, _table(map_quality))
    write(products, report, figures)


def _of(branch: Sequence[str], names: list, values: list) -> list[tuple[str, Any]]:
    """Those values that belong to a branch, each with the last part of its name."""
    pairs = zip(names, values, strict=True)
    return [(name[-1], value) for name, value in pairs if tuple(name[:2]) == tuple(branch)]


def _table(path: str) -> pd.DataFrame:
    """A table of scores; a study without scenarios, or maps, leaves an empty file."""
    if not Path(path).stat().st_size:
        return pd.DataFrame()
    return pd.read_csv(path)


if __name__ == "__main__":
    from whiteline.stage import run

    run(make_report, snakemake)  # noqa: F821
