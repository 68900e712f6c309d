"""A measure with its parameters: prepares spectra, compares them, and checks what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from whiteline.errors import InputError
from whiteline.measures.base import ROUNDING, Measure, energy_step, steps

# A distance this little below zero is rounding.
BELOW_ZERO = 1e-6
PRECISIONS = {"single": np.float32, "double": np.float64}
NEGATIVE = ("clip", "refuse")
DERIVATIVES = (0, 1, 2)
# Degree of the polynomial fitted in the window of a derivative.
POLYNOMIAL = 2


@dataclass(frozen=True)
class Treatment:
    """What is done with spectra before any measure sees them, and the precision after.

    Attributes
    ----------
    precision
        ``single`` or ``double``, of the prepared spectra and their distances. Preparation itself
        is done in double precision.
    negative
        ``clip`` sets negative intensities to zero, ``refuse`` refuses them; None leaves them.
    derivative
        0, 1 or 2: order of the derivative with respect to energy that is compared.
    derivative_window
        Width, eV, of the parabola fitted for it (Savitzky, Golay, Anal. Chem. 36, 1627 (1964),
        doi 10.1021/ac60214a047); the nearest odd number of points is used.
    """

    precision: str
    negative: str | None = None
    derivative: int = 0
    derivative_window: float = 1.0

    @classmethod
    def defaults(cls, facts: Measure) -> dict[str, Any]:
        """The parameters that every measure with such facts has."""
        if facts.needs_nonnegative:
            return {"precision": facts.precision, "negative": "clip"}
        return {"precision": facts.precision, "derivative": 0, "derivative_window": 1.0}

    @classmethod
    def of(cls, kind: str, values: Mapping[str, Any]) -> Treatment:
        """The treatment by a measure's parameters; raises `InputError` for an unknown choice."""
        known = {"precision": PRECISIONS, "negative": NEGATIVE, "derivative": DERIVATIVES}
        for name, options in known.items():
            if name in values and values[name] not in options:
                *some, last = map(str, options)
                raise InputError(
                    f"{kind}: {name} is {values[name]!r}; it must be {', '.join(some)} or {last}"
                )
        chosen = (*known, "derivative_window")
        return cls(**{name: values[name] for name in chosen if name in values})

    def apply(self, intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Spectra (n, points) treated, float64.

        Raises
        ------
        InputError
            If a spectrum has negative intensity that is to be refused, or the window of the
            derivative does not suit the grid.
        """
        intensity = np.asarray(intensity, dtype=float)
        if self.negative == "refuse" and (intensity < 0).any():
            row, point = np.argwhere(intensity < 0)[0]
            raise InputError(
                f"spectrum {row} has the negative intensity {intensity[row, point]:.3g} at "
                f"{energy[point]:.2f} eV; 'negative: clip' would set it to zero"
            )
        if self.negative:
            return np.maximum(intensity, 0)
        return self._derived(intensity, energy) if self.derivative else intensity

    def _derived(self, intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
        from scipy.signal import savgol_filter

        width = self.derivative_window
        points = 2 * (steps(width, energy, "derivative_window") // 2) + 1
        if not POLYNOMIAL < points <= len(energy):
            raise InputError(
                f"a derivative_window of {width} eV is {points} points wide on this grid; it must "
                f"have 3 or more and at most {len(energy)}"
            )
        # The filter refuses an empty set.
        if not len(intensity):
            return intensity
        step = energy_step(energy)
        derived = savgol_filter(intensity, points, POLYNOMIAL, self.derivative, step, axis=1)
        # The derivative of a constant is rounding, not zero.
        size = np.abs(intensity).max(axis=1, keepdims=True) / step**self.derivative
        return np.where(np.abs(derived) <= ROUNDING * size, 0, derived)


@dataclass(frozen=True)
class BoundMeasure:
    """A measure with its parameters, as `whiteline.measures.load` makes it.

    Attributes
    ----------
    kind
        Name of a built-in measure or path of a user's file.
    facts
        What is known about the measure.
    parameters
        All parameters, defaults filled in, sorted by name.
    """

    kind: str
    facts: Measure
    parameters: dict[str, Any]
    _treatment: Treatment = field(repr=False)
    _functions: dict[str, Callable] = field(repr=False, compare=False)
    _state: Any = field(default=None, repr=False, compare=False)

    members = ()

    @property
    def learns(self) -> bool:
        """Whether it must be shown the library, by `fit`."""
        return "fit" in self._functions

    def fit(
        self,
        intensity: np.ndarray,
        labels: Mapping[str, np.ndarray],
        energy: np.ndarray,
        seed: int,
    ) -> BoundMeasure:
        """This measure, having learnt from the library if it is one that learns.

        Parameters
        ----------
        intensity
            The library's spectra, shape (m, points).
        labels
            What is known of each: ``valence`` and ``ten_dq`` (eV), shape (m,).
        energy
            Uniform grid, eV, shape (points,).
        seed
            Of random draws.
        """
        if not self.learns:
            return self
        treated = self._treatment.apply(intensity, energy)
        return replace(self, _state=self._call("fit", treated, labels, energy, seed))

    def prepare(self, intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Spectra in the form that is compared.

        Parameters
        ----------
        intensity
            Shape (n, points).
        energy
            Uniform grid, eV, shape (points,).

        Returns
        -------
        ndarray with n as its first axis

        Raises
        ------
        InputError
            If a spectrum can't be compared (e.g. constant), or the measure breaks its contract.
        """
        if np.ndim(intensity) != 2 or np.shape(intensity)[1] != len(energy):
            raise InputError(
                f"{self.kind}: spectra of shape {np.shape(intensity)} don't suit a grid of "
                f"{len(energy)} energies; they must be (spectra, energies)"
            )
        result = self._call("prepare", intensity, energy)
        if not _is_real(result) or result.shape[:1] != np.shape(intensity)[:1]:
            raise InputError(
                f"{self.kind}: prepare returned {_describe(result)} for {len(intensity)} "
                f"spectra; it must return numbers whose first axis is the spectrum"
            )
        if not np.isfinite(result).all():
            raise InputError(f"{self.kind}: prepare returned values that are not finite")
        if result.dtype.kind != "f":
            return result
        return np.ascontiguousarray(result, dtype=PRECISIONS[self._treatment.precision])

    def pairwise(self, queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Distances between prepared spectra.

        Parameters
        ----------
        queries, library
            n and m prepared spectra, from `prepare`.
        energy
            The grid on which they were prepared, eV, shape (points,).

        Returns
        -------
        ndarray of shape (n, m), in the measure's precision or better

        Raises
        ------
        InputError
            If the spectra were not prepared on one grid, or the measure breaks its contract.
        """
        if queries.shape[1:] != library.shape[1:]:
            raise InputError(
                f"{self.kind}: queries of shape {queries.shape} and library spectra of "
                f"shape {library.shape} were not prepared alike"
            )
        result = self._call("pairwise", queries, library, energy)
        return _checked(self.kind, "pairwise", result, (len(queries), len(library)))

    def _call(self, function: str, *arrays: Any) -> Any:
        try:
            if function != "prepare":
                return self._functions[function](*arrays)
            treated = self._treatment.apply(*arrays)
            if "prepare" not in self._functions:
                return treated
            if "fit" not in self._functions:
                return self._functions["prepare"](treated, arrays[1])
            if self._state is None:
                raise InputError("learns from a library, and none was shown to it")
            return self._functions["prepare"](treated, arrays[1], self._state)
        except InputError as error:
            raise InputError(f"{self.kind}: {error}") from error


@dataclass(frozen=True)
class BoundEnsemble:
    """Several measures made into one; otherwise as `BoundMeasure`.

    Attributes
    ----------
    members
        The measures that it combines.
    """

    kind: str
    facts: Measure
    parameters: dict[str, Any]
    members: tuple[BoundMeasure, ...]
    _functions: dict[str, Callable] = field(repr=False, compare=False)

    @property
    def learns(self) -> bool:
        """Whether any member must be shown the library."""
        return any(member.learns for member in self.members)

    def fit(
        self,
        intensity: np.ndarray,
        labels: Mapping[str, np.ndarray],
        energy: np.ndarray,
        seed: int,
    ) -> BoundEnsemble:
        """This ensemble, its members having learnt from the library."""
        members = tuple(member.fit(intensity, labels, energy, seed) for member in self.members)
        return replace(self, members=members)

    def prepare(self, intensity: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Spectra as each member prepares them, a structured array of shape (n,)."""
        parts = [member.prepare(intensity, energy) for member in self.members]
        out = np.empty(
            len(intensity), [(str(k), part.dtype, part.shape[1:]) for k, part in enumerate(parts)]
        )
        for name, part in zip(out.dtype.names, parts, strict=True):
            out[name] = part
        return out

    def pairwise(self, queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Distances (n, m) between prepared spectra, combined from those of the members."""
        if queries.dtype != library.dtype:
            raise InputError(f"{self.kind}: queries and library spectra were not prepared alike")
        parts = [
            member.pairwise(queries[name], library[name], energy)
            for name, member in zip(queries.dtype.names, self.members, strict=True)
        ]
        return self.combine(parts)

    def combine(self, distances: Sequence[np.ndarray]) -> np.ndarray:
        """Distances (n, m) to the whole library from those of each member."""
        stacked = np.stack([np.asarray(part, dtype=float) for part in distances])
        result = self._functions["combine"](stacked)
        return _checked(self.kind, "combine", result, stacked.shape[1:])


def _checked(kind: str, function: str, result: Any, wanted: tuple[int, ...]) -> np.ndarray:
    if not _is_real(result) or result.shape != wanted:
        raise InputError(
            f"{kind}: {function} returned {_describe(result)} for {wanted[0]} queries and "
            f"{wanted[1]} library spectra; it must return numbers of shape {wanted}"
        )
    if not result.size:
        return result.astype(float)
    # NaN compares as false, so this refuses it too.
    if not ((lowest := result.min()) >= -BELOW_ZERO and result.max() < np.inf):
        raise InputError(f"{kind}: {function} returned distances that are negative or not finite")
    if result.dtype.kind != "f":
        result = result.astype(float)
    return np.maximum(result, 0) if lowest < 0 else result


def _is_real(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub"


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"
