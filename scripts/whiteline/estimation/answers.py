"""Estimates as they are kept: one record for each spectrum, and datasets made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.estimators import Comparison, Estimates, Estimator
from whiteline.estimators.base import PARAMETERS
from whiteline.evaluation.calibration import COVERAGE, Calibration, Evidence, calibrate
from whiteline.evaluation.identifiability import Identifiability
from whiteline.simulation import without_tied

# In place of the number of the candidate, for a spectrum that could not be used.
FAILED = -1
# What is kept of `Evidence` beside the distances and the match.
EVIDENCE = ("bound", "spread", "energy_uncertainty")


def record_type(candidates: int) -> np.dtype:
    """What is kept of a spectrum: the number of the candidate ``chosen``; of each candidate the
    library row of its ``match``, ``distance`` and ``ten_dq`` (eV); the total ``energy_shift``
    (eV); all ``parameters`` of the chosen one; and what else of `Evidence` intervals rest on.
    """
    return np.dtype(
        [
            ("chosen", np.int8),
            ("match", np.int32, (candidates,)),
            ("distance", float, (candidates,)),
            ("ten_dq", float, (candidates,)),
            ("energy_shift", float),
            ("parameters", float, (len(PARAMETERS),)),
            *((name, float) for name in EVIDENCE),
        ]
    )


def records_of(
    found: Estimates, evidence: Evidence, energy_shift: np.ndarray | float
) -> np.ndarray:
    """Records of n estimates and what they rest on, shape (n,).

    ``energy_shift`` (eV) is what was added to the recorded axes before the search.
    """
    records = np.zeros(len(found.chosen), dtype=record_type(len(found.candidates)))
    records["chosen"], records["match"] = found.chosen, found.match
    records["distance"], records["ten_dq"] = found.distance, found.parameters["ten_dq"]
    records["energy_shift"] = energy_shift + found.of_chosen(found.parameters["energy_shift"])
    for number, name in enumerate(PARAMETERS):
        records["parameters"][:, number] = found.of_chosen(found.parameters[name])
    for name in EVIDENCE:
        records[name] = getattr(evidence, name)
    return records


def failed(count: int, candidates: int) -> np.ndarray:
    """Records of spectra that could not be used, shape (count,)."""
    records = np.zeros(count, dtype=record_type(candidates))
    records["chosen"] = FAILED
    return records


def estimates_dataset(
    ids: Sequence[str],
    records: np.ndarray,
    library: xr.Dataset,
    calibration: Calibration | None,
    file: Sequence[str] | None = None,
    **attributes: Any,
) -> xr.Dataset:
    """Estimates with their intervals, contract "estimates".

    Parameters
    ----------
    ids, records, file
        Of n spectra that could be used; the files that they come from may be left out.
    library
        Preprocessed, contract "spectra".
    calibration
        Without one there are no intervals, and nothing counts as outside the library.
    attributes
        Further attributes of the dataset.
    """
    candidates = np.unique(library["valence"].values)
    rows, chosen = np.arange(len(records)), records["chosen"].astype(int)
    match = records["match"][rows, chosen]
    distance, ten_dq = records["distance"].min(1), records["ten_dq"][rows, chosen]
    evidence = Evidence(
        records["distance"],
        library["gaussian_sigma"].values[match],
        *(records[name] for name in EVIDENCE),
    )
    measured = contracts.is_reference(library)[match] == 1
    radius, fits, limit = _calibrated(evidence, calibration, chosen, measured)
    lower, upper = _interval(ten_dq, radius, library["ten_dq"].values)
    values = dict(zip(PARAMETERS, records["parameters"].T, strict=True))
    values |= {} if file is None else {"file": file}
    return contracts.dataset(
        "estimates",
        values
        | {
            "query_id": ids,
            "valence": candidates[chosen],
            "distance": distance,
            "energy_shift": records["energy_shift"],
            "outside_library": distance > limit,
            "coverage": COVERAGE,
            "ten_dq_lower": lower,
            "ten_dq_upper": upper,
            "ten_dq_bound": records["bound"],
            "candidate": candidates,
            "candidate_ten_dq": records["ten_dq"],
            "candidate_distance": records["distance"],
            "candidate_match": records["match"],
            "candidate_fits": fits,
        },
        distance_limit=limit,
        varied=contracts.dumps(_varied(library)),
        **attributes,
    )


def _calibrated(
    evidence: Evidence, calibration: Calibration | None, chosen: np.ndarray, measured: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Half widths of intervals (n, coverages), valences that fit (n, candidates), and the greatest
    distance; ``measured`` are those whose match is a reference.
    """
    if calibration is None:
        shape = evidence.distance.shape
        return np.full((shape[0], len(COVERAGE)), np.nan), np.ones(shape, dtype=bool), np.inf
    radius, fits = calibration.radius(evidence), calibration.fits(evidence)
    # An estimator may choose another valence than the nearest.
    fits[np.arange(len(chosen)), chosen] = True
    # No calibration spectrum was measured as a reference was: nothing is claimed.
    radius[measured] = np.inf
    return radius, fits, calibration.distance_limit


def _varied(library: xr.Dataset) -> list[str]:
    """The parameters beside 10Dq, of which library spectra have several values."""
    known = {name: library[name].values for name in PARAMETERS if name != "ten_dq"}
    # These skip what is NaN, and without a word where all is.
    ends = {
        name: (np.fmin.reduce(v), np.fmax.reduce(v)) for name, v in without_tied(known).items()
    }
    return [name for name, (low, high) in ends.items() if high > low]


def _interval(
    ten_dq: np.ndarray, radius: np.ndarray, library: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of intervals of 10Dq (n, coverages), which lie in the range of the library's, eV."""
    # These skip what is NaN, and without a word where all is.
    low, high = np.fmin.reduce(library), np.fmax.reduce(library)
    return tuple(np.clip(ten_dq[:, None] + side * radius, low, high) for side in (-1, 1))


def estimated(
    estimator: Estimator,
    bounds: Identifiability,
    query: xr.Dataset,
    shift: np.ndarray,
    distance: np.ndarray,
) -> tuple[Estimates, Evidence]:
    """Estimates of queries from their shifts (eV) and distances (n, m), and what these rest on."""
    compared = comparison(query, bounds.library, distance, shift)
    found = estimator.predict(compared)
    return found, Evidence.of(found, compared, query, bounds, estimator.order_)


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


def calibrated(
    estimator: Estimator,
    bounds: Identifiability,
    known: xr.Dataset,
    shift: np.ndarray,
    distance: np.ndarray,
) -> Calibration:
    """What test spectra of known truth teach of a fitted estimator."""
    found, evidence = estimated(estimator, bounds, known, shift, distance)
    true = found.candidates == known["valence"].values[:, None]
    return calibrate(evidence, found.ten_dq - known["ten_dq"].values, true.argmax(1))
