"""All steps that a record goes through before it is laid on a library's axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from whiteline.preprocessing.background import fitted_background
from whiteline.preprocessing.continuum import fitted_continuum
from whiteline.preprocessing.edge import edge_onset
from whiteline.preprocessing.glitches import bridged, glitches
from whiteline.preprocessing.smoothing import smoothed

# How far from the library's onset a record's is sought, eV; measured axes are off by -20 .. +8.
EDGE_SEARCH = 25.0


@dataclass(frozen=True)
class WhiteLines:
    """A record taken apart; arrays of shape (samples,).

    ``energy`` (eV) and ``recorded`` are the record as it was; ``masked`` tells which of its points
    were interpolated over; ``background`` and ``continuum`` are what was fitted, and ``signal``
    what is left: the white lines, smoothed if so wished. ``onset`` is that of L3, eV.
    """

    energy: np.ndarray
    recorded: np.ndarray
    masked: np.ndarray
    background: np.ndarray
    continuum: np.ndarray
    signal: np.ndarray
    onset: float


def white_lines(
    energy: np.ndarray,
    intensity: np.ndarray,
    edge: float,
    splitting: float,
    preparation: Mapping[str, Any],
) -> WhiteLines:
    """Take a record apart.

    Parameters
    ----------
    energy, intensity
        The record, eV and any unit, each of shape (samples,).
    edge, splitting
        Usual onset of the library's spectra and distance of L2 from L3, eV.
    preparation
        ``background`` and ``continuum``, and where given ``post_edge`` (the window of the
        continuum, eV), ``smoothing`` and ``glitches``: see the modules of these names.

    Raises
    ------
    InputError
        If a step can't be done; it says which and why.
    """
    masked = glitches(energy, intensity, preparation.get("glitches", {}))
    kept = smoothed(energy, bridged(energy, intensity, masked), preparation.get("smoothing"))
    onset = edge_onset(energy, kept, edge - EDGE_SEARCH, edge + EDGE_SEARCH)
    background = fitted_background(energy, kept, onset, preparation["background"])
    signal = kept - background
    steps = preparation["continuum"], preparation.get("post_edge")
    continuum = fitted_continuum(energy, signal, onset, splitting, *steps)
    return WhiteLines(energy, intensity, masked, background, continuum, signal - continuum, onset)
