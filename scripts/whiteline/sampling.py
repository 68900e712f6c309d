"""The points of a simulation: products of grids, Sobol samples of ranges, and their batches.

A batch is one job. Which batch a point falls into depends on the point alone, so a library that
grows keeps its points where they are and only the new ones are computed.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from whiteline.grids import grid
from whiteline.simulation import AXES, DEFAULTS

# Points in a batch, at most, about; some ten seconds of work.
BATCH = 2048


def is_range(spec: Any) -> bool:
    """Whether an axis is a range to be sampled, ``{low, high}``, and not a grid."""
    return isinstance(spec, Mapping) and "low" in spec


def limits(spec: Any) -> list[float]:
    """Lowest and highest value of an axis, grid or range."""
    if is_range(spec):
        return [float(spec["low"]), float(spec["high"])]
    return [float(grid(spec).min()), float(grid(spec).max())]


def count(axes: Mapping[str, Any], samples: int) -> int:
    """Number of points of `points`, without making them."""
    sizes = [len(grid(spec)) for spec in axes.values() if not is_range(spec)]
    sampled = any(map(is_range, axes.values()))
    return int(np.prod(sizes)) * (samples if sampled else 1)


def points(axes: Mapping[str, Any], samples: int, seed: int) -> np.ndarray:
    """All points of a simulation.

    Parameters
    ----------
    axes
        Grids and ranges by axis; the others have their defaults.
    samples
        Points of the Sobol sequence over all ranges, for each point of the product of the grids.
        More samples keep those of fewer. Sobol, USSR Comput. Math. Math. Phys. 7, 86 (1967),
        scrambled as by Owen (scipy.stats.qmc).
    seed
        Seed of the scrambling.

    Returns
    -------
    ndarray of shape (points, axes)
        In the order of `whiteline.simulation.AXES`; NaN where a parameter is not set.
    """
    names = [name for name in AXES if name in axes]
    grids = [name for name in names if not is_range(axes[name])]
    ranges = [name for name in names if is_range(axes[name])]
    on_grid = np.array(list(product(*(grid(axes[name]) for name in grids))))
    drawn = _sobol([axes[name] for name in ranges], samples, seed)
    table = np.tile(
        [np.nan if value is None else value for value in DEFAULTS.values()],
        (len(on_grid) * len(drawn), 1),
    ).astype(float)
    position = {name: column for column, name in enumerate(AXES)}
    table[:, [position[name] for name in grids]] = np.repeat(on_grid, len(drawn), axis=0)
    table[:, [position[name] for name in ranges]] = np.tile(drawn, (len(on_grid), 1))
    reduction, reduction_pd = position["slater_reduction"], position["slater_reduction_pd"]
    if "slater_reduction_pd" not in axes:
        table[:, reduction_pd] = table[:, reduction]
    return table


def batches(number: int) -> int:
    """In how many batches so many points are computed: a power of two."""
    return 1 << max(0, int(np.ceil(np.log2(max(number, 1) / BATCH))))


def in_batch(table: np.ndarray, batch: int, of: int) -> np.ndarray:
    """Which points belong to a batch, shape (points,): by a checksum of their coordinates."""
    keys = [zlib.crc32(row.tobytes()) % of for row in np.ascontiguousarray(table)]
    return np.array(keys) == batch


def _sobol(ranges: list[Mapping[str, float]], samples: int, seed: int) -> np.ndarray:
    if not ranges:
        return np.empty((1, 0))
    from scipy.stats import qmc

    low, high = (np.array([r[end] for r in ranges], dtype=float) for end in ("low", "high"))
    # The sequence is balanced at powers of two only; scipy warns at other lengths.
    power = int(np.ceil(np.log2(samples)))
    unit = qmc.Sobol(len(ranges), rng=np.random.default_rng(seed)).random_base2(power)
    # Rounding keeps coordinates short in tables, as those of grids are.
    return np.round(low + (high - low) * unit[:samples], 9)
