"""What all estimators share: one estimate for each valence, and the choice among them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.alignment import window
from whiteline.simulation import AXES

WIDTHS = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")
# What is estimated jointly, beside the valence and the energy shift.
PARAMETERS = (*AXES, *WIDTHS)
# What an estimator may tell of how badly a valence fits, in place of the distance.
MISFIT = "misfit"


@dataclass(frozen=True)
class Library:
    """The m library spectra that an estimator learns from, prepared for comparison.

    Attributes
    ----------
    valence
        Shape (m,).
    parameters
        `PARAMETERS`, each of shape (m,), NaN where unknown; only ``ten_dq`` must be there.
    is_reference
        True for measured references, shape (m,).
    energy
        The uniform grid, eV, shape (points,).
    intensity
        Shape (m, points).
    ion, symmetry
        Names, shape (m,).
    axis_zero
        Energy on the grid of the zero of simulated sticks, eV, shape (m,).
    preparation
        How the spectra were prepared: ``background`` and ``normalisation`` of
        `whiteline.preprocessing`.
    """

    valence: np.ndarray
    parameters: Mapping[str, np.ndarray]
    is_reference: np.ndarray
    energy: np.ndarray | None = None
    intensity: np.ndarray | None = None
    ion: np.ndarray | None = None
    symmetry: np.ndarray | None = None
    axis_zero: np.ndarray | None = None
    preparation: Mapping[str, Any] | None = None

    @property
    def ten_dq(self) -> np.ndarray:
        """10Dq, eV, shape (m,), NaN where unknown."""
        return self.parameters["ten_dq"]

    @classmethod
    def of(cls, spectra: xr.Dataset) -> Library:
        """The library in a dataset of contract "spectra", prepared."""
        return cls(
            spectra["valence"].values,
            {name: spectra[name].values for name in PARAMETERS},
            contracts.is_reference(spectra) == 1,
            spectra["energy"].values,
            spectra["intensity"].values,
            spectra["ion"].values.astype(str),
            spectra["symmetry"].values.astype(str),
            spectra["energy_shift"].values,
            {
                "background": json.loads(spectra.attrs["background"]),
                "normalisation": spectra.attrs["normalisation"],
            },
        )


@dataclass(frozen=True)
class Comparison:
    """n queries, compared with the m spectra of a library.

    Attributes
    ----------
    distance
        Shape (n, m); infinite for library spectra to be left out.
    shift
        eV by which each query moves up for each library spectrum, shape (n, m).
    intensity
        Extended queries (see `whiteline.alignment`), shape (n, points + 2 margin).
    step
        Of the grid, eV.
    energy_uncertainty
        Largest shift that may be added to each query's axis, eV, shape (n,).
    """

    distance: np.ndarray
    shift: np.ndarray | None = None
    intensity: np.ndarray | None = None
    step: float = np.nan
    energy_uncertainty: np.ndarray | None = None

    def shift_to(self, match: np.ndarray) -> np.ndarray:
        """eV by which each query moves up for its library row in ``match``, shape (n,)."""
        if self.shift is None:
            return np.zeros(len(match))
        return np.take_along_axis(self.shift, match[:, None], axis=1)[:, 0]

    def aligned(self, match: np.ndarray, points: int) -> np.ndarray:
        """The queries, shape (n, points), laid on their library rows in ``match``, shape (n,)."""
        steps = np.rint(self.shift_to(match) / self.step).astype(int)
        return window(self.intensity, steps, points)


@dataclass(frozen=True)
class Estimates:
    """Estimates of n queries with c candidate valences.

    Attributes
    ----------
    candidates
        The valences, shape (c,).
    chosen
        Number of the candidate that each query is thought to be, shape (n,).
    match
        Row of the nearest library spectrum of each candidate, shape (n, c).
    distance
        Its distance, shape (n, c).
    parameters
        Of each candidate, by name, shape (n, c), NaN where unknown: `PARAMETERS` and
        ``energy_shift`` (eV, added to the query's axis).
    """

    candidates: np.ndarray
    chosen: np.ndarray
    match: np.ndarray
    distance: np.ndarray
    parameters: Mapping[str, np.ndarray]

    @property
    def valence(self) -> np.ndarray:
        """Shape (n,)."""
        return self.candidates[self.chosen]

    @property
    def ten_dq(self) -> np.ndarray:
        """10Dq, eV, shape (n,)."""
        return self.of_chosen(self.parameters["ten_dq"])

    def of_chosen(self, values: np.ndarray) -> np.ndarray:
        """What belongs to the chosen candidate, shape (n,), of values of all, shape (n, c)."""
        return np.take_along_axis(values, self.chosen[:, None], axis=1)[:, 0]


@dataclass
class Estimator(ABC):
    """Reads valence, 10Dq and the other parameters from a comparison with a library.

    The interface is scikit-learn's; its base class is not used because importing it would double
    the time of an estimate job. Parameters are the fields of the dataclass.

    A measured reference counts for the valence like any other library spectrum. 10Dq is read from
    the simulations of that valence, because a reference lies on no grid of theirs, but a
    reference whose 10Dq is known answers with it where it is the nearest. 10Dq is NaN where
    neither is to be had, and where the nearest simulation's is not known.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; ``deep`` has no meaning here, as there are no nested estimators."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def fit(self, library: Library, order: int) -> Estimator:
        """Learn the library.

        Parameters
        ----------
        library
            Its spectra and their parameters.
        order
            How the measure grows with a small change x of a spectrum: 1 as \\|x\\|, 2 as x^2.
        """
        self.library_, self.order_ = library, order
        self.candidates_ = np.unique(library.valence)
        self.simulated_ = np.isfinite(library.ten_dq) & ~library.is_reference
        return self

    def predict(self, comparison: Comparison) -> Estimates:
        """One estimate of each query for each valence, and the choice among them."""
        if not hasattr(self, "candidates_"):
            raise RuntimeError("fit the estimator before it predicts")
        distance = np.asarray(comparison.distance, float)
        shape = (len(distance), len(self.candidates_))
        match, nearest = np.empty(shape, dtype=int), np.empty(shape)
        found = {name: np.full(shape, np.nan) for name in (*PARAMETERS, "energy_shift", MISFIT)}
        for column, valence in enumerate(self.candidates_):
            rows = np.flatnonzero(self.library_.valence == valence)
            match[:, column] = rows[distance[:, rows].argmin(1)]
            nearest[:, column] = distance[np.arange(shape[0]), match[:, column]]
            for name, values in self._of_valence(comparison, rows, match[:, column]).items():
                found[name][:, column] = values
        chosen = self._choice(distance, nearest, found.pop(MISFIT))
        return Estimates(self.candidates_, chosen, match, nearest, found)

    def _of_valence(
        self, comparison: Comparison, rows: np.ndarray, match: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Parameters, each (n,), of one valence, whose ``rows`` (r,) hold the ``match`` (n,)."""
        known = self.library_.parameters
        found = {name: known[name][match] for name in PARAMETERS if name in known}
        found["energy_shift"] = comparison.shift_to(match)
        simulated = rows[self.simulated_[rows]]
        if not len(simulated) or not len(match):
            return found
        read = self._read(comparison, simulated, match)
        # Known references answer for themselves, and simulations that have none to tell.
        own = self.library_.is_reference[match] == np.isfinite(self.library_.ten_dq[match])
        for name, values in read.items():
            kept = found.get(name, np.full(len(match), np.nan))
            found[name] = np.where(own | np.isnan(values), kept, values)
        return found

    def _varied(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The parameters of the library's ``rows`` (r,) that can be read, each (r,): 10Dq, and
        those that are known of all rows and differ.
        """
        known = {name: values[rows] for name, values in self.library_.parameters.items()}
        return {
            name: known[name]
            for name in PARAMETERS
            if name in known and (name == "ten_dq" or np.ptp(known[name]) > 0)
        }

    @abstractmethod
    def _read(
        self, comparison: Comparison, rows: np.ndarray, match: np.ndarray
    ) -> dict[str, np.ndarray]:
        """What is read beyond the match's own parameters, each (n,), NaN where nothing is.

        ``rows`` (r,) are the simulations of one valence, ``match`` (n,) its nearest spectra, which
        may be references. `MISFIT` may be among it, for `_choice`.
        """

    def _choice(self, distance: np.ndarray, nearest: np.ndarray, misfit: np.ndarray) -> np.ndarray:
        """Column of the valence chosen: that of the nearest library spectrum.

        ``distance`` (n, m) is that to each library spectrum, ``nearest`` (n, c) the least of each
        valence, ``misfit`` (n, c) what `_read` says of each, NaN where nothing.
        """
        return nearest.argmin(1)


class DistanceEstimator(Estimator):
    """An estimator that reads the parameters from distances alone."""

    def _read(
        self, comparison: Comparison, rows: np.ndarray, match: np.ndarray
    ) -> dict[str, np.ndarray]:
        return self._values(self._squared(comparison.distance[:, rows]), self._varied(rows))

    def _squared(self, distance: np.ndarray) -> np.ndarray:
        """What grows with the square of a parameter's change near its minimum, by any measure."""
        return np.asarray(distance, float) ** (2 / self.order_)

    @abstractmethod
    def _values(
        self, squared: np.ndarray, known: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Parameters, each (n,), from squared distances (n, r) to library spectra of one valence
        and what is ``known`` of those, each (r,).
        """


def weighted_means(weight: np.ndarray, known: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Means, each (n,), of what is ``known`` (r,) or (n, r) of r spectra, by weights (n, r)."""
    total = weight.sum(1)
    return {name: (weight * values).sum(1) / total for name, values in known.items()}
