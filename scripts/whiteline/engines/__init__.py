"""Engines that simulate stick spectra. The module name is the registry: one module per program.

A module offers

- ``FACTS``, a `whiteline.engines.base.Facts`: what the program is and which parameters it knows;
- ``version()``, the program's version, or None where it is not installed;
- ``Engine(ion, symmetry, *, ...)``, derived from `whiteline.engines.base.Engine`: built once, it
  makes sticks for one set of parameters after the other. Settings are keyword-only with defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from whiteline import registry
from whiteline.atomic import Ion
from whiteline.engines.base import Engine, Facts
from whiteline.errors import InputError

__all__ = [
    "SETTINGS",
    "Engine",
    "Facts",
    "facts",
    "installed",
    "kinds",
    "knows",
    "load",
    "settings",
    "source",
    "version",
]

# Keys of a library's configuration that are settings of its engine.
SETTINGS = ("configurations", "integrals")


def settings(library: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of its engine in a library's configuration."""
    return {key: library[key] for key in SETTINGS if key in library}


def kinds() -> list[str]:
    """Names of the engines, from the folder."""
    return registry.kinds("engines")


def installed() -> list[str]:
    """Names of the engines whose program is there."""
    return [kind for kind in kinds() if version(kind) is not None]


def knows(kind: str, symmetry: str, parameters: Iterable[str]) -> bool:
    """Whether an engine knows a symmetry and all these parameters."""
    known = facts(kind)
    return symmetry in known.symmetries and set(parameters) <= set(known.parameters)


def facts(kind: str) -> Facts:
    """What is known of an engine; raises `InputError` if there is none of that name."""
    return _module(kind).FACTS


def version(kind: str) -> str | None:
    """Version of an engine's program, None where it is not installed."""
    return _module(kind).version()


def source(kind: str) -> Path:
    """The file of an engine's module."""
    return registry.module_path("engines", kind)


def load(kind: str, ion: Ion, symmetry: str, **settings: Any) -> Engine:
    """The engine of that kind for one ion in one symmetry.

    Raises
    ------
    InputError
        If there is no such engine, its program is not installed, it does not know the symmetry, or
        a setting is unknown or of the wrong type.
    """
    module = _module(kind)
    if symmetry not in module.FACTS.symmetries:
        known = ", ".join(module.FACTS.symmetries)
        raise InputError(f"the engine {kind!r} does not know the symmetry {symmetry!r}; {known}")
    if module.version() is None:
        raise InputError(
            f"the program of the engine {kind!r} is not installed; {module.FACTS.installation}"
        )
    known = registry.defaults(module.Engine)
    return module.Engine(ion, symmetry, **registry.checked(kind, known, settings))


def _module(kind: str) -> Any:
    return registry.load("engines", kind, "FACTS", "version", "Engine")
