"""Where the L3 edge of a record is."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from whiteline.errors import InputError

# The edge begins where the mean over RISE_WIDTH (eV) is this share of the signal's height ...
RISE = 0.2
RISE_WIDTH = 1.0
# ... and the mean over the next LINE_WIDTH (eV) is this many deviations above the noise.
OUT_OF_NOISE = 5.0
LINE_WIDTH = 4.0
# An edge can't be sought among fewer points than this.
MINIMUM_POINTS = 3


def edge_onset(energy: np.ndarray, intensity: np.ndarray, low: float, high: float) -> float:
    """Energy (eV) between ``low`` and ``high`` at which the signal first rises: the onset of L3.

    That is where its mean over 1 eV first reaches a fifth of its height; the highest line may come
    eV later or belong to L2. What follows over 4 eV must stand out of the noise, or a group of
    noisy points would pass for an edge. A straight line between the ends is subtracted first, so
    that a sloping background does not count.

    Raises
    ------
    InputError
        If the spectrum has no points in that range.
    """
    inside = (energy >= low) & (energy <= high)
    if inside.sum() < MINIMUM_POINTS:
        raise InputError(
            f"the energies {energy[0]:.1f}..{energy[-1]:.1f} eV miss the edge, "
            f"which is sought in {low:.1f}..{high:.1f} eV"
        )
    energy, intensity = energy[inside], intensity[inside]
    step = np.median(np.diff(energy))
    narrow, wide = (max(1, round(width / step)) for width in (RISE_WIDTH, LINE_WIDTH))
    end = min(wide, len(energy) // 2)
    (left, first), (right, last) = (
        (np.median(energy[part]), np.median(intensity[part]))
        for part in (slice(end), slice(-end, None))
    )
    signal = intensity - first - (last - first) * (energy - left) / (right - left)
    smooth = uniform_filter1d(signal, narrow, mode="mirror")
    following = uniform_filter1d(signal, wide, mode="mirror", origin=-((wide - 1) // 2))
    line = following > OUT_OF_NOISE * noise(intensity) / np.sqrt(wide)
    rising = smooth >= RISE * smooth.max()
    # Where nothing stands out of the noise, the highest point is the best that can be said.
    return float(energy[np.argmax((rising & line) | (smooth == smooth.max()))])


def noise(intensity: np.ndarray) -> np.ndarray:
    """Deviation of the noise of spectra, (..., points), from second differences, in which a smooth
    signal vanishes; shape (...).
    """
    return np.median(np.abs(np.diff(intensity, 2)), axis=-1) / 0.6745 / np.sqrt(6)


def l3_maximum(energy: np.ndarray, intensity: np.ndarray, onset: float, splitting: float) -> float:
    """Energy (eV) of the highest point of L3: from its onset to half way to L2."""
    near = (energy >= onset) & (energy <= onset + splitting / 2)
    return energy[near][intensity[near].argmax()]


def l3_centroid(
    energy: np.ndarray, intensity: np.ndarray, onset: float, splitting: float
) -> float:
    """Mean energy (eV) of L3, weighted with its intensity above the lowest point of the same
    range: from its onset to half way to L2.
    """
    near = (energy >= onset) & (energy <= onset + splitting / 2)
    weight = (intensity[near] - intensity[near].min()) * np.gradient(energy)[near]
    return float(energy[near] @ weight / weight.sum())
