"""Checks that a module of a measure keeps the contract, and binds its functions to parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from whiteline.errors import InputError
from whiteline.measures.base import Measure

ARGUMENTS = {
    "fit": ("intensity", "labels", "energy", "seed"),
    "prepare": ("intensity", "energy"),
    "pairwise": ("queries", "library", "energy"),
    "distance": ("a", "b", "energy"),
    "combine": ("distances",),
}
COMPARING = ("pairwise", "distance", "combine")


@dataclass(frozen=True)
class Functions:
    """The functions of a measure's module, checked.

    Attributes
    ----------
    facts
        The module's ``MEASURE``, or what little is known without.
    by_name
        Functions that the module offers.
    parameters
        Defaults of the keyword-only parameters of each function.
    defaults
        The same for all functions together.
    """

    facts: Measure
    by_name: dict[str, Callable]
    parameters: dict[str, dict[str, Any]]
    defaults: dict[str, Any]

    @classmethod
    def of(cls, kind: str, module: ModuleType) -> Functions:
        """The functions of a module; raises `InputError` where it breaks the contract."""
        found = {name: getattr(module, name) for name in ARGUMENTS if hasattr(module, name)}
        compared = [name for name in COMPARING if name in found]
        if not compared:
            raise InputError(
                f"{kind}: lacks 'pairwise' or 'distance', one of which every measure must offer"
            )
        if "pairwise" in found:
            found.pop("distance", None)
        for name, function in found.items():
            wanted = ARGUMENTS[name]
            _check(kind, name, function, (*wanted, "state") if _stateful(name, found) else wanted)
        declared = {name: _declared(kind, function) for name, function in found.items()}
        return cls(_facts(kind, module), found, declared, _defaults(kind, declared))

    def bound(self, values: Mapping[str, Any]) -> dict[str, Callable]:
        """The functions with the values of their parameters; ``pairwise`` made of ``distance``."""
        arguments = {
            name: {key: values[key] for key in declared}
            for name, declared in self.parameters.items()
        }
        functions = {name: partial(self.by_name[name], **arguments[name]) for name in self.by_name}
        if "distance" in functions:
            functions["pairwise"] = _PairByPair(self.by_name["distance"], arguments["distance"])
        return functions


class _PairByPair:
    """``pairwise`` out of a function of two spectra, compiled if numba can."""

    def __init__(self, distance: Callable, parameters: Mapping[str, Any]):
        self._plain = partial(distance, **parameters)
        self._call: Callable | None = None

    def __call__(self, queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
        out = np.empty((len(queries), len(library)))
        if out.size and self._call is None:
            self._call = self._compiled(queries[0], library[0], energy)
        for pair in np.ndindex(out.shape):
            out[pair] = self._call(queries[pair[0]], library[pair[1]], energy)
        return out

    def _compiled(self, a: np.ndarray, b: np.ndarray, energy: np.ndarray) -> Callable:
        from numba import njit
        from numba.core.errors import NumbaError

        given = self._plain.keywords
        compiled = njit(self._plain.func)
        try:
            compiled(a, b, energy, **given)
        except NumbaError:
            return self._plain
        return partial(compiled, **given)


def _stateful(name: str, found: Mapping[str, Callable]) -> bool:
    return name == "prepare" and "fit" in found


def _facts(kind: str, module: ModuleType) -> Measure:
    facts = getattr(module, "MEASURE", None)
    if facts is None:
        return Measure(Path(kind).stem.replace("_", " "), precision="double")
    if not isinstance(facts, Measure):
        raise InputError(f"{kind}: MEASURE must be a whiteline.measures.Measure(...)")
    return facts


def _check(kind: str, name: str, function: Callable, wanted: tuple[str, ...]) -> None:
    """Refuse a function whose positional arguments are not what they should be."""
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
    """Defaults of all functions together; they must agree where several take a parameter."""
    defaults: dict[str, Any] = {}
    for name, parameters in declared.items():
        for key, default in parameters.items():
            if defaults.setdefault(key, default) != default:
                raise InputError(
                    f"{kind}: the parameter {key!r} has different defaults in {name} and before it"
                )
    return defaults
