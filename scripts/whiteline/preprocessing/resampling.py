"""Lays a record on the uniform grid of a library."""

from __future__ import annotations

import numpy as np


def resample(energy: np.ndarray, intensity: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The spectrum on a uniform grid, eV; beyond its ends it keeps its end values.

    Where the record is finer than the grid, each point is the mean over its step, so that counts
    are used and not thrown away; else the record is interpolated linearly.
    """
    step = grid[1] - grid[0]
    if np.median(np.diff(energy)) > 0.75 * step:
        return np.interp(grid, energy, intensity)
    area = np.concatenate([[0], np.cumsum(np.diff(energy) * (intensity[1:] + intensity[:-1]) / 2)])
    edges = np.append(grid - step / 2, grid[-1] + step / 2)
    total = np.interp(edges, energy, area)
    total += np.minimum(edges - energy[0], 0) * intensity[0]
    total += np.maximum(edges - energy[-1], 0) * intensity[-1]
    return np.diff(total) / step
