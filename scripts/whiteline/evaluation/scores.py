"""Scores of estimates against the truth, and the baselines that every result stands beside."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from whiteline.errors import InputError

# An estimate of 10Dq that is off by more than this is of no use, eV.
FAILURE = 0.3


def errors(estimates: xr.Dataset, queries: xr.Dataset) -> pd.DataFrame:
    """One row per test spectrum: scenario, level, truth, error and what holds it.

    ``covered_...`` says whether the intervals, and the set of valences that fit, hold the truth.

    Parameters
    ----------
    estimates, queries
        Datasets of contracts "estimates" and "spectra" of the same spectra.
    """
    if not np.array_equal(estimates["query_id"].values, queries["id"].values):
        raise InputError("the estimates are of other spectra than the queries; compute them again")
    truth = queries["ten_dq"].values
    table = pd.DataFrame(
        {
            "id": queries["id"].values,
            "scenario": queries["scenario"].values,
            "level": queries["level"].values,
            "true_valence": queries["valence"].values,
            "true_ten_dq": truth,
            "valence": estimates["valence"].values,
            "valence_correct": estimates["valence"].values == queries["valence"].values,
            "ten_dq_error": estimates["ten_dq"].values - truth,
            "outside_library": estimates["outside_library"].values == 1,
        }
    )
    for column, level in enumerate(estimates["coverage"].values):
        lower = estimates["ten_dq_lower"].values[:, column]
        upper = estimates["ten_dq_upper"].values[:, column]
        held = (lower <= truth) & (truth <= upper)
        # Without a calibration there are no intervals, so none of them fails.
        table[f"covered_{level:.0%}"] = np.nan if np.isnan(upper).all() else held
        table[f"width_{level:.0%}"] = upper - lower
    fits = estimates["candidate_fits"].values == 1
    true = estimates["candidate"].values == queries["valence"].values[:, None]
    # Without a calibration nothing speaks against any valence.
    calibrated = np.isfinite(estimates.attrs["distance_limit"])
    table["covered_valence"] = (fits & true).any(1) if calibrated else np.nan
    table["valences_that_fit"] = fits.sum(1) if calibrated else np.nan
    table["ten_dq_bound"] = estimates["ten_dq_bound"].values
    return table


def score(table: pd.DataFrame) -> pd.DataFrame:
    """Scores of each scenario and level of an error table, eV where they are energies."""
    groups = table.groupby(["scenario", "level"], dropna=False, sort=False)
    return groups.apply(_scores, include_groups=False).reset_index()


def baselines(queries: xr.Dataset, library: xr.Dataset, seed: int) -> dict[str, pd.DataFrame]:
    """Error tables of estimates that look at no spectrum.

    ``library_mean`` says the library's mean 10Dq and its most frequent valence, ``random`` the
    parameters of a library spectrum drawn at random.
    """
    count = queries.sizes["spectrum"]
    valences, frequency = np.unique(library["valence"].values, return_counts=True)
    drawn = np.random.default_rng(seed).integers(library.sizes["spectrum"], size=count)
    guesses = {
        "library_mean": (
            np.full(count, np.nanmean(library["ten_dq"].values)),
            np.full(count, valences[frequency.argmax()]),
        ),
        "random": (library["ten_dq"].values[drawn], library["valence"].values[drawn]),
    }
    return {name: _guess(queries, *guess) for name, guess in guesses.items()}


def _guess(queries: xr.Dataset, ten_dq: np.ndarray, valence: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "scenario": queries["scenario"].values,
            "level": queries["level"].values,
            "valence_correct": valence == queries["valence"].values,
            "ten_dq_error": ten_dq - queries["ten_dq"].values,
        }
    )


def _scores(group: pd.DataFrame) -> pd.Series:
    size = group["ten_dq_error"].abs()
    scores = {
        "spectra": len(group),
        "valence_accuracy": group["valence_correct"].mean(),
        "ten_dq_mae": size.mean(),
        "ten_dq_median": size.median(),
        "ten_dq_p95": size.quantile(0.95),
        "ten_dq_failure_rate": (~(size <= FAILURE)).mean(),
    }
    for name in group.columns:
        if name.startswith(("covered_", "width_")):
            scores[name.replace("covered", "coverage")] = group[name].mean()
    for name in ("valences_that_fit", "outside_library"):
        if name in group:
            scores[name] = group[name].mean()
    if "ten_dq_bound" in group:
        scores["ten_dq_bound"] = group["ten_dq_bound"].median()
    return pd.Series(scores)
