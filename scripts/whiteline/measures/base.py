"""What the measures share: the facts about a measure, and common steps of preparation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whiteline.errors import InputError

# A deviation below this part of the largest value is rounding, not signal.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Measure:
    """Facts about a measure.

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
        Whether negative intensities have no meaning; `prepare` sets them to zero.
    tolerates_shift
        Whether a small error of the energy axis costs little.
    order
        How the distance grows near zero with a small change x of the spectrum:
        1 as \\|x\\|, 2 as x^2.
    """

    name: str
    reference: str
    symmetric: bool
    is_metric: bool
    needs_nonnegative: bool
    tolerates_shift: bool
    order: int


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
    """Rows clipped at zero and divided by their sum: distributions over energy.

    Raises
    ------
    InputError
        If a row has no positive value.
    """
    clipped = np.maximum(rows, 0)
    total = clipped.sum(axis=1, keepdims=True)
    if (bad := np.flatnonzero(total == 0)).size:
        raise InputError(f"spectrum {bad[0]} has no positive intensity, so it is no distribution")
    return clipped / total


def one_minus_product(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """1 - queries . library for rows of unit norm, shape (n, m), rounding below zero removed."""
    return np.maximum(1 - queries @ library.T, 0)
