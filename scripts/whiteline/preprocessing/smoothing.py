"""Smoothing of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from whiteline.errors import InputError


def smoothed(
    energy: np.ndarray, intensity: np.ndarray, smoothing: Mapping[str, Any] | None
) -> np.ndarray:
    """A record smoothed by polynomials over a moving window.

    Savitzky and Golay, Anal. Chem. 36, 1627 (1964), as in scipy. The window is counted in points
    of the median step, because the filter knows even steps only.

    Parameters
    ----------
    energy, intensity
        One record, eV and any unit, each of shape (samples,).
    smoothing
        ``window`` (eV) and ``order`` of the polynomial; None to leave the record as it is.

    Raises
    ------
    InputError
        If the window holds too few points for the order, or more than the record has.
    """
    if smoothing is None:
        return intensity
    from scipy.signal import savgol_filter

    window, order = smoothing["window"], smoothing["order"]
    step = float(np.median(np.diff(energy)))
    points = 2 * round(window / step / 2) + 1
    if not order < points <= len(energy):
        raise InputError(
            f"smoothing.window: {window:g} eV are {points} points of {step:.3g} eV; smoothing of "
            f"order {order} needs {order + 1} or more, and no more than the record's {len(energy)}"
        )
    return savgol_filter(intensity, points, order)
