"""The estimates of a set of measured spectra, as a table and in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from whiteline.report.formatting import NOTHING, coverages, energy, intervals, number, percent
from whiteline.report.page import Table
from whiteline.report.products import Branch, Measured, Products

# A second valence whose distance is within this factor of the least one is a rival.
CLOSE = 1.2
# How near to the end of the library's range a 10Dq is told as that end, eV.
AT_END = 5e-3


def outcome_words(measured: Measured) -> str:
    """How many spectra were flagged, have a rival valence, or agree with what is known."""
    estimates = measured.estimates
    outside = int(estimates["outside_library"].values.sum())
    total = estimates.sizes["query"]
    known = measured.queries["valence"].values
    words = f"Flagged as outside the library: {outside} of {total}."
    ordered = np.sort(estimates["candidate_distance"].values, axis=1)
    close = int((ordered[:, 1] <= CLOSE * ordered[:, 0]).sum()) if ordered.shape[1] > 1 else 0
    if close:
        words += (
            f" In {close} of {total} another valence is about as near, within "
            f"{percent(CLOSE - 1)} of the least distance: there the shape alone does not settle "
            "the valence."
        )
    if np.isfinite(known).any():
        right = int((estimates["valence"].values == known).sum())
        words += (
            f" The valence agrees with the known one in {right} of {np.isfinite(known).sum()} "
            "spectra where it is known."
        )
    return words


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
    head = ["spectrum", *(["known valence"] if told else []), "valence", "10Dq (eV)", *levels]
    head += ["energy shift (eV)", "distance", "outside library", "runner-up valence"]
    head += ["its 10Dq (eV)", "its distance"]
    note = (
        f"By {products.measure} and {products.estimator}. Energy shift: in all, added to the "
        "recorded axis."
    )
    if at_end.any():
        note += " † At the end of the library's range of 10Dq: a bound rather than a value."
    anchors = [branch.picture_name("fit", measured, row) for row in range(len(rows))]
    return Table("", head, rows, note, anchors)


def _at_end(estimates: xr.Dataset, library: xr.Dataset) -> np.ndarray:
    """Which estimates lie at an end of the library's range of 10Dq, shape (queries,)."""
    values, range_ = estimates["ten_dq"].values, library["ten_dq"].values
    ends = np.array([np.fmin.reduce(range_), np.fmax.reduce(range_)])
    return np.isclose(ends, values[:, None], atol=AT_END).any(axis=1)


def _estimate(estimates: xr.Dataset, row: int, at_end: bool) -> list[str]:
    """Valence, 10Dq, its intervals, the energy shift, the distance and the flag."""
    return [
        f"{estimates['valence'].values[row]:g}",
        energy(float(estimates["ten_dq"].values[row])) + (" †" if at_end else ""),
        *intervals(estimates, row),
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
