"""Prepares recorded spectra for comparison: background, resampling, normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter1d

from whiteline.errors import InputError

# The edge begins where the mean over RISE_WIDTH (eV) is this share of the signal's height ...
RISE = 0.2
RISE_WIDTH = 1.0
# ... and the mean over the next LINE_WIDTH (eV) is this many deviations above the noise.
OUT_OF_NOISE = 5.0
LINE_WIDTH = 4.0
# The continuum is read this far above L2's expected onset, eV, and rises with this half width, eV.
BEYOND_L2 = 6.0
STEP_HWHM = 1.0
# Fewer points than this before the edge can't carry a background.
MINIMUM_WINDOW = 3


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
    if inside.sum() < MINIMUM_WINDOW:
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


def noise(intensity: np.ndarray) -> float:
    """Deviation of the noise of a spectrum, (points,), from second differences, in which a smooth
    signal vanishes.
    """
    return float(np.median(np.abs(np.diff(intensity, 2))) / 0.6745 / np.sqrt(6))


def subtract_background(
    energy: np.ndarray, intensity: np.ndarray, edge: float, background: Mapping[str, Any]
) -> np.ndarray:
    """The signal without what is there before the edge.

    Parameters
    ----------
    energy, intensity
        One recorded spectrum, eV and any unit, each of shape (samples,).
    edge
        Energy of the edge's onset, eV.
    background
        ``kind``: ``none``, ``constant``, ``linear`` or ``power_law`` (A E^-r, customary for
        electron energy loss; Egerton, Electron Energy-Loss Spectroscopy in the Electron
        Microscope, ch. 4.4), fitted in ``window`` (eV relative to the edge).

    Raises
    ------
    InputError
        If there are too few points in the window, or a power law meets values that aren't
        positive.
    """
    kind = background["kind"]
    if kind == "none":
        return intensity
    low, high = (edge + bound for bound in background["window"])
    inside = (energy >= low) & (energy <= high)
    if inside.sum() < MINIMUM_WINDOW:
        raise InputError(
            f"only {inside.sum()} points before the edge, in {low:.1f}..{high:.1f} eV, for the "
            f"{kind} background; the spectrum starts at {energy[0]:.1f} eV: "
            "widen background.window"
        )
    if kind == "constant":
        return intensity - intensity[inside].mean()
    if kind == "linear":
        return intensity - np.polynomial.Polynomial.fit(energy[inside], intensity[inside], 1)(
            energy
        )
    if (intensity[inside] <= 0).any():
        raise InputError("a power-law background needs positive counts before the edge")
    slope, offset = np.polyfit(np.log(energy[inside]), np.log(intensity[inside]), 1)
    # A record may begin before the zero-loss peak, where energies have no logarithm.
    power_law = np.exp(
        offset + slope * np.log(energy, where=energy > 0, out=np.zeros(len(energy)))
    )
    return intensity - np.where(energy > 0, power_law, 0.0)


def subtract_continuum(
    energy: np.ndarray, intensity: np.ndarray, onset: float, splitting: float
) -> np.ndarray:
    """The white lines without the steps of the transitions into continuum states.

    Two arctangent steps, at the maxima of L3 and L2, with heights 2 : 1 as the 2p3/2 and 2p1/2
    levels are occupied (Chen et al., Phys. Rev. Lett. 75, 152 (1995), doi
    10.1103/PhysRevLett.75.152). Their sum is the mean of the signal beyond L2.

    Parameters
    ----------
    energy, intensity
        One spectrum without background before its edge, eV and any unit, each of shape (samples,).
    onset
        Energy of the edge's onset, eV.
    splitting
        Distance of L2 from L3, eV.

    Raises
    ------
    InputError
        If the spectrum ends before the level beyond L2 can be read.
    """
    beyond = energy > onset + splitting + BEYOND_L2
    if beyond.sum() < MINIMUM_WINDOW:
        raise InputError(
            f"the two-step continuum needs points above {onset + splitting + BEYOND_L2:.1f} eV; "
            f"the spectrum ends at {energy[-1]:.1f} eV"
        )
    near = (energy >= onset) & (energy <= onset + splitting / 2)
    l3 = energy[near][intensity[near].argmax()]
    steps = sum(
        share * (0.5 + np.arctan((energy - centre) / STEP_HWHM) / np.pi)
        for share, centre in ((2 / 3, l3), (1 / 3, l3 + splitting))
    )
    return intensity - steps * intensity[beyond].mean() / steps[beyond].mean()


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


def normalise(intensity: np.ndarray, kind: str, part: slice = slice(None)) -> np.ndarray:
    """Spectra (rows) of equal ``area`` (sum 1), ``maximum``, ``unit_norm``, or ``snv``.

    Standard normal variate (``snv``) is mean 0 and deviation 1 (Barnes, Dhanoa, Lister,
    Appl. Spectrosc. 43, 772 (1989)). All of these are of the ``part`` of the points alone.

    Raises
    ------
    InputError
        If a spectrum has no signal to normalise: constant, or not positive in sum.
    """
    inside = intensity[..., part]
    if (np.ptp(inside, axis=-1) <= 0).any():
        raise InputError("the signal is constant, so there is no edge in it")
    if kind == "snv":
        return (intensity - inside.mean(-1, keepdims=True)) / inside.std(-1, keepdims=True)
    size = {
        "area": lambda: inside.sum(-1, keepdims=True),
        "maximum": lambda: inside.max(-1, keepdims=True),
        "unit_norm": lambda: np.linalg.norm(inside, axis=-1, keepdims=True),
    }[kind]()
    if (size <= 0).any():
        raise InputError(
            f"the signal above the background is not positive, so its {kind} can't be normalised"
        )
    return intensity / size
