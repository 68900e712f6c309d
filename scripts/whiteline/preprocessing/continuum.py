"""The steps of the transitions into continuum states, under the white lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whiteline.errors import InputError
from whiteline.preprocessing.edge import l3_maximum

# The continuum is read this far above L2's expected onset, eV, and rises with this half width, eV.
BEYOND_L2 = 6.0
STEP_HWHM = 1.0
# Fewer points than this beyond the edge can't carry a level.
MINIMUM_WINDOW = 3


def fitted_continuum(
    energy: np.ndarray,
    intensity: np.ndarray,
    onset: float,
    splitting: float,
    kind: str,
    window: Sequence[float] | None = None,
    l3: float | None = None,
) -> np.ndarray:
    """The continuum of a record, at each of its energies.

    Two arctangent steps, at the maxima of L3 and L2, with heights 2 : 1 as the 2p3/2 and 2p1/2
    levels are occupied (Chen et al., Phys. Rev. Lett. 75, 152 (1995), doi
    10.1103/PhysRevLett.75.152).

    Parameters
    ----------
    energy, intensity
        One spectrum without background before its edge, eV and any unit, each of shape (samples,).
    onset
        Energy of the edge's onset, eV.
    splitting
        Distance of L2 from L3, eV.
    kind
        ``none``; ``two_step``, whose sum is the mean of the signal beyond L2; or
        ``two_step_line``, whose sum is the straight line fitted there, the post-edge line of
        X-ray absorption.
    window
        Where beyond L2 the level is read, eV relative to the onset; from 6 eV above L2's expected
        onset to the end if left out.
    l3
        Energy of the maximum of L3, eV; sought in the spectrum if left out.

    Raises
    ------
    InputError
        If the spectrum has no points where the level beyond L2 is read.
    """
    if kind == "none":
        return np.zeros_like(intensity)
    low, high = onset + splitting + BEYOND_L2, np.inf
    if window is not None:
        low, high = (onset + bound for bound in window)
    beyond = (energy > low) & (energy <= high)
    if beyond.sum() < MINIMUM_WINDOW:
        limit = "" if window is None else f" and below {high:.1f} eV"
        raise InputError(
            f"the two-step continuum needs points above {low:.1f} eV{limit}; "
            f"the spectrum ends at {energy[-1]:.1f} eV"
        )
    if l3 is None:
        l3 = l3_maximum(energy, intensity, onset, splitting)
    steps = sum(
        share * (0.5 + np.arctan((energy - centre) / STEP_HWHM) / np.pi)
        for share, centre in ((2 / 3, l3), (1 / 3, l3 + splitting))
    )
    if kind == "two_step":
        return steps * intensity[beyond].mean() / steps[beyond].mean()
    # The steps have not quite ended where the line is read; dividing by them makes up for that.
    line = np.polynomial.Polynomial.fit(energy[beyond], intensity[beyond] / steps[beyond], 1)
    return steps * line(energy)
