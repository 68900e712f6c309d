"""What measurement does to a spectrum; every draw comes from a given generator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq

FWHM_OVER_SIGMA = 2 * np.sqrt(2 * np.log(2))


def disturb(
    energy: np.ndarray,
    intensity: np.ndarray,
    strengths: Mapping[str, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Apply disturbances in the order in which an instrument does: optics, sample, axis, detector.

    Parameters
    ----------
    energy, intensity
        A clean spectrum on a uniform axis (eV), each of shape (samples,).
    strengths
        ``gaussian_fwhm`` (eV), ``background`` (peak heights across the axis), ``energy_shift``
        (eV), ``dispersion_error`` (relative), ``counts`` (at the peak), ``snr`` (peak over
        deviation; infinite means none). Those left out are not applied.
    rng
        Source of the noise.
    """
    intensity = intensity / intensity.max()
    if strengths.get("gaussian_fwhm", 0.0) > 0:
        sigma = strengths["gaussian_fwhm"] / FWHM_OVER_SIGMA
        intensity = _broadened(intensity, sigma / (energy[1] - energy[0]))
        intensity = intensity / intensity.max()
    if "background" in strengths:
        span = (energy - energy[0]) / (energy[-1] - energy[0])
        intensity = intensity + strengths["background"] * span
    centre = energy.mean()
    energy = centre + (energy - centre) * (1 + strengths.get("dispersion_error", 0.0))
    energy = energy + strengths.get("energy_shift", 0.0)
    counts = strengths.get("counts", np.inf)
    if np.isfinite(counts):
        # Counts can't be negative: a falling background lies on a floor.
        intensity = intensity - min(intensity.min(), 0.0)
        intensity = rng.poisson(counts * intensity / intensity.max()) / counts
    snr = strengths.get("snr", np.inf)
    if np.isfinite(snr):
        # The white line was scaled to a peak of 1 before anything was added to it.
        intensity = intensity + rng.normal(0, 1 / snr, len(intensity))
    return energy, intensity


def _broadened(intensity: np.ndarray, sigma: float) -> np.ndarray:
    """Convolution with a Gaussian of deviation ``sigma`` (samples), exact below one sample too."""
    pad = int(np.ceil(6 * sigma)) + 1
    padded = np.pad(intensity, pad, mode="edge")
    kernel = np.exp(-((2 * np.pi * sigma * rfftfreq(len(padded))) ** 2) / 2)
    return irfft(rfft(padded) * kernel, len(padded))[pad:-pad]
