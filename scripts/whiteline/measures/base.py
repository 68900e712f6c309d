"""What the measures share: the facts about a measure, and common steps of preparation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from whiteline.errors import InputError

# A deviation below this part of the largest value is rounding, not signal.
ROUNDING = 1e-12
# Distances below this many roundings come from cancellation and are computed directly.
CANCELLED = 1e5
# Library spectra that give a mean, and those that are compared while in the second-level cache.
SAMPLE, BLOCK = 64, 512
# Pairs computed directly at a time, which stay in the second-level cache.
CHUNK = 128


@dataclass(frozen=True)
class Measure:
    """Facts about a measure; what is not told counts as unknown, and no property is claimed.

    Attributes
    ----------
    name
        Name for figures and tables.
    reference
        Where the measure is defined, with the DOI.
    symmetric
        Whether d(a, b) = d(b, a).
    is_metric
        Whether the triangle inequality holds between prepared spectra.
    needs_nonnegative
        Whether negative intensities have no meaning; they are clipped at zero or refused.
    tolerates_shift
        Whether a small error of the energy axis costs little.
    order
        How the distance grows near zero with a small change x of the spectrum:
        1 as \\|x\\|, 2 as x^2.
    cost
        What a pair of spectra costs: "matrix product", "one pass" over the points, "one pass with
        logarithms", "points by shifts", "points by band", "pairs of points", "its members".
    precision
        ``single`` or ``double``, what the distance needs where nothing else is asked for.
    depends_on_library
        Whether a distance depends on the other library spectra too, as ranks do.
    """

    name: str
    reference: str = "not told"
    symmetric: bool = False
    is_metric: bool = False
    needs_nonnegative: bool = False
    tolerates_shift: bool = False
    order: int = 1
    cost: str = "not told"
    precision: str = "single"
    depends_on_library: bool = False


def shift_tolerant(name: str, order: int) -> Measure:
    """Facts about a measure that takes the least distance over rigid shifts of the energy axis."""
    return Measure(
        name=name,
        reference="after the cross-correlation of de Gelder, Wehrens, Hageman, J. Comput. Chem. "
        "22, 273 (2001), doi 10.1002/1096-987X(200102)22:3<273::AID-JCC1001>3.0.CO;2-0",
        symmetric=True,
        tolerates_shift=True,
        order=order,
        cost="points by shifts",
    )


def energy_step(energy: np.ndarray) -> float:
    """Step of a uniform grid, eV."""
    return float(energy[-1] - energy[0]) / (len(energy) - 1)


def steps(width: float, energy: np.ndarray, name: str) -> int:
    """``width`` (eV) in steps of the grid, rounded.

    Raises
    ------
    InputError
        If the width, which is the parameter ``name``, is negative or not finite.
    """
    if not 0 <= width < np.inf:
        raise InputError(f"{name} is {width} eV; it must be zero or more")
    return round(width / energy_step(energy))


def largest_shift(max_shift: float, energy: np.ndarray) -> int:
    """``max_shift`` (eV) in steps of the grid.

    Raises
    ------
    InputError
        If it is negative, or leaves less than half of the grid to compare.
    """
    limit = steps(max_shift, energy, "max_shift")
    if limit > len(energy) // 2:
        raise InputError(
            f"max_shift is {max_shift} eV, which leaves less than half of the grid's "
            f"{energy[-1] - energy[0]:.1f} eV to compare"
        )
    return limit


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows of unit euclidean norm, shape as given.

    Raises
    ------
    InputError
        If a row is zero throughout.
    """
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    if (bad := np.flatnonzero(norm == 0)).size:
        raise InputError(f"spectrum {bad[0]} is zero throughout, so it has no direction")
    return rows / norm


def centred_unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows of mean 0 and unit euclidean norm: their dot products are Pearson correlations.

    Raises
    ------
    InputError
        If a row is constant.
    """
    centred = rows - rows.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    size = np.abs(rows).max(axis=1, keepdims=True) * np.sqrt(rows.shape[1])
    if (bad := np.flatnonzero(norm <= ROUNDING * size)).size:
        raise InputError(
            f"spectrum {bad[0]} has a constant signal, so there is no shape to compare"
        )
    return centred / norm


def unit_sum_rows(rows: np.ndarray) -> np.ndarray:
    """Rows, which are not negative, divided by their sum: distributions over energy.

    Raises
    ------
    InputError
        If a row has no positive value.
    """
    total = rows.sum(axis=1, keepdims=True)
    if (bad := np.flatnonzero(total <= 0)).size:
        raise InputError(f"spectrum {bad[0]} has no positive intensity, so it is no distribution")
    return rows / total


def cumulative_rows(rows: np.ndarray) -> np.ndarray:
    """Cumulative distributions of rows, which are not negative; see `unit_sum_rows`."""
    return np.cumsum(unit_sum_rows(rows), axis=1)


def one_minus_product(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """1 - queries . library for rows of unit norm, shape (n, m).

    One matrix product. Where little is left of the 1, it is half the squared difference of the
    rows, formed point by point, which loses nothing: the relative error stays below 1e-5 in single
    precision, and a spectrum is at distance 0 from itself.
    """
    out = queries @ library.T
    np.subtract(1, out, out=out)
    return _half_squared_where_small(out, queries, library, 1)


def half_squared_difference(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Half the squared difference of rows, shape (n, m): one minus the product of unit rows.

    For rows that are much alike. A mean of the library's is taken off first and with it most of
    what cancels in the product, so that few pairs are left to be computed point by point; as in
    `one_minus_product`. That pays where there are many queries.
    """
    out = np.empty((len(queries), len(library)), np.result_type(queries, library))
    if not out.size:
        return out
    mean = library[:: -(-len(library) // SAMPLE)].mean(axis=0)
    centred = queries - mean
    power, largest = np.vecdot(centred, centred)[:, None] / 2, 0
    for start in range(0, len(library), BLOCK):
        others, part = library[start : start + BLOCK] - mean, out[:, start : start + BLOCK]
        other_power = np.vecdot(others, others) / 2
        np.matmul(centred, others.T, out=part)
        np.subtract(other_power, part, out=part)
        part += power
        largest = max(largest, other_power.max())
    return _half_squared_where_small(out, queries, library, power.max() + largest)


def _half_squared_where_small(
    distances: np.ndarray, queries: np.ndarray, library: np.ndarray, size: float
) -> np.ndarray:
    """Distances, which are what is left of ``size``, point by point where little is left."""

    def directly(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        difference = np.take(queries, rows, axis=0)
        difference -= np.take(library, columns, axis=0)
        return np.vecdot(difference, difference) / 2

    return replace_small(distances, CANCELLED * np.finfo(distances.dtype).eps * size, directly)


def replace_small(
    distances: np.ndarray,
    limit: float,
    directly: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """The distances (n, m), changed in place where they lie below a limit.

    ``directly(rows, columns)`` gives the distances of pairs, one for each row and column.
    """
    rows, columns = np.divmod(np.flatnonzero(distances < limit), max(1, distances.shape[1]))
    for start in range(0, len(rows), CHUNK):
        pairs = rows[start : start + CHUNK], columns[start : start + CHUNK]
        distances[pairs] = directly(*pairs)
    return distances
