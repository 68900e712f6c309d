"""Estimates valence and 10Dq of queries from their distances.

Input: queries, library (preprocessed), shifts, distances; and, for the intervals,
calibration_queries, calibration_shifts and calibration_distances (empty without a calibration
scenario).
Output: estimates (contract "estimates"), a file per estimator. Settings: kinds (kind and
parameters of each estimator), calibration (scenario).
"""

from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts, estimators
from whiteline.estimation.answers import calibrated, estimated, estimates_dataset, records_of
from whiteline.estimators.base import Library
from whiteline.evaluation.identifiability import Identifiability

# All estimators of a job read the same files and ask for the bounds of the same spectra.
_read = cache(contracts.read)


@cache
def _bounds(library: str) -> Identifiability:
    return Identifiability(_read(library, "spectra"))


def estimate_by_each(*, estimates: list[str], kinds: list[dict], **common: Any) -> None:
    """Write the estimates of each estimator; ``common`` is as in `estimate_parameters`."""
    for path, kind in zip(estimates, kinds, strict=True):
        estimate_parameters(estimates=path, **kind, **common)


def estimate_parameters(
    *,
    queries: str,
    library: str,
    shifts: str,
    distances: str,
    calibration_queries: list[str],
    calibration_shifts: list[str],
    calibration_distances: list[str],
    estimates: str,
    kind: str,
    parameters: dict,
    calibration: str | None,
) -> None:
    """Write the estimates, their intervals and bounds, and the best match at every valence."""
    reference = _read(library, "spectra")
    pairs = _read(distances, "distances")
    estimator = estimators.load(kind, **parameters)
    estimator.fit(Library.of(reference), order=int(pairs.attrs["order"]))
    bounds = _bounds(library)
    query = _read(queries, "spectra")
    shift = _read(shifts, "shifts")["energy_shift"].values
    found, evidence = estimated(estimator, bounds, query, shift, pairs["distance"].values)
    limits = None
    for known in zip(calibration_queries, calibration_shifts, calibration_distances, strict=True):
        limits = calibrated(estimator, bounds, *_of_scenario(*known, calibration))
    data = estimates_dataset(
        query["id"].values,
        records_of(found, evidence, query["energy_shift"].values),
        reference,
        limits,
        estimator=kind,
        parameters=contracts.dumps(parameters),
    )
    contracts.write(data, estimates)


def _of_scenario(
    queries: str, shifts: str, distances: str, scenario: str
) -> tuple[xr.Dataset, np.ndarray, np.ndarray]:
    """A scenario's spectra, and their shifts and distances."""
    known = _read(queries, "spectra")
    chosen = np.flatnonzero(known["scenario"].values == scenario)
    shift = _read(shifts, "shifts")["energy_shift"].values[chosen]
    distance = _read(distances, "distances")["distance"].values[chosen]
    return known.isel(spectrum=chosen), shift, distance


if __name__ == "__main__":
    from whiteline.stage import run

    run(estimate_by_each, snakemake)  # noqa: F821
