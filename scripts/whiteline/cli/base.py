"""Values as they are written on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from math import isfinite

from whiteline.errors import InputError
from whiteline.grids import grid

Grid = float | list[float] | dict[str, float]


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ArgumentTypeError(f"{text!r} is not a number")
    return value


def column(text: str) -> str | int:
    """A position where the text is a whole number, else a name."""
    return int(text) if text.isdecimal() else text


def grid_of(text: str) -> Grid:
    """A grid as `whiteline.grids.grid` takes it: ``0.9``, ``0.8,0.9`` or ``0:2.5:0.05``.

    Raises
    ------
    ArgumentTypeError
        If the text is none of these, or the grid is empty.
    """
    if ":" in text:
        return range_of(text)
    parts = [number(part) for part in text.split(",")]
    if len(set(parts)) < len(parts):
        raise ArgumentTypeError(f"{text!r} names a value twice")
    return parts[0] if len(parts) == 1 else parts


def range_of(text: str) -> dict[str, float]:
    """A grid ``start:stop:step``, the stop included; raises `ArgumentTypeError` if it is none."""
    parts = text.split(":")
    if len(parts) != 3:
        raise ArgumentTypeError(f"{text!r} is not start:stop:step, such as 0:2.5:0.05")
    spec = dict(zip(("start", "stop", "step"), map(number, parts), strict=True))
    if spec["step"] <= 0:
        raise ArgumentTypeError(f"{text!r}: the step must be above 0")
    try:
        grid(spec)
    except InputError as error:
        raise ArgumentTypeError(f"{text!r}: {error}") from None
    return spec
