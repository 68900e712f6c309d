"""Non-linear fit of the simulated spectrum itself, with the engine in the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from whiteline.errors import InputError
from whiteline.estimators import base
from whiteline.estimators.base import MISFIT, PARAMETERS, WIDTHS, Comparison, Library
from whiteline.forward import SHIFT, ForwardModel
from whiteline.simulation import AXES

# Steps of the numerical derivatives: small against the lines, large against the sticks' rounding.
STEP = 2e-3
STEPS = {"temperature": 5.0, "magnetic_field": 0.1}
# At the very end of a range the bounded form of the fit has no slope: start this part inside.
INSIDE = 0.02
# Widths may leave the library's range by these factors, but for this least width, eV.
NARROWER, WIDER, LEAST_WIDTH = 0.5, 2.0, 0.03
# What may be left of the shift, eV: that of the match was found for another spectrum.
SHIFT_RANGE = 1.0
# Most fits need 10 to 40 evaluations; those of a wrong valence wander. The sum of squares is then
# as small as it gets to this part, far below the noise.
EVALUATIONS, TOLERANCE = 60, 1e-6


@dataclass
class Estimator(base.Estimator):
    """Least squares of query less spectrum over all parameters, from the nearest spectrum on.

    The method is that of Levenberg and Marquardt, by `lmfit`. The parameters that vary in the
    library, the line widths and the energy shift are free within the library's range; scale and a
    straight line, which normalisation and background leave open, are solved for at each step
    (variable projection: Golub, Pereyra, SIAM J. Numer. Anal. 10, 413 (1973)). Each valence is
    fitted that may be the answer, and the one that fits best is chosen.

    A fit simulates some dozens of spectra, which takes 0.1 to 0.5 s with the built-in engine.

    Parameters
    ----------
    engine
        Kind of the engine that simulates.
    rivals
        A valence is fitted if its nearest spectrum's distance is at most this multiple of the
        least; the others keep what the nearest spectrum says.
    starts
        Number of starting points: the nearest spectrum, and further ones that differ from those
        before by more than ``apart`` in 10Dq.
    apart
        See ``starts``, eV.
    """

    engine: str = "multiplet"
    rivals: float = 3.0
    starts: int = 1
    apart: float = 0.3

    def _read(
        self, comparison: Comparison, rows: np.ndarray, match: np.ndarray
    ) -> dict[str, np.ndarray]:
        distance = np.asarray(comparison.distance[:, rows], float)
        likely = distance.min(1) <= self.rivals * np.min(comparison.distance, axis=1)
        found = {name: np.full(len(match), np.nan) for name in (*PARAMETERS, SHIFT, MISFIT)}
        spaces: dict[str, Space] = {}
        for query in np.flatnonzero(likely):
            fits = []
            for row in self._starting(distance[query], rows):
                symmetry = self.library_.symmetry[row]
                if symmetry not in spaces:
                    alike = rows[self.library_.symmetry[rows] == symmetry]
                    spaces[symmetry] = Space(self.library_, alike, self.engine)
                fits.append(_fit(spaces[symmetry], comparison, query, row))
            for name, value in min(fits, key=lambda fit: fit[MISFIT]).items():
                found[name][query] = value
        return found

    def _starting(self, distance: np.ndarray, rows: np.ndarray) -> list[int]:
        """Rows of the library to start from, for one query at ``distance`` (r,) to ``rows``."""
        ten_dq = self.library_.ten_dq[rows]
        left, chosen = np.isfinite(distance), []
        while len(chosen) < self.starts and left.any():
            best = np.where(left, distance, np.inf).argmin()
            chosen.append(rows[best])
            left &= np.abs(ten_dq - ten_dq[best]) > self.apart
        return chosen

    def _choice(self, distance: np.ndarray, nearest: np.ndarray, misfit: np.ndarray) -> np.ndarray:
        fitted = np.isfinite(misfit)
        best = np.where(fitted, misfit, np.inf).argmin(1)
        return np.where(fitted.any(1), best, nearest.argmin(1))


@dataclass(frozen=True, eq=False)
class Space:
    """What may vary in the fits of one ion in one symmetry, and its forward model.

    ``rows`` are its simulations in the library.
    """

    library: Library
    rows: np.ndarray
    engine: str

    @cached_property
    def model(self) -> ForwardModel:
        """The ion's spectra on the library's grid."""
        first, library = self.rows[0], self.library
        zero = float(library.axis_zero[first])
        return ForwardModel(
            library.ion[first], library.symmetry[first], zero, library.energy, self.engine
        )

    @cached_property
    def limits(self) -> dict[str, tuple[float, float]]:
        """Least and greatest value of each free parameter but the shift."""
        found = {}
        for name in (*AXES, *WIDTHS):
            values = self.library.parameters[name][self.rows]
            low, high = float(values.min()), float(values.max())
            if name in WIDTHS:
                found[name] = max(NARROWER * low, LEAST_WIDTH), WIDER * high
            elif low < high and not (name == "slater_reduction_pd" and self.tied):
                found[name] = low, high
        return found

    @cached_property
    def tied(self) -> bool:
        """Whether the p-d Slater integrals are reduced as the d-d ones are."""
        own = (self.library.parameters[f"slater_reduction{end}"][self.rows] for end in ("", "_pd"))
        return np.array_equal(*own)

    def start(self, row: int) -> dict[str, float]:
        """All values of a library spectrum.

        Raises
        ------
        InputError
            If its widths are not known.
        """
        values = {name: float(self.library.parameters[name][row]) for name in PARAMETERS}
        if not all(np.isfinite(values[name]) for name in WIDTHS):
            raise InputError("direct_fit needs the line widths of the library's spectra")
        return values | {SHIFT: 0.0}

    def spectrum(self, values: Mapping[str, float]) -> np.ndarray:
        """The spectrum of these values, shape (points,)."""
        if self.tied:
            values = {**values, "slater_reduction_pd": values["slater_reduction"]}
        return self.model(values)


class Residuals:
    """Query less spectrum, scale and straight line solved for; and its derivatives.

    ``fixed`` are the values that are not fitted, ``query`` has shape (points,).
    """

    def __init__(self, space: Space, fixed: Mapping[str, float], query: np.ndarray) -> None:
        self._space, self._fixed, self._query = space, fixed, query
        line = np.stack([np.ones(len(query)), np.linspace(-1, 1, len(query))], axis=1)
        self._line = np.linalg.qr(line)[0]

    def __call__(self, parameters: Mapping[str, float]) -> np.ndarray:
        """Shape (points,)."""
        spectrum = self._off_line(self._spectrum(parameters))
        query = self._off_line(self._query)
        return query - spectrum * (spectrum @ query) / (spectrum @ spectrum)

    def jacobian(self, parameters: Mapping[str, float]) -> np.ndarray:
        """Derivatives with respect to the free parameters, shape (parameters, points).

        Kaufman's form of variable projection: the scale's own change is left out, as it is of
        second order.
        """
        here = self._spectrum(parameters)
        flat = self._off_line(here)
        flat /= np.linalg.norm(flat)
        scale = flat @ self._query / (flat @ here)
        rows = []
        for name in parameters:
            step = STEPS.get(name, STEP)
            change = (self._spectrum({**parameters, name: parameters[name] + step}) - here) / step
            change = self._off_line(change)
            rows.append(-scale * (change - flat * (flat @ change)))
        return np.stack(rows)

    def _spectrum(self, parameters: Mapping[str, float]) -> np.ndarray:
        return self._space.spectrum({**self._fixed, **parameters})

    def _off_line(self, spectrum: np.ndarray) -> np.ndarray:
        return spectrum - self._line @ (self._line.T @ spectrum)


def _fit(space: Space, comparison: Comparison, query: int, row: int) -> dict[str, float]:
    """Values at the least misfit of one query, from a library spectrum on.

    ``energy_shift`` is what the query's axis must be moved by, `MISFIT` the sum of squares.
    """
    import lmfit

    start = space.start(row)
    one = Comparison(
        comparison.distance[[query]],
        comparison.shift[[query]],
        comparison.intensity[[query]],
        comparison.step,
    )
    match = np.array([row])
    moved = float(one.shift_to(match)[0])
    measured = one.aligned(match, len(space.library.energy))[0]
    free = lmfit.Parameters()
    for name, (low, high) in _bounds(space, comparison.energy_uncertainty[query], moved).items():
        margin = INSIDE * (high - low)
        free.add(name, np.clip(start[name], low + margin, high - margin), min=low, max=high)
    residuals = Residuals(space, start, measured)
    result = lmfit.minimize(
        lambda parameters: residuals(parameters.valuesdict()),
        free,
        method="leastsq",
        max_nfev=EVALUATIONS,
        ftol=TOLERANCE,
        Dfun=lambda parameters: residuals.jacobian(parameters.valuesdict()),
        col_deriv=True,
    )
    found = start | result.params.valuesdict()
    if space.tied:
        found["slater_reduction_pd"] = found["slater_reduction"]
    # The spectrum moves up where the query's axis reads too low.
    return found | {SHIFT: moved - found[SHIFT], MISFIT: float(np.square(result.residual).sum())}


def _bounds(space: Space, uncertainty: float, moved: float) -> dict[str, tuple[float, float]]:
    """Limits of the free parameters; the shift's are those of the query's axis."""
    low, high = max(-SHIFT_RANGE, moved - uncertainty), min(SHIFT_RANGE, moved + uncertainty)
    return space.limits | ({SHIFT: (low, high)} if low < high else {})
