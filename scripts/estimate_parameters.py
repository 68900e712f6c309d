"""Estimates valence and 10Dq of queries from their distances.

Input: queries, library (preprocessed), shifts, distances; and, for the intervals,
calibration_queries, calibration_shifts and calibration_distances (empty without a calibration
scenario).
Output: estimates (contract "estimates"). Settings: kind, parameters, calibration (scenario).
"""

import numpy as np
import xarray as xr

from whiteline import contracts, estimators
from whiteline.estimators.base import PARAMETERS, Comparison, Estimator, Library
from whiteline.evaluation.calibration import COVERAGE, Calibration, calibrate


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
    """Write the estimates, their intervals and the best match at every valence."""
    reference = contracts.read(library, "spectra")
    pairs = contracts.read(distances, "distances")
    estimator = estimators.load(kind, **parameters)
    estimator.fit(Library.of(reference), order=int(pairs.attrs["order"]))

    query = contracts.read(queries, "spectra")
    shift = contracts.read(shifts, "shifts")["energy_shift"].values
    found = estimator.predict(comparison(query, reference, pairs["distance"].values, shift))
    match, distance = found.of_chosen(found.match), found.distance.min(1)
    # These skip what is NaN, and without a word where all is.
    ten_dq = reference["ten_dq"].values
    low, high = np.fmin.reduce(ten_dq), np.fmax.reduce(ten_dq)
    radius, limit = np.full((len(match), len(COVERAGE)), np.nan), np.inf
    for known in zip(calibration_queries, calibration_shifts, calibration_distances, strict=True):
        limits = _limits(estimator, *known, reference, calibration)
        radius = limits.radius(reference["gaussian_sigma"].values[match])
        # No calibration spectrum was measured as a reference was: nothing is claimed.
        radius[contracts.is_reference(reference)[match] == 1] = np.inf
        limit = limits.distance_limit
    joint = {name: found.of_chosen(found.parameters[name]) for name in PARAMETERS}
    data = contracts.dataset(
        "estimates",
        joint
        | {
            "query_id": query["id"].values,
            "valence": found.valence,
            "distance": distance,
            "energy_shift": query["energy_shift"].values
            + found.of_chosen(found.parameters["energy_shift"]),
            "outside_library": distance > limit,
            "coverage": COVERAGE,
            # 10Dq of the library's range is taken as known, so an interval ends there.
            "ten_dq_lower": np.clip(found.ten_dq[:, None] - radius, low, high),
            "ten_dq_upper": np.clip(found.ten_dq[:, None] + radius, low, high),
            "candidate": found.candidates,
            "candidate_ten_dq": found.parameters["ten_dq"],
            "candidate_distance": found.distance,
            "candidate_match": found.match,
        },
        estimator=kind,
        parameters=contracts.dumps(parameters),
        distance_limit=limit,
    )
    contracts.write(data, estimates)


def comparison(
    query: xr.Dataset, library: xr.Dataset, distance: np.ndarray, shift: np.ndarray
) -> Comparison:
    """The queries compared with the library, but not with what each may not see."""
    energy = library["energy"].values
    return Comparison(
        left_out(distance, query, library),
        shift,
        query["intensity"].values,
        (energy[-1] - energy[0]) / (len(energy) - 1),
        query["energy_uncertainty"].values,
    )


def left_out(distance: np.ndarray, query: xr.Dataset, library: xr.Dataset) -> np.ndarray:
    """Distances, infinite where a query may not see library spectra: of its own ion and 10Dq, or,
    where its resolution is stated, of another. Those of unknown width are always seen.
    """
    same = query["ion"].values[:, None] == library["ion"].values
    same &= np.isclose(query["ten_dq"].values[:, None], library["ten_dq"].values)
    hidden = same & (query["leave_out"].values[:, None] == 1)
    if "resolution" in query:
        width = library["gaussian_sigma"].values
        hidden |= ~np.isclose(query["resolution"].values[:, None], width) & ~np.isnan(width)
    return np.where(hidden, np.inf, distance)


def _limits(
    estimator: Estimator,
    queries: str,
    shifts: str,
    distances: str,
    library: xr.Dataset,
    scenario: str,
) -> Calibration:
    known = contracts.read(queries, "spectra")
    chosen = np.flatnonzero(known["scenario"].values == scenario)
    known = known.isel(spectrum=chosen)
    distance = contracts.read(distances, "distances")["distance"].values[chosen]
    shift = contracts.read(shifts, "shifts")["energy_shift"].values[chosen]
    found = estimator.predict(comparison(known, library, distance, shift))
    error = found.ten_dq - known["ten_dq"].values
    width = library["gaussian_sigma"].values[found.of_chosen(found.match)]
    return calibrate(error, found.distance.min(1), width)


if __name__ == "__main__":
    from whiteline.stage import run

    run(estimate_parameters, snakemake)  # noqa: F821
