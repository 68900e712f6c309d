"""Scores the estimates of one library's scenarios for all measures and estimators.

Input: queries (scenarios, preprocessed), library, estimates (one file per measure and estimator).
Output: scores and errors_table (CSV). Settings: names (measure and estimator of each estimate),
labels (columns of their own), calibration (scenario that is not scored), tiers, seed.
"""

from pathlib import Path

import pandas as pd

from whiteline import contracts
from whiteline.evaluation.scores import baselines, errors, score


def score_estimates(
    *,
    queries: str,
    library: str,
    estimates: list[str],
    scores: str,
    errors_table: str,
    names: list[tuple[str, str]],
    labels: dict,
    calibration: str | None,
    tiers: dict,
    seed: int,
) -> None:
    """Write scores per scenario and level, and the errors of every spectrum."""
    truth = contracts.read(queries, "spectra")
    tables = {
        tuple(name): errors(contracts.read(path, "estimates"), truth)
        for name, path in zip(names, estimates, strict=True)
    }
    guesses = baselines(truth, contracts.read(library, "spectra"), seed)
    everything = tables | {("none", name): table for name, table in guesses.items()}
    rows = []
    for (measure, estimator), table in everything.items():
        part = score(table[table["scenario"] != calibration])
        part.insert(0, "tier", part["scenario"].map(tiers))
        for column, value in reversed(
            {**labels, "measure": measure, "estimator": estimator}.items()
        ):
            part.insert(0, column, value)
        rows.append(part)
    _write(pd.concat(rows), scores)
    single = [t.assign(**labels, measure=m, estimator=e) for (m, e), t in tables.items()]
    _write(pd.concat(single), errors_table)


def _write(table: pd.DataFrame, path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    from whiteline.stage import run

    run(score_estimates, snakemake)  # noqa: F821
