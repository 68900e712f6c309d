"""Finds the module that a ``kind`` of the configuration names; the module name is the registry.

A kind is a module of the family's folder, a file of the user's, or what an installed package
offers through an entry point.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from whiteline.errors import InputError

PACKAGE = Path(__file__).parent
# The file of an installed package that tells its version, in a wheel and in an egg.
METADATA = ("METADATA", "PKG-INFO")


def kinds(family: str) -> list[str]:
    """The built-in kinds of a family, e.g. ``"measures"``: the public modules of its folder."""
    hidden = ("__init__", "base")
    names = (path.stem for path in (PACKAGE / family).glob("*.py"))
    return sorted(name for name in names if name not in hidden and not name.startswith("_"))


def offered(family: str) -> EntryPoints:
    """What installed packages offer for a family.

    They do so by entry points of the group ``whiteline.<family>``; each names a module, which
    offers what a module of the family does.
    """
    return entry_points(group=f"whiteline.{family}")


def files(family: str, kind: str) -> list[Path]:
    """The files whose change makes a kind another one.

    Those are its module and, of an installed package, its metadata: the package may have other
    modules, which are not followed, but a new version of it has a path and a content of its own.

    Raises
    ------
    InputError
        If there is no such kind; names the nearest.
    """
    if kind.endswith(".py"):
        if not Path(kind).is_file():
            raise InputError(
                f"{kind}: no such file; a kind that ends in .py is a file of your own"
            )
        return [Path(kind)]
    if kind in kinds(family):
        return [PACKAGE / family / f"{kind}.py"]
    point = _entry_point(family, kind)
    parts = point.dist.files or ()
    return [
        Path(_import(point.value, _origin(point)).__file__),
        *(Path(part.locate()) for part in parts if part.name in METADATA),
    ]


def module_path(family: str, kind: str) -> Path:
    """The file of a kind's module; raises `InputError` as `files` does."""
    return files(family, kind)[0]


def load(family: str, kind: str, *required: str) -> ModuleType:
    """The module of a kind, which must offer the ``required`` names.

    A kind that ends in ``.py`` is a file of the user's; any other is a module of the family or,
    if there is none, an entry point of an installed package.

    Raises
    ------
    InputError
        If there is no such module, it can't be imported, or it lacks a name.
    """
    if kind.endswith(".py"):
        module = _load_file(module_path(family, kind))
    elif kind in kinds(family):
        module = importlib.import_module(f"whiteline.{family}.{kind}")
    else:
        point = _entry_point(family, kind)
        module = _import(point.value, _origin(point))
    for name in required:
        if not hasattr(module, name):
            raise InputError(f"{kind}: lacks {name!r}, which every one of the {family} must offer")
    return module


def clashes(family: str) -> list[str]:
    """One sentence for each name that an installed package offers though it is built in."""
    return [
        f"{point.name}: the built-in one is used, not the one of {_package(point)}; "
        "the package must give it another name"
        for point in offered(family)
        if point.name in kinds(family)
    ]


def _entry_point(family: str, kind: str) -> EntryPoint:
    points = offered(family)
    found = [point for point in points if point.name == kind]
    if len(found) > 1:
        packages = " and ".join(map(_package, found))
        raise InputError(f"{kind!r} is offered by {packages}; uninstall all but one")
    if found:
        return found[0]
    known = sorted({*kinds(family), *points.names})
    near = difflib.get_close_matches(kind, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    raise InputError(f"{kind!r} is no kind of {family}; {hint}")


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}"


def _origin(point: EntryPoint) -> str:
    return f"{point.name} of {_package(point)}"


def _import(name: str, origin: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise _failed(origin, error) from error


def _failed(origin: str, error: Exception) -> InputError:
    return InputError(f"{origin}: failed on import: {type(error).__name__}: {error}")


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
        raise _failed(str(path), error) from error
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
