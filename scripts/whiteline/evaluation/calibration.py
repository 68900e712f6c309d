"""Intervals, sets of valences and the limit of the library, from test spectra of known truth.

Split conformal prediction by crepes. Intervals: Lei, G'Sell, Rinaldo, Tibshirani, Wasserman,
J. Am. Stat. Assoc. 113, 1094 (2018), doi 10.1080/01621459.2017.1307116. Sets and groups: Vovk,
Gammerman, Shafer, Algorithmic Learning in a Random World (2005), ch. 2 and 4.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from whiteline.estimators.base import Comparison, Estimates
from whiteline.evaluation.identifiability import Identifiability

if TYPE_CHECKING:
    from crepes import ConformalRegressor

COVERAGE = (0.68, 0.95)
# The set of valences that fit holds the true one with this probability.
SET_COVERAGE = 0.95
# Of the calibration spectra, which do come from the library's model, this share counts as outside.
FALSE_ALARMS = 0.01
# Rounding must not lift (n + 1) * coverage above a whole number, as crepes takes its ranks.
ROUNDING = 1e-9
# Library spectra whose squared distance is within this factor of the least explain a spectrum
# about as well as the nearest.
AS_GOOD = 1.2
# A bound beyond this, infinite ones among them, says no more than this, eV.
LARGEST = 2.5
# What crepes imports for tests of exchangeability, difficulty estimates and scaling.
NOT_NEEDED = {
    "scipy.stats": ("kstest",),
    "sklearn": (),
    "sklearn.neighbors": ("NearestNeighbors",),
    "sklearn.preprocessing": ("MinMaxScaler",),
}
# An error of 10Dq that is to be expected of any spectrum, eV.
LEAST_ERROR = 0.05


@dataclass(frozen=True)
class Evidence:
    """What the estimates of n spectra rest on.

    Attributes
    ----------
    distance
        Least distance at each of c valences, shape (n, c).
    width
        Gaussian width of the library spectrum that was matched, eV, NaN if unknown, shape (n,).
    bound
        Cramer-Rao bound of 10Dq, eV, NaN if the library does not tell, shape (n,).
    spread
        Deviation of 10Dq among the library spectra that explain each as well, eV, shape (n,).
    energy_uncertainty
        How far the search for the energy shift went, eV, shape (n,).
    """

    distance: np.ndarray
    width: np.ndarray
    bound: np.ndarray
    spread: np.ndarray
    energy_uncertainty: np.ndarray

    @classmethod
    def of(
        cls,
        found: Estimates,
        compared: Comparison,
        queries: xr.Dataset,
        bounds: Identifiability,
        order: int,
    ) -> Evidence:
        """What the estimates ``found`` of ``compared`` queries (contract "spectra") rest on.

        ``bounds`` are of the library that they were compared with; ``order`` is that of the
        measure, see `whiteline.estimators.Estimator.fit`.
        """
        match, library = found.of_chosen(found.match), bounds.library
        aligned = compared.aligned(match, library.sizes["energy"])
        return cls(
            found.distance,
            library["gaussian_sigma"].values[match],
            bounds.bound(match, aligned, queries["noise"].values),
            _spread(compared.distance, order, library["ten_dq"].values),
            queries["energy_uncertainty"].values,
        )

    @property
    def difficulty(self) -> np.ndarray:
        """What the error of 10Dq is expected to be proportional to, eV, shape (n,).

        The sum of what the spectrum leaves open, and what other library spectra would say. Chosen
        by experiment (docs/design.md); intervals hold the truth as often with any other choice.
        """
        return np.fmin(np.nan_to_num(self.bound, nan=0.0), LARGEST) + self.spread + LEAST_ERROR


@dataclass(frozen=True)
class Calibration:
    """What test spectra of known truth say of others like them.

    Each Gaussian width is calibrated by the test spectra that matched it (Mondrian conformal
    prediction), because a poorly resolved spectrum says less; those that are not known count as
    one. Nothing is claimed, so that intervals are infinite and every valence fits, where too few
    test spectra matched a width (fewer than 19 for 95 %), and for spectra whose shift was sought
    farther than that of the test spectra, because a wider search helps wrong valences.

    Attributes
    ----------
    widths
        Those that test spectra matched, eV.
    energy_uncertainty
        How far the search for their energy shift went, eV.
    distance_limit
        Largest usual distance of the nearest library spectrum.
    excess_limit
        Largest distance, over the least of all valences, at which a valence fits, (widths,).
    intervals
        The conformal predictor, by place in ``widths``.
    """

    widths: np.ndarray
    energy_uncertainty: float
    distance_limit: float
    excess_limit: np.ndarray
    intervals: ConformalRegressor

    def radius(self, evidence: Evidence) -> np.ndarray:
        """Half widths of intervals of 10Dq, eV, infinite where nothing is claimed.

        An interval holds the truth of a further spectrum of the same kind with a probability of at
        least ``COVERAGE``. Shape (n, coverages).
        """
        known, group = self._groups(evidence)
        radius = np.full((len(known), len(COVERAGE)), np.inf)
        centre, difficulty = np.zeros(known.sum()), evidence.difficulty[known]
        with warnings.catch_warnings():
            # That a group is too small is told by an infinite interval.
            warnings.simplefilter("ignore", UserWarning)
            for column, level in enumerate(COVERAGE):
                radius[known, column] = self.intervals.predict_int(
                    centre, difficulty, group[known], confidence=level - ROUNDING
                )[:, 1]
        return radius

    def fits(self, evidence: Evidence) -> np.ndarray:
        """Which valences the spectra do not speak against, shape (n, c).

        The nearest valence always fits. Another does unless its distance, over the least of all,
        is larger than that of the true valence usually is, so that these sets hold the truth of a
        further spectrum of the same kind with a probability of at least ``SET_COVERAGE``.
        """
        known, group = self._groups(evidence)
        fits = np.ones(evidence.distance.shape, dtype=bool)
        limit = self.excess_limit[group[known]]
        fits[known] = _excess(evidence.distance[known]) <= limit[:, None]
        return fits

    def _groups(self, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
        """Of which spectra something can be claimed, and by which group, both of shape (n,)."""
        same = np.isclose(evidence.width[:, None], self.widths, rtol=0, atol=0, equal_nan=True)
        known = evidence.energy_uncertainty <= self.energy_uncertainty + ROUNDING
        return known & same.any(1), same.argmax(1)


def calibrate(evidence: Evidence, error: np.ndarray, true: np.ndarray) -> Calibration:
    """Calibration from n test spectra.

    Parameters
    ----------
    evidence
        What their estimates rest on. The distance limit is at most the largest of theirs: with
        n < 99 it is exceeded by 1 of n + 1.
    error
        Errors of 10Dq, eV, NaN where none was estimated, shape (n,).
    true
        Number of the true valence among the candidates, shape (n,).
    """
    crepes = _crepes()
    widths, group = np.unique(evidence.width, return_inverse=True)
    # No estimate of 10Dq is worse than any.
    residual = np.where(np.isnan(error), np.inf, error)
    excess = np.take_along_axis(_excess(evidence.distance), true[:, None], axis=1)[:, 0]
    return Calibration(
        widths,
        float(evidence.energy_uncertainty.min()),
        _limit(evidence.distance.min(1)),
        _excess_limit(excess, group),
        crepes.ConformalRegressor().fit(residual, evidence.difficulty, group),
    )


def _crepes() -> ModuleType:
    """The package crepes, without what it imports for other purposes.

    Its conformal predictors are arrays and sorting. Importing scipy.stats and sklearn beside them
    would take longer than all else that a job of estimates does.
    """
    absent = {name: what for name, what in NOT_NEEDED.items() if name not in sys.modules}
    for name, what in absent.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(dict.fromkeys(what))
    try:
        return import_module("crepes")
    finally:
        for name in absent:
            del sys.modules[name]


def _excess(distance: np.ndarray) -> np.ndarray:
    """Distances (n, c) over the least of each row; an exact match leaves no rival but its like."""
    least = distance.min(1, keepdims=True)
    exact = np.where(distance > 0, np.inf, 1.0)
    return np.where(least > 0, distance / np.where(least > 0, least, 1.0), exact)


def _excess_limit(excess: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The largest excess at which a valence fits, from those of n true ones, by group, (groups,).

    A p-value falls from one test spectrum's excess to the next, so these tell all others.
    """
    every = np.unique(group)
    asked, of = np.append(excess, np.full(len(every), np.inf)), np.append(group, every)
    sets = _crepes().ConformalClassifier().fit(excess, group)
    fits = sets.predict_set(
        asked[:, None], of, confidence=SET_COVERAGE - ROUNDING, smoothing=False
    )
    return np.array([asked[(fits[:, 0] == 1) & (of == one)].max() for one in every])


def _limit(distance: np.ndarray) -> float:
    """The distance (n,) of the rank that all but ``FALSE_ALARMS`` of further spectra keep to."""
    rank = int(np.ceil((len(distance) + 1) * (1 - FALSE_ALARMS) - ROUNDING))
    return float(np.sort(distance)[min(rank, len(distance)) - 1])


def _spread(distance: np.ndarray, order: int, ten_dq: np.ndarray) -> np.ndarray:
    """Deviation of 10Dq (m,) of the library spectra about as near as the nearest, shape (n,).

    ``distance`` (n, m) grows as the power ``order`` of a small change; unknown 10Dq do not count.
    """
    known = np.isfinite(ten_dq)
    spread = np.zeros(len(distance))
    for row, distances in enumerate(distance):
        near = known & (distances <= AS_GOOD ** (order / 2) * distances.min())
        if near.any():
            spread[row] = ten_dq[near].std()
    return spread
