"""Similarity measures. The module name is the registry: one module per kind.

``kind: correlation`` means `whiteline.measures.correlation`; a ``kind`` that ends in ``.py`` is a
user's own file. Either offers

- ``MEASURE``, a `whiteline.measures.base.Measure`;
- ``prepare(intensity, energy, *, ...)``: spectra (n, points) on a uniform grid in eV (points,), in
  the form that is compared, an array whose first axis is the spectrum;
- ``pairwise(queries, library, energy, *, ...)``: distances (n, m) between prepared spectra,
  0 = identical, never negative.

Parameters are keyword-only and have defaults; each function is given those that it declares.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from whiteline import registry
from whiteline.errors import InputError
from whiteline.measures.base import Measure

__all__ = ["BoundMeasure", "Measure", "kinds", "load", "module_path"]

ARGUMENTS = {"prepare": ("intensity", "energy"), "pairwise": ("queries", "library", "energy")}
# A distance this little below zero is rounding.
ROUNDING = 1e-6


@dataclass(frozen=True)
class BoundMeasure:
    """A measure with its parameters, as `load` makes it.

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
    _functions: dict[str, Callable[..., np.ndarray]] = field(repr=False, compare=False)
    _arguments: dict[str, dict[str, Any]] = field(repr=False, compare=False)

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
        intensity = np.asarray(intensity, dtype=float)
        if intensity.ndim != 2 or intensity.shape[1] != len(energy):
            raise InputError(
                f"{self.kind}: spectra of shape {intensity.shape} don't suit a grid of "
                f"{len(energy)} energies; they must be (spectra, energies)"
            )
        result = self._call("prepare", intensity, energy)
        if not _is_real(result) or result.shape[:1] != intensity.shape[:1]:
            raise InputError(
                f"{self.kind}: prepare returned {_describe(result)} for {len(intensity)} "
                f"spectra; it must return numbers whose first axis is the spectrum"
            )
        if not np.isfinite(result).all():
            raise InputError(f"{self.kind}: prepare returned values that are not finite")
        return result

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
        ndarray of shape (n, m), float64

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
        wanted = (len(queries), len(library))
        if not _is_real(result) or result.shape != wanted:
            raise InputError(
                f"{self.kind}: pairwise returned {_describe(result)} for {wanted[0]} "
                f"queries and {wanted[1]} library spectra; it must return numbers of shape "
                f"{wanted}"
            )
        # NaN compares as false, so this refuses it too.
        if result.size and not (result.min() >= -ROUNDING and result.max() < np.inf):
            raise InputError(
                f"{self.kind}: pairwise returned distances that are negative or not finite"
            )
        return np.maximum(result, 0, dtype=float)

    def _call(self, function: str, *arrays: np.ndarray) -> np.ndarray:
        try:
            return self._functions[function](*arrays, **self._arguments[function])
        except InputError as error:
            raise InputError(f"{self.kind}: {error}") from error


def kinds() -> list[str]:
    """Names of the built-in measures, from the folder."""
    return registry.kinds("measures")


def module_path(kind: str) -> Path:
    """The file of a measure; raises `InputError` if there is none."""
    return registry.module_path("measures", kind)


def load(kind: str, **parameters: Any) -> BoundMeasure:
    """The measure of that kind with the given parameters.

    Parameters
    ----------
    kind
        Name of a built-in measure, or path of a user's file that ends in ``.py``.
    parameters
        Values for the keyword-only parameters of its ``prepare`` and ``pairwise``.

    Raises
    ------
    InputError
        If the kind is unknown, its file breaks the contract, or a parameter is unknown or of the
        wrong type.
    """
    module = registry.load("measures", kind, "MEASURE", *ARGUMENTS)
    if not isinstance(module.MEASURE, Measure):
        raise InputError(f"{kind}: MEASURE must be a whiteline.measures.Measure(...)")
    functions = {name: _function(kind, module, name) for name in ARGUMENTS}
    declared = {name: _declared(kind, function) for name, function in functions.items()}
    values = registry.checked(kind, _defaults(kind, declared), parameters)
    arguments = {name: {key: values[key] for key in keys} for name, keys in declared.items()}
    return BoundMeasure(kind, module.MEASURE, values, functions, arguments)


def _function(kind: str, module: ModuleType, name: str) -> Callable[..., np.ndarray]:
    """The function ``name`` of a measure, if its positional arguments are what they should be."""
    function = getattr(module, name)
    wanted = ARGUMENTS[name]
    right = f"{name}({', '.join(wanted)}, *, ...)"
    if not callable(function):
        raise InputError(f"{kind}: {name} must be a function, {right}")
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters) or wanted != tuple(
        p.name for p in parameters if p.kind != p.KEYWORD_ONLY
    ):
        raise InputError(
            f"{kind}: {name} must be defined as {right} with its parameters after the "
            f"asterisk, not as {name}{inspect.signature(function)}"
        )
    return function


def _declared(kind: str, function: Callable) -> dict[str, Any]:
    """Defaults of a function's keyword-only parameters."""
    declared = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind != parameter.KEYWORD_ONLY:
            continue
        if parameter.default is parameter.empty:
            raise InputError(
                f"{kind}: the parameter {parameter.name!r} of {function.__name__} "
                "must have a default"
            )
        declared[parameter.name] = parameter.default
    return declared


def _defaults(kind: str, declared: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Defaults of both functions together; they must agree where both take a parameter."""
    defaults = {**declared["prepare"], **declared["pairwise"]}
    for name, default in declared["prepare"].items():
        if defaults[name] != default:
            raise InputError(
                f"{kind}: the parameter {name!r} has different defaults in prepare and pairwise"
            )
    return defaults


def _is_real(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub"


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"
