"""The estimates of a set of measured spectra, as a table and in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from whiteline.evaluation.calibration import SET_COVERAGE
from whiteline.evaluation.identifiability import KNOWS_NOTHING
from whiteline.report.formatting import (
    NOTHING,
    coverages,
    energy,
    intervals,
    number,
    percent,
    valences_that_fit,
)
from whiteline.report.page import Table
from whiteline.report.products import Branch, Measured, Products

# How near to the end of the library's range a 10Dq is told as that end, eV.
AT_END = 5e-3


def outcome_words(measured: Measured, library: xr.Dataset) -> str:
    """How many spectra were flagged, fit several valences, tell 10Dq or agree with what is known.

    ``library`` is that with which they were compared.
    """
    estimates = measured.estimates
    outside = int(estimates["outside_library"].values.sum())
    total = estimates.sizes["query"]
    known = measured.queries["valence"].values
    words = f"Flagged as outside the library: {outside} of {total}."
    several = int((estimates["candidate_fits"].values.sum(1) > 1).sum())
    if several and np.isfinite(estimates.attrs["distance_limit"]):
        words += (
            f" In {several} of {total} several valences fit (sets that hold the true one with "
            f"{percent(SET_COVERAGE)}): there the spectrum alone does not settle the valence."
        )
    hidden = int(hides_ten_dq(estimates, library).sum())
    if hidden:
        words += (
            f" In {hidden} of {total} 10Dq is not identifiable: noise and widths allow no "
            "estimate that knows more than the library's range."
        )
    if np.isfinite(known).any():
        right = int((estimates["valence"].values == known).sum())
        words += (
            f" The valence agrees with the known one in {right} of {np.isfinite(known).sum()} "
            "spectra where it is known."
        )
    return words


def hides_ten_dq(estimates: xr.Dataset, library: xr.Dataset) -> np.ndarray:
    """Where the bound of 10Dq says no more than its range in the library, shape (queries,)."""
    return estimates["ten_dq_bound"].values >= KNOWS_NOTHING * np.ptp(_ends(library))


def outcome_table(products: Products, branch: Branch, measured: Measured) -> Table:
    """Valence, 10Dq and their runner-up for each measured spectrum."""
    estimates = measured.estimates
    known = measured.queries["valence"].values
    told = np.isfinite(known).any()
    at_end = _at_end(estimates, branch.spectra)
    rows = [
        [
            str(measured.queries["id"].values[row]),
            *([f"{known[row]:g}" if np.isfinite(known[row]) else NOTHING] if told else []),
            *_estimate(estimates, row, at_end[row]),
            *_runner_up(estimates, row),
        ]
        for row in range(estimates.sizes["query"])
    ]
    levels = [f"{level} interval (eV)" for level in coverages(estimates)]
    head = ["spectrum", *(["known valence"] if told else []), "valence", "valences that fit"]
    head += ["10Dq (eV)", *levels, "bound of its error (eV)", "energy shift (eV)", "distance"]
    head += ["outside library", "runner-up valence", "its 10Dq (eV)", "its distance"]
    note = (
        f"By {products.measure} and {products.estimator}. Energy shift: in all, added to the "
        "recorded axis. Bound: the least standard error (Cramér and Rao) that noise and line "
        "widths leave to any unbiased estimate of 10Dq; what the simulation misses comes on top."
    )
    if at_end.any():
        note += " † At the end of the library's range of 10Dq: a bound rather than a value."
    anchors = [branch.picture_name("fit", measured, row) for row in range(len(rows))]
    return Table("", head, rows, note, anchors)


def _at_end(estimates: xr.Dataset, library: xr.Dataset) -> np.ndarray:
    """Which estimates lie at an end of the library's range of 10Dq, shape (queries,)."""
    values = estimates["ten_dq"].values
    return np.isclose(_ends(library), values[:, None], atol=AT_END).any(axis=1)


def _ends(library: xr.Dataset) -> np.ndarray:
    """Least and largest 10Dq of a library, eV, NaN where none is known."""
    values = library["ten_dq"].values
    return np.array([np.fmin.reduce(values), np.fmax.reduce(values)])


def _estimate(estimates: xr.Dataset, row: int, at_end: bool) -> list[str]:
    """Valence, all that fit, 10Dq, intervals, bound, energy shift, distance and the flag."""
    return [
        f"{estimates['valence'].values[row]:g}",
        valences_that_fit(estimates, row),
        energy(float(estimates["ten_dq"].values[row])) + (" †" if at_end else ""),
        *intervals(estimates, row),
        number(float(estimates["ten_dq_bound"].values[row])),
        f"{estimates['energy_shift'].values[row]:+.2f}",
        number(estimates["distance"].values[row], 3),
        "outside" if estimates["outside_library"].values[row] else "no",
    ]


def _runner_up(estimates: xr.Dataset, row: int) -> list[str]:
    """Valence, 10Dq and distance of the nearest other valence."""
    candidate = estimates["candidate"].values
    distance = estimates["candidate_distance"].values[row].copy()
    distance[candidate == estimates["valence"].values[row]] = np.inf
    if not np.isfinite(distance).any():
        return [NOTHING] * 3
    best = int(distance.argmin())
    ten_dq = estimates["candidate_ten_dq"].values[row, best]
    return [f"{candidate[best]:g}", energy(ten_dq), number(distance[best], 3)]
