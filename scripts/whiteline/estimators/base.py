"""What all estimators share: one estimate for each valence, and the choice among them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Estimates:
    """Estimates of n queries with c candidate valences.

    ``valence``, ``ten_dq`` (eV) and ``match`` (row of the library) have shape (n,);
    ``candidate_ten_dq`` (eV), ``candidate_distance`` and ``candidate_match`` have shape (n, c).
    """

    valence: np.ndarray
    ten_dq: np.ndarray
    match: np.ndarray
    candidate_ten_dq: np.ndarray
    candidate_distance: np.ndarray
    candidate_match: np.ndarray


@dataclass
class DistanceEstimator(ABC):
    """Reads valence and 10Dq from distances to a library.

    The interface is scikit-learn's; its base class is not used because importing it would double
    the time of an estimate job. Parameters are the fields of the dataclass.

    Every axis of the library but 10Dq (Slater reduction, widths ...) is a nuisance: the library
    spectrum that suits the query best stands for all of them.

    A measured reference counts for the valence like any other library spectrum. 10Dq is read from
    the simulations of that valence, because a reference lies on no grid of theirs, but a
    reference whose 10Dq is known answers with it where it is the nearest. 10Dq is NaN where
    neither is to be had, and where the nearest simulation's is not known.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; ``deep`` has no meaning here, as there are no nested estimators."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def fit(self, library: Mapping[str, np.ndarray], order: int) -> DistanceEstimator:
        """Learn the library's parameters.

        Parameters
        ----------
        library
            ``valence`` and ``ten_dq`` (eV, NaN where unknown) of its m spectra, each (m,); and
            ``is_reference``, 1 for measured references, where there are any.
        order
            How the measure grows with a small change x of a spectrum: 1 as \\|x\\|, 2 as x^2.
        """
        self.library_ = {name: np.asarray(values, float) for name, values in library.items()}
        self.order_ = order
        self.candidates_ = np.unique(self.library_["valence"])
        ten_dq = self.library_["ten_dq"]
        self.reference_ = self.library_.get("is_reference", np.zeros(len(ten_dq))) == 1
        self.simulated_ = np.isfinite(ten_dq) & ~self.reference_
        return self

    def predict(self, distance: np.ndarray) -> Estimates:
        """Estimates from distances of shape (n, m); library spectra at infinity are left out.

        10Dq is NaN where that of the nearest library spectrum of the valence is not known.
        """
        if not hasattr(self, "candidates_"):
            raise RuntimeError("fit the estimator before it predicts")
        # Near its minimum this grows with the square of a parameter's change for every measure.
        squared = np.asarray(distance, float) ** (2 / self.order_)
        shape = (len(distance), len(self.candidates_))
        ten_dq, nearest = np.empty(shape), np.empty(shape)
        match = np.empty(shape, dtype=int)
        for column, valence in enumerate(self.candidates_):
            rows = np.flatnonzero(self.library_["valence"] == valence)
            match[:, column] = rows[squared[:, rows].argmin(1)]
            nearest[:, column] = np.asarray(distance)[np.arange(shape[0]), match[:, column]]
            ten_dq[:, column] = self._of_valence(squared, rows, match[:, column])
        chosen = self._choice(squared, nearest)
        best = np.arange(shape[0]), chosen
        return Estimates(
            self.candidates_[chosen], ten_dq[best], match[best], ten_dq, nearest, match
        )

    def _of_valence(self, squared: np.ndarray, rows: np.ndarray, match: np.ndarray) -> np.ndarray:
        """10Dq (eV), shape (n,), of one valence, whose ``rows`` (r,) hold the ``match`` (n,)."""
        simulated = rows[self.simulated_[rows]]
        found = (
            self._ten_dq(squared[:, simulated], simulated)
            if len(simulated)
            else np.full(len(squared), np.nan)
        )
        own = self.library_["ten_dq"][match]
        # Known references answer for themselves, and simulations that have none to tell.
        return np.where(self.reference_[match] == np.isfinite(own), own, found)

    @abstractmethod
    def _ten_dq(self, squared: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """10Dq (eV), shape (n,), from squared distances (n, r) to the library's ``rows`` of one
        valence.
        """

    def _choice(self, squared: np.ndarray, nearest: np.ndarray) -> np.ndarray:
        """Column of the valence chosen: that of the nearest library spectrum."""
        return nearest.argmin(1)
