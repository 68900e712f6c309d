"""The nearest library spectrum of each valence and the profile of 10Dq about it, by search.

Estimators that look at no more than the least distance for each valence and 10Dq get the same
from it as from all distances.
"""

from __future__ import annotations

import numpy as np

from whiteline import search
from whiteline.estimators import Comparison, Estimates, Estimator, Library
from whiteline.estimators.base import PARAMETERS
from whiteline.measures import BoundEnsemble, BoundMeasure

# The estimators that do.
KINDS = ("nearest", "regression")
# In place of a 10Dq that is not known, so that all of these are one.
UNKNOWN = -1e9


def serves(kind: str, measure: BoundMeasure | BoundEnsemble) -> bool:
    """Whether an estimator and a measure can be served by profiles."""
    return kind in KINDS and not measure.members


class Profiles:
    """A library in cells of one valence and 10Dq, and an estimator that sees cells for spectra.

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
        library = self._library
        known = np.isfinite(library.ten_dq)
        kind = np.where(library.is_reference, 2, np.where(known, 0, 1))
        keys = np.stack([library.valence, kind, np.where(known, library.ten_dq, UNKNOWN)])
        cells, cell = np.unique(keys, axis=1, return_inverse=True)
        valence, kind, ten_dq = cells
        _, self._parent = np.unique(cells[:2], axis=1, return_inverse=True)
        self._near = self._neighbours(ten_dq, getattr(estimator, "reach", 0.0))
        prepared = measure.prepare(library.intensity, library.energy)
        self._index = search.build(measure, prepared, library.energy, cell.ravel(), threads=1)
        ten_dq = np.where(ten_dq == UNKNOWN, np.nan, ten_dq)
        seen = Library(valence, {"ten_dq": ten_dq}, kind == 2)
        self._estimator = type(estimator)(**estimator.get_params()).fit(seen, estimator.order_)

    def estimates(self, spectra: np.ndarray) -> Estimates:
        """Estimates of prepared spectra (n, points) on the library's grid, taken as they lie."""
        queries = self._measure.prepare(spectra, self._library.energy)
        distance, rows = self._index.nearest_around(queries, self._parent, self._near)
        found = self._estimator.predict(Comparison(distance))
        match = np.take_along_axis(rows, found.match, axis=1)
        known = self._library.parameters
        parameters = {
            name: known[name][match] if name in known else np.full(match.shape, np.nan)
            for name in PARAMETERS
        }
        parameters |= {name: found.parameters[name] for name in ("ten_dq", "energy_shift")}
        return Estimates(found.candidates, found.chosen, match, found.distance, parameters)

    def _neighbours(self, ten_dq: np.ndarray, reach: float) -> np.ndarray:
        """Which cells of the same parent lie within reach (eV) or next to each other, (g, g)."""
        same = self._parent[:, None] == self._parent
        place = np.arange(len(ten_dq))
        beside = np.abs(place[:, None] - place) <= 1
        return same & (beside | (np.abs(ten_dq[:, None] - ten_dq) <= reach + 1e-9))
