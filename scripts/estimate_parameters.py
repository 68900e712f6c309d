"""Estimates valence and 10Dq of all collections of a library from their distances.

Input: queries, shifts and distances (a file per collection), library (preprocessed); and, for the
intervals, calibration_queries, calibration_shifts and calibration_distances (those of the
scenarios; empty without a calibration scenario).
Output: estimates (contract "estimates"), those of the first estimator for each collection, then
those of the next. Settings: kinds (kind and parameters of each estimator), calibration (scenario).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from whiteline import contracts, estimators
from whiteline.estimation.answers import calibrated, estimated, estimates_dataset, records_of
from whiteline.estimators.base import Estimator, Library
from whiteline.evaluation.calibration import Calibration
from whiteline.evaluation.identifiability import Identifiability


@dataclass(frozen=True)
class Compared:
    """n spectra (contract "spectra"), their shifts (eV) and distances, both of shape (n, m)."""

    queries: xr.Dataset
    shift: np.ndarray
    distance: np.ndarray
    order: int

    @classmethod
    def read(cls, queries: str, shifts: str, distances: str) -> "Compared":
        pairs = contracts.read(distances, "distances")
        return cls(
            contracts.read(queries, "spectra"),
            contracts.read(shifts, "shifts")["energy_shift"].values,
            pairs["distance"].values,
            int(pairs.attrs["order"]),
        )

    def of_scenario(self, name: str) -> "Compared":
        """The spectra of one scenario."""
        chosen = np.flatnonzero(self.queries["scenario"].values == name)
        queries = self.queries.isel(spectrum=chosen)
        return Compared(queries, self.shift[chosen], self.distance[chosen], self.order)


def estimate_parameters(
    *,
    queries: Sequence[str],
    shifts: Sequence[str],
    distances: Sequence[str],
    library: str,
    calibration_queries: Sequence[str],
    calibration_shifts: Sequence[str],
    calibration_distances: Sequence[str],
    estimates: Sequence[str],
    kinds: Sequence[dict],
    calibration: str | None,
) -> None:
    """Write the estimates, their intervals and bounds, and the best match at every valence."""
    bounds = Identifiability(contracts.read(library, "spectra"))
    collections = [Compared.read(*of) for of in zip(queries, shifts, distances, strict=True)]
    known = [
        Compared.read(*of).of_scenario(calibration)
        for of in zip(calibration_queries, calibration_shifts, calibration_distances, strict=True)
    ]
    paths = iter(estimates)
    for settings in kinds:
        estimator = estimators.load(settings["kind"], **settings["parameters"])
        estimator.fit(Library.of(bounds.library), order=collections[0].order)
        limits = None
        for test in known:
            limits = calibrated(estimator, bounds, test.queries, test.shift, test.distance)
        for asked in collections:
            data = _estimates(estimator, bounds, asked, limits)
            data.attrs["estimator"] = settings["kind"]
            data.attrs["parameters"] = contracts.dumps(settings["parameters"])
            contracts.write(data, next(paths))


def _estimates(
    estimator: Estimator, bounds: Identifiability, asked: Compared, limits: Calibration | None
) -> xr.Dataset:
    """Estimates of a collection, contract "estimates"."""
    found, evidence = estimated(estimator, bounds, asked.queries, asked.shift, asked.distance)
    records = records_of(found, evidence, asked.queries["energy_shift"].values)
    return estimates_dataset(asked.queries["id"].values, records, bounds.library, limits)


if __name__ == "__main__":
    from whiteline.stage import run

    run(estimate_parameters, snakemake)  # noqa: F821
