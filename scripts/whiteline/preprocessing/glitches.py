"""Points of a record that are no signal: found, or named by ranges, and interpolated over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.ndimage import maximum_filter1d, median_filter

from whiteline.errors import InputError

# The deviations of this many points tell how much they usually are around a point.
NEIGHBOURHOOD = 21
# Median of the absolute value of a normal deviate, in deviations.
MEDIAN_DEVIATION = 0.6745
# Fewer points than this are no spectrum, and have no cubic through their neighbours.
MINIMUM_POINTS = 5


def glitches(energy: np.ndarray, intensity: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Which points are masked, bool, shape (samples,).

    A single point is a glitch if it lies farther than ``threshold`` deviations from the cubic
    through its two neighbours on either side. The deviation is the larger of those of the whole
    record and of 21 points around (running median), so that a sharp line, which all its points
    leave, is none. Glitches of several points need a range.

    Parameters
    ----------
    energy, intensity
        One record, eV and any unit, each of shape (samples,).
    settings
        ``threshold`` (left out, none are sought) and ``ranges`` (eV, on the recorded axis).

    Raises
    ------
    InputError
        If the ranges leave fewer than five points.
    """
    masked = np.zeros(len(energy), dtype=bool)
    for low, high in settings.get("ranges", ()):
        masked |= (energy >= low) & (energy <= high)
    rest = np.flatnonzero(~masked)
    if len(rest) < MINIMUM_POINTS:
        raise InputError(f"glitches.ranges leave {len(rest)} of {len(energy)} points")
    if "threshold" in settings:
        masked[rest[_outliers(intensity[rest], settings["threshold"])]] = True
    return masked


def _outliers(intensity: np.ndarray, threshold: float) -> np.ndarray:
    """Single points that stand out, bool, shape (samples,); the two at either end never do."""
    y = intensity
    cubic = (4 * (y[1:-3] + y[3:-1]) - (y[:-4] + y[4:])) / 6
    deviation = np.abs(np.pad(y[2:-2] - cubic, 2))
    usual = median_filter(deviation, NEIGHBOURHOOD, mode="reflect")
    usual = np.maximum(usual, np.median(deviation)) / MEDIAN_DEVIATION
    # A glitch moves the cubics of its neighbours, too, but less.
    highest = deviation == maximum_filter1d(deviation, 5)
    return highest & (deviation > threshold * usual)


def bridged(energy: np.ndarray, intensity: np.ndarray, masked: np.ndarray) -> np.ndarray:
    """The record with its masked points on straight lines between their neighbours."""
    kept = ~masked
    return np.where(masked, np.interp(energy, energy[kept], intensity[kept]), intensity)
