"""Grids of the configuration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whiteline.errors import InputError

# A grid of more values than this is a slip of the step.
LARGEST = 100_000


def grid(spec: float | list[float] | Mapping[str, float]) -> np.ndarray:
    """Values of a grid: one number, a list, or ``{start, stop, step}`` with the stop included.

    Raises
    ------
    InputError
        If the grid is empty or beyond all use.
    """
    if isinstance(spec, Mapping):
        count = int(np.floor((spec["stop"] - spec["start"]) / spec["step"] + 1e-9)) + 1
        if count < 1:
            raise InputError(
                f"empty grid: start {spec['start']} lies above stop {spec['stop']}; swap them"
            )
        if count > LARGEST:
            raise InputError(f"{count} values, more than {LARGEST}; is the step right?")
        # Rounding keeps 0.15000000000000002 out of file names, tables and comparisons.
        return np.round(spec["start"] + spec["step"] * np.arange(count), 9)
    return np.atleast_1d(np.asarray(spec, dtype=float))
