"""The nearest library spectrum of each valence and the profiles about it, by certified search.

Estimators that look at no more than the least distance for each value of each parameter get the
same from it as from all distances.
"""

from __future__ import annotations

import numpy as np

from whiteline import search
from whiteline.estimators import Comparison, Estimates, Estimator, Library
from whiteline.estimators.base import PARAMETERS, WIDTHS
from whiteline.estimators.profile import FITTED
from whiteline.evaluation.calibration import AS_GOOD
from whiteline.measures import BoundEnsemble, BoundMeasure

# The estimators that do.
KINDS = ("nearest", "profile")
# In place of a value that is not known, so that all of these are one.
UNKNOWN = -1e9


def serves(kind: str, measure: BoundMeasure | BoundEnsemble) -> bool:
    """Whether an estimator and a measure can be served by profiles."""
    return kind in KINDS and not measure.members


class Profiles:
    """A library that is searched for what an estimator needs.

    Simulations of known 10Dq, others, and measured references are kept apart, as estimators do.

    Parameters
    ----------
    estimator
        Fitted to the library, of one of `KINDS`.
    measure
        Has seen the library, if it learns.
    """

    def __init__(self, estimator: Estimator, measure: BoundMeasure) -> None:
        self._measure, self._library = measure, estimator.library_
        self._order = estimator.order_
        library = self._library
        profiled = hasattr(estimator, "reach")
        # Else the match's own parameters are the answer, unless it is a reference.
        every = profiled or library.is_reference.any()
        names = _varied(estimator, widths=not profiled) if every else ["ten_dq"]
        kind = 2 * library.is_reference + ~np.isfinite(library.ten_dq)
        values = [np.nan_to_num(library.parameters[name], nan=UNKNOWN) for name in names]
        cells, cell = np.unique([library.valence, kind, *values], axis=1, return_inverse=True)
        self._profiles = {
            name: Profile(estimator, name, *cells[:2], cells[2 + number])
            for number, name in enumerate(names)
        }
        self._axes = [profile.axis for profile in self._profiles.values()]
        prepared = measure.prepare(library.intensity, library.energy)
        self._index = search.build(measure, prepared, library.energy, cell.ravel(), threads=1)

    def estimates(self, spectra: np.ndarray, spread: bool) -> tuple[Estimates, np.ndarray]:
        """Estimates of prepared spectra (n, points) on the library's grid, taken as they lie.

        With ``spread`` also the deviation of 10Dq (eV) among the library spectra that explain each
        as well, see `whiteline.evaluation.calibration.Evidence`; else zero. Shape (n,).
        """
        queries = self._measure.prepare(spectra, self._library.energy)
        factor = AS_GOOD ** (self._order / 2) if spread else None
        nearest, pairs = self._index.around(queries, self._axes, factor)
        found = [
            profile.estimates(*part)
            for profile, part in zip(self._profiles.values(), nearest, strict=True)
        ]
        first, known = found[0], self._library.parameters
        parameters = {
            name: known[name][first.match] if name in known else np.full(first.match.shape, np.nan)
            for name in PARAMETERS
        }
        parameters["energy_shift"] = first.parameters["energy_shift"]
        for name, one in zip(self._profiles, found, strict=True):
            parameters[name] = one.parameters[name]
        parts = first.candidates, first.chosen, first.match, first.distance, parameters
        query, _, row = pairs
        return Estimates(*parts), _deviation(query, self._library.ten_dq[row], len(spectra))


class Profile:
    """The values of one parameter at each valence, as the estimator sees them: a spectrum each.

    Parameters
    ----------
    estimator, name
        The estimator, and the parameter.
    valence, kind, value
        Of each cell of the library, shape (g,).
    """

    def __init__(
        self,
        estimator: Estimator,
        name: str,
        valence: np.ndarray,
        kind: np.ndarray,
        value: np.ndarray,
    ) -> None:
        unions, union = np.unique([valence, kind, value], axis=1, return_inverse=True)
        valence, kind, value = unions
        _, parent = np.unique(unions[:2], axis=1, return_inverse=True)
        near = np.eye(len(value), dtype=bool)
        if hasattr(estimator, "reach"):
            reach = estimator.reach if name == "ten_dq" else 0.0
            near = _neighbours(parent.ravel(), value, reach)
        self.axis = search.Axis(union.ravel(), parent.ravel(), near)
        value = np.where(value == UNKNOWN, np.nan, value)
        # Whether 10Dq is known makes a difference; what it is, none for another parameter.
        ten_dq = value if name == "ten_dq" else np.where(kind % 2, np.nan, 0.0)
        seen = Library(valence, {"ten_dq": ten_dq, name: value}, kind >= 2)
        self._estimator = type(estimator)(**estimator.get_params()).fit(seen, estimator.order_)

    def estimates(self, distance: np.ndarray, rows: np.ndarray) -> Estimates:
        """Estimates whose ``match`` are rows of the library, from the nearest (n, u) of each."""
        found = self._estimator.predict(Comparison(distance))
        match = np.take_along_axis(rows, found.match, axis=1)
        parts = found.candidates, found.chosen, match, found.distance, found.parameters
        return Estimates(*parts)


def _deviation(query: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Deviation of the values (pairs,) of each of ``count`` queries, zero where none is known."""
    known = np.isfinite(values)
    query, values = query[known], values[known]
    size = np.maximum(np.bincount(query, minlength=count), 1)
    mean = np.bincount(query, values, count) / size
    return np.sqrt(np.bincount(query, (values - mean[query]) ** 2, count) / size)


def _varied(estimator: Estimator, widths: bool) -> list[str]:
    """10Dq and the other parameters that differ among the simulations of a valence, of all of
    which they are known; line widths only if wished.
    """
    library = estimator.library_
    names = {"ten_dq": None}
    for valence in estimator.candidates_:
        rows = np.flatnonzero((library.valence == valence) & estimator.simulated_)
        for name, values in library.parameters.items():
            if (widths or name not in WIDTHS) and len(rows) and np.ptp(values[rows]) > 0:
                names[name] = None
    return list(names)


def _neighbours(parent: np.ndarray, value: np.ndarray, reach: float) -> np.ndarray:
    """Which cells (g,) a profile takes that is least in a given one (first axis), (g, g).

    Those of the same parent within reach, and the three about it, further inwards at an end.
    """
    near = (parent[:, None] == parent) & (np.abs(value[:, None] - value) <= reach + 1e-9)
    for one in np.unique(parent):
        rows = np.flatnonzero(parent == one)
        place = np.arange(len(rows))
        first = np.clip(place - 1, 0, max(len(rows) - FITTED, 0))
        about = (place >= first[:, None]) & (place < first[:, None] + FITTED)
        near[np.ix_(rows, rows)] |= about
    return near
