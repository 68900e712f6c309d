"""Estimates valence and 10Dq of queries from their distances.

Input: queries, library (preprocessed), shifts, distances; and, for the intervals,
calibration_queries and calibration_distances (empty without a calibration scenario).
Output: estimates (contract "estimates"). Settings: kind, parameters, calibration (scenario).
"""

import numpy as np
import xarray as xr

from whiteline import contracts, estimators
from whiteline.estimators.base import DistanceEstimator
from whiteline.evaluation.calibration import COVERAGE, Calibration, calibrate


def estimate_parameters(
    *,
    queries: str,
    library: str,
    shifts: str,
    distances: str,
    calibration_queries: list[str],
    calibration_distances: list[str],
    estimates: str,
    kind: str,
    parameters: dict,
    calibration: str | None,
) -> None:
    """Write the estimates, their intervals and the best match at every valence."""
    reference = contracts.read(library, "spectra")
    table = {name: reference[name].values for name in ("valence", "ten_dq")}
    table["is_reference"] = contracts.is_reference(reference)
    pairs = contracts.read(distances, "distances")
    estimator = estimators.load(kind, **parameters).fit(table, order=int(pairs.attrs["order"]))

    query = contracts.read(queries, "spectra")
    found = estimator.predict(left_out(pairs["distance"].values, query, reference))
    rows = np.arange(len(found.match))
    distance = found.candidate_distance.min(1)
    shift = contracts.read(shifts, "shifts")["energy_shift"].values[rows, found.match]
    # These skip what is NaN, and without a word where all is.
    low, high = np.fmin.reduce(table["ten_dq"]), np.fmax.reduce(table["ten_dq"])
    radius, limit = np.full((len(rows), len(COVERAGE)), np.nan), np.inf
    for known, known_distances in zip(calibration_queries, calibration_distances, strict=True):
        limits = _limits(estimator, known, known_distances, reference, calibration)
        radius = limits.radius(reference["gaussian_sigma"].values[found.match])
        # No calibration spectrum was measured as a reference was: nothing is claimed.
        radius[table["is_reference"][found.match]] = np.inf
        limit = limits.distance_limit
    data = contracts.dataset(
        "estimates",
        {
            "query_id": query["id"].values,
            "valence": found.valence,
            "ten_dq": found.ten_dq,
            "distance": distance,
            "energy_shift": query["energy_shift"].values + shift,
            "outside_library": distance > limit,
            "coverage": COVERAGE,
            # 10Dq of the library's range is taken as known, so an interval ends there.
            "ten_dq_lower": np.clip(found.ten_dq[:, None] - radius, low, high),
            "ten_dq_upper": np.clip(found.ten_dq[:, None] + radius, low, high),
            "candidate": estimator.candidates_,
            "candidate_ten_dq": found.candidate_ten_dq,
            "candidate_distance": found.candidate_distance,
            "candidate_match": found.candidate_match,
        },
        estimator=kind,
        parameters=contracts.dumps(parameters),
        distance_limit=limit,
    )
    contracts.write(data, estimates)


def left_out(distance: np.ndarray, query: xr.Dataset, library: xr.Dataset) -> np.ndarray:
    """Distances, infinite where a query may not see library spectra of its own ion and 10Dq."""
    same = query["ion"].values[:, None] == library["ion"].values
    same &= np.isclose(query["ten_dq"].values[:, None], library["ten_dq"].values)
    return np.where(same & (query["leave_out"].values[:, None] == 1), np.inf, distance)


def _limits(
    estimator: DistanceEstimator,
    queries: str,
    distances: str,
    library: xr.Dataset,
    scenario: str,
) -> Calibration:
    known = contracts.read(queries, "spectra")
    chosen = known["scenario"].values == scenario
    distance = left_out(contracts.read(distances, "distances")["distance"].values, known, library)
    found = estimator.predict(distance[chosen])
    error = found.ten_dq - known["ten_dq"].values[chosen]
    width = library["gaussian_sigma"].values[found.match]
    return calibrate(error, found.candidate_distance.min(1), width)


if __name__ == "__main__":
    from whiteline.stage import run

    run(estimate_parameters, snakemake)  # noqa: F821
