"""From stick spectra to spectra: Lorentzian widths for L3 and L2, then a Gaussian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

# Sticks are placed on a grid this fine before the convolution: a stick between two points is
# shared by them linearly, which widens it by less than step**2 / 8.
FINE_STEP = 0.005
# Lorentzian tails are long; what leaves the window on one side must not enter on the other.
MARGIN = 40.0


@dataclass(frozen=True)
class Broadening:
    """Line widths in eV: Lorentzian half widths at half maximum, Gaussian standard deviation."""

    lorentzian_hwhm_l3: float
    lorentzian_hwhm_l2: float
    gaussian_sigma: float


def broaden(
    energy: np.ndarray,
    intensity: np.ndarray,
    boundary: float,
    broadenings: Sequence[Broadening],
    grid: np.ndarray,
) -> np.ndarray:
    """Spectra of one set of sticks for several line widths.

    Parameters
    ----------
    energy, intensity
        The sticks, eV and squared matrix elements, each of shape (sticks,).
    boundary
        Sticks below this energy (eV) get the L3 width, the others the L2 width, as in CTM4XAS.
    broadenings
        Line widths.
    grid
        Uniform energies of the spectra, eV, shape (points,).

    Returns
    -------
    ndarray of shape (broadenings, points)
        Intensity per eV: the area over all energies is the sum of the sticks.
    """
    step = grid[1] - grid[0]
    fine = step / np.ceil(step / FINE_STEP)
    start = min(grid[0], energy.min()) - MARGIN
    # The fine grid must contain the wanted energies themselves.
    start = grid[0] - np.ceil((grid[0] - start) / fine) * fine
    count = int(np.ceil((max(grid[-1], energy.max()) + MARGIN - start) / fine)) + 1
    size = next_fast_len(count, real=True)
    below = energy < boundary
    l3 = rfft(_binned(energy[below], intensity[below], start, fine, size))
    l2 = rfft(_binned(energy[~below], intensity[~below], start, fine, size))
    # The Fourier transforms of the line shapes are exact, so only the tails wrap around.
    time = 2 * np.pi * rfftfreq(size, fine)
    first = round((grid[0] - start) / fine)
    stride = round(step / fine)
    wanted = first + stride * np.arange(len(grid))
    spectra = np.empty((len(broadenings), len(grid)))
    for row, width in zip(spectra, broadenings, strict=True):
        lines = l3 * np.exp(-width.lorentzian_hwhm_l3 * time)
        lines = lines + l2 * np.exp(-width.lorentzian_hwhm_l2 * time)
        row[:] = irfft(lines * np.exp(-((width.gaussian_sigma * time) ** 2) / 2), size)[wanted]
    return spectra / fine


def _binned(
    energy: np.ndarray, intensity: np.ndarray, start: float, step: float, size: int
) -> np.ndarray:
    position = (energy - start) / step
    left = np.floor(position).astype(int)
    right_share = position - left
    bins = np.bincount(left, intensity * (1 - right_share), size)
    return bins + np.bincount(left + 1, intensity * right_share, size)
