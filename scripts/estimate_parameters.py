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
from whiteline.estimators.base import PARAMETERS, Comparison, Estimates, Estimator, Library
from whiteline.evaluation.calibration import COVERAGE, Calibration, Evidence, calibrate
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
    found, evidence = _estimated(estimator, bounds, query, shift, pairs["distance"].values)
    radius, limit = np.full((len(found.chosen), len(COVERAGE)), np.nan), np.inf
    fits = np.ones(found.distance.shape, dtype=bool)
    for known in zip(calibration_queries, calibration_shifts, calibration_distances, strict=True):
        limits = _limits(estimator, bounds, *known, calibration)
        radius, fits, limit = limits.radius(evidence), limits.fits(evidence), limits.distance_limit
        # No calibration spectrum was measured as a reference was: nothing is claimed.
        radius[contracts.is_reference(reference)[found.of_chosen(found.match)] == 1] = np.inf
    lower, upper = _interval(found.ten_dq, radius, reference["ten_dq"].values)
    joint = {name: found.of_chosen(found.parameters[name]) for name in PARAMETERS}
    data = contracts.dataset(
        "estimates",
        joint
        | {
            "query_id": query["id"].values,
            "valence": found.valence,
            "distance": found.distance.min(1),
            "energy_shift": query["energy_shift"].values
            + found.of_chosen(found.parameters["energy_shift"]),
            "outside_library": found.distance.min(1) > limit,
            "coverage": COVERAGE,
            "ten_dq_lower": lower,
            "ten_dq_upper": upper,
            "ten_dq_bound": evidence.bound,
            "candidate": found.candidates,
            "candidate_ten_dq": found.parameters["ten_dq"],
            "candidate_distance": found.distance,
            "candidate_match": found.match,
            "candidate_fits": fits,
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


def _estimated(
    estimator: Estimator,
    bounds: Identifiability,
    query: xr.Dataset,
    shift: np.ndarray,
    distance: np.ndarray,
) -> tuple[Estimates, Evidence]:
    """Estimates of queries from their shifts and distances (n, m), and what these rest on."""
    compared = comparison(query, bounds.library, distance, shift)
    found = estimator.predict(compared)
    return found, Evidence.of(found, compared, query, bounds, estimator.order_)


def _limits(
    estimator: Estimator,
    bounds: Identifiability,
    queries: str,
    shifts: str,
    distances: str,
    scenario: str,
) -> Calibration:
    """What the spectra of the calibration scenario teach."""
    known = _read(queries, "spectra")
    chosen = np.flatnonzero(known["scenario"].values == scenario)
    known = known.isel(spectrum=chosen)
    shift = _read(shifts, "shifts")["energy_shift"].values[chosen]
    distance = _read(distances, "distances")["distance"].values[chosen]
    found, evidence = _estimated(estimator, bounds, known, shift, distance)
    true = found.candidates == known["valence"].values[:, None]
    return calibrate(evidence, found.ten_dq - known["ten_dq"].values, true.argmax(1))


def _interval(
    ten_dq: np.ndarray, radius: np.ndarray, library: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of intervals of 10Dq (n, coverages), which lie in the range of the library's, eV."""
    # These skip what is NaN, and without a word where all is.
    low, high = np.fmin.reduce(library), np.fmax.reduce(library)
    return tuple(np.clip(ten_dq[:, None] + side * radius, low, high) for side in (-1, 1))


if __name__ == "__main__":
    from whiteline.stage import run

    run(estimate_by_each, snakemake)  # noqa: F821
