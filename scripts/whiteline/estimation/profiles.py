"""The nearest library spectrum of each valence and the profiles about it, by certified search.

Estimators that look at no more than the least distance for each value of each parameter get the
same from it as from all distances.
"""

from __future__ import annotations

import numpy as np

from whiteline import search
from whiteline.estimators import Comparison, Estimates, Estimator, Library
from whiteline.estimators.base import PARAMETERS, WIDTHS
from whiteline.evaluation.calibration import AS_GOOD
from whiteline.measures import BoundEnsemble, BoundMeasure

# The estimators that do.
KINDS = ("nearest", "profile")
# In place of a value that is not known, so that all of these are one.
UNKNOWN = -1e9
# As many values as a profile is fitted to at least.
FITTED = 3


def serves(kind: str, measure: BoundMeasure | BoundEnsemble) -> bool:
    """Whether an estimator and a measure can be served by profiles."""
    return kind in KINDS and not measure.members


class Profiles:
    """A library that is searched for what an estimator needs.

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
        prepared = measure.prepare(self._library.intensity, self._library.energy)
        profiled = hasattr(estimator, "reach")
        # Else the match's own parameters are the answer, unless it is a reference.
        every = profiled or self._library.is_reference.any()
        names = _varied(estimator, widths=not profiled) if every else ["ten_dq"]
        self._cells = {name: Cells(estimator, measure, prepared, name) for name in names}

    def estimates(self, spectra: np.ndarray, spread: bool) -> tuple[Estimates, np.ndarray]:
        """Estimates of prepared spectra (n, points) on the library's grid, taken as they lie.

        With ``spread`` also the deviation of 10Dq (eV) among the library spectra that explain each
        as well, see `whiteline.evaluation.calibration.Evidence`; else zero. Shape (n,).
        """
        queries = self._measure.prepare(spectra, self._library.energy)
        read = {name: cells.estimates(queries) for name, cells in self._cells.items()}
        found = read["ten_dq"]
        known = self._library.parameters
        parameters = {
            name: known[name][found.match] if name in known else np.full(found.match.shape, np.nan)
            for name in PARAMETERS
        }
        parameters["energy_shift"] = found.parameters["energy_shift"]
        parameters |= {name: one.parameters[name] for name, one in read.items()}
        result = Estimates(found.candidates, found.chosen, found.match, found.distance, parameters)
        least = found.distance.min(1)
        return result, self._spread(queries, least) if spread else np.zeros(len(queries))

    def _spread(self, queries: np.ndarray, least: np.ndarray) -> np.ndarray:
        radius = AS_GOOD ** (self._order / 2) * least
        _, near = self._cells["ten_dq"].index.within(queries, radius)
        values = (self._library.ten_dq[rows] for rows in near)
        known = (ten_dq[np.isfinite(ten_dq)] for ten_dq in values)
        return np.array([ten_dq.std() if len(ten_dq) else 0.0 for ten_dq in known])


class Cells:
    """A library in cells of one valence and one value of a parameter, seen by the estimator.

    Simulations of known 10Dq, others, and measured references are kept apart, as estimators do.
    """

    def __init__(
        self, estimator: Estimator, measure: BoundMeasure, prepared: np.ndarray, name: str
    ) -> None:
        library = estimator.library_
        known = np.isfinite(library.ten_dq)
        kind = 2 * library.is_reference + ~known
        value = library.parameters[name]
        keys = np.stack([library.valence, kind, np.where(np.isnan(value), UNKNOWN, value)])
        cells, cell = np.unique(keys, axis=1, return_inverse=True)
        valence, kind, value = cells
        _, self._parent = np.unique(cells[:2], axis=1, return_inverse=True)
        self._parent = self._parent.ravel()
        reach = getattr(estimator, "reach", 0.0) if name == "ten_dq" else 0.0
        self._near = _neighbours(self._parent, value, reach)
        self.index = search.build(measure, prepared, library.energy, cell.ravel(), threads=1)
        value = np.where(value == UNKNOWN, np.nan, value)
        # References whose own 10Dq is known answer with it; what it is does not matter here.
        ten_dq = value if name == "ten_dq" else self._own(library, cell.ravel(), len(value))
        seen = Library(valence, {"ten_dq": ten_dq, name: value}, kind >= 2)
        self._estimator = type(estimator)(**estimator.get_params()).fit(seen, estimator.order_)

    def estimates(self, queries: np.ndarray) -> Estimates:
        """Estimates whose ``match`` are the library's rows, from measured-prepared queries."""
        distance, rows = self.index.nearest_around(queries, self._parent, self._near)
        found = self._estimator.predict(Comparison(distance))
        match = np.take_along_axis(rows, found.match, axis=1)
        parts = found.candidates, found.chosen, match, found.distance, found.parameters
        return Estimates(*parts)

    @staticmethod
    def _own(library: Library, cell: np.ndarray, count: int) -> np.ndarray:
        """10Dq (eV) of one spectrum of each cell, NaN where it is not known, shape (count,)."""
        ten_dq = np.full(count, np.nan)
        ten_dq[cell] = library.ten_dq
        return ten_dq


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
