"""Finds the module that a ``kind`` of the configuration names; the module name is the registry."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from whiteline.errors import InputError

PACKAGE = Path(__file__).parent


def kinds(family: str) -> list[str]:
    """The built-in kinds of a family, e.g. ``"measures"``: the public modules of its folder."""
    hidden = ("__init__", "base")
    names = (path.stem for path in (PACKAGE / family).glob("*.py"))
    return sorted(name for name in names if name not in hidden and not name.startswith("_"))


def module_path(family: str, kind: str) -> Path:
    """The file of a kind: a module of the family, or the user's own file where it ends in ``.py``.

    Raises
    ------
    InputError
        If there is none; names the nearest built-in kind.
    """
    path = Path(kind) if kind.endswith(".py") else PACKAGE / family / f"{kind}.py"
    if kind.endswith(".py"):
        if not path.is_file():
            raise InputError(
                f"{kind}: no such file; a kind that ends in .py is a file of your own"
            )
    elif kind not in kinds(family):
        near = difflib.get_close_matches(kind, kinds(family), 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(kinds(family))}"
        raise InputError(f"{kind!r} is no kind of {family}; {hint}")
    return path


def load(family: str, kind: str, *required: str) -> ModuleType:
    """The module of a kind, which must offer the ``required`` names.

    Raises
    ------
    InputError
        If there is no such module, it can't be imported, or it lacks a name.
    """
    path = module_path(family, kind)
    own = kind.endswith(".py")
    module = _load_file(path) if own else importlib.import_module(f"whiteline.{family}.{kind}")
    for name in required:
        if not hasattr(module, name):
            raise InputError(f"{kind}: lacks {name!r}, which every one of the {family} must offer")
    return module


def _load_file(path: Path) -> ModuleType:
    name = f"whiteline_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and numba look their module up here.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise InputError(f"{path}: failed on import: {type(error).__name__}: {error}") from error
    return module


def defaults(function: Callable) -> dict[str, Any]:
    """Names and defaults of the parameters that a function takes by keyword."""
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }


def checked(kind: str, known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given parameters over the known defaults, sorted by name; an integer passes for a float.

    Raises
    ------
    InputError
        If a parameter is unknown or not of its default's type.
    """
    values = dict(sorted(known.items()))
    for name, value in given.items():
        if name not in known:
            options = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise InputError(f"{kind}: no parameter {name!r}; {options}")
        default = known[name]
        values[name] = float(value) if type(default) is float and type(value) is int else value
        if default is not None and type(values[name]) is not type(default):
            raise InputError(
                f"{kind}: {name} is {value!r}; it must be of type {type(default).__name__}, "
                f"such as {default!r}"
            )
    return values
