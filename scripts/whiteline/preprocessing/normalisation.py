"""Brings spectra to one size."""

from __future__ import annotations

import numpy as np

from whiteline.errors import InputError


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
