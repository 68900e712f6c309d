"""Similarity measures. The module name is the registry: one module per kind.

``kind: correlation`` means `whiteline.measures.correlation`; a ``kind`` that ends in ``.py`` is a
user's own file, and an installed package may offer others by entry points of the group
``whiteline.measures``. A module offers

- ``MEASURE``, a `whiteline.measures.base.Measure`; all but the built-in ones may leave it out;
- ``prepare(intensity, energy, *, ...)``: spectra (n, points) on a uniform grid in eV (points,), in
  the form that is compared, an array whose first axis is the spectrum; the spectra as they are,
  if it is left out;

and one of

- ``pairwise(queries, library, energy, *, ...)``: distances (n, m) between prepared spectra,
  0 = identical, never negative;
- ``distance(a, b, energy, *, ...)``: the distance between two prepared spectra, a number; it is
  compiled with numba where that is possible and called pair by pair;
- ``combine(distances, *, members)``: distances (n, m) from those of its ``members`` (k, n, m), a
  list of kinds, each with its parameters.

A measure that learns offers ``fit(intensity, labels, energy, seed, *, ...)``, which gets the
library's spectra and what is known of each, and gives a state that ``prepare`` takes as its third
argument.

Parameters are keyword-only and have defaults; each function is given those that it declares. Some
every measure has: ``precision`` of the prepared spectra, and a ``derivative`` taken before
preparing (`_bound.Treatment`), or, where negative intensities mean nothing, what to do with them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from whiteline import registry
from whiteline.errors import InputError
from whiteline.measures._bound import BoundEnsemble, BoundMeasure, Treatment
from whiteline.measures._contract import Functions
from whiteline.measures.base import Measure

__all__ = ["BoundEnsemble", "BoundMeasure", "Measure", "kinds", "load", "module_path", "offered"]


def kinds() -> list[str]:
    """Names of the built-in measures, from the folder."""
    return registry.kinds("measures")


def offered() -> list[str]:
    """Names of the measures that installed packages offer beside the built-in ones."""
    return sorted(registry.offered("measures").names - set(kinds()))


def module_path(kind: str) -> Path:
    """The file of a measure; raises `InputError` if there is none."""
    return registry.module_path("measures", kind)


def module_paths(kind: str, **parameters: Any) -> list[Path]:
    """The files of a measure and of its members."""
    named = [kind, *(member.kind for member in load(kind, **parameters).members)]
    return [path for name in named for path in registry.files("measures", name)]


def load(kind: str, **parameters: Any) -> BoundMeasure | BoundEnsemble:
    """The measure of that kind with the given parameters.

    Parameters
    ----------
    kind
        Name of a measure, built in or of an installed package, or path of a user's file that ends
        in ``.py``.
    parameters
        Values for the keyword-only parameters of its functions, and for those of every measure.

    Raises
    ------
    InputError
        If the kind is unknown, its file breaks the contract, or a parameter is unknown or of the
        wrong type.
    """
    functions = Functions.of(kind, registry.load("measures", kind))
    if "combine" in functions.by_name:
        values = registry.checked(kind, functions.defaults, parameters)
        members = tuple(_member(kind, spec) for spec in values["members"])
        if not members:
            raise InputError(f"{kind}: members is empty; name the measures to combine")
        return BoundEnsemble(kind, functions.facts, values, members, functions.bound(values))
    universal = Treatment.defaults(functions.facts)
    if taken := universal.keys() & functions.defaults.keys():
        raise InputError(
            f"{kind}: every measure has a parameter {min(taken)!r}; name your own otherwise"
        )
    if functions.facts.needs_nonnegative and "derivative" in parameters:
        raise InputError(
            f"{kind}: takes no derivative, which has negative values where this measure needs "
            "intensities that are not"
        )
    values = registry.checked(kind, {**functions.defaults, **universal}, parameters)
    treatment = Treatment.of(kind, values)
    return BoundMeasure(kind, functions.facts, values, treatment, functions.bound(values))


def _member(kind: str, spec: Any) -> BoundMeasure | BoundEnsemble:
    if isinstance(spec, str):
        spec = {"kind": spec}
    if not isinstance(spec, dict) or not isinstance(spec.get("kind"), str):
        raise InputError(
            f"{kind}: the member {spec!r} is neither a kind nor a kind with its parameters, such "
            "as {kind: cosine, derivative: 1}"
        )
    member = load(**spec)
    if member.members:
        raise InputError(f"{kind}: the member {member.kind!r} has members of its own")
    return member
