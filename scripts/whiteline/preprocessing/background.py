"""The background under an edge: fitted before it, or a baseline under the whole record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from whiteline.errors import InputError

# Fewer points than this before the edge can't carry a background.
MINIMUM_WINDOW = 3


def fitted_background(
    energy: np.ndarray, intensity: np.ndarray, edge: float, background: Mapping[str, Any]
) -> np.ndarray:
    """The background of a record, at each of its energies.

    Parameters
    ----------
    energy, intensity
        One recorded spectrum, eV and any unit, each of shape (samples,).
    edge
        Energy of the edge's onset, eV.
    background
        ``kind``: ``none``, ``constant``, ``linear`` or ``power_law`` (A E^-r, customary for
        electron energy loss; Egerton, Electron Energy-Loss Spectroscopy in the Electron
        Microscope, ch. 4.4), fitted in ``window`` (eV relative to the edge); or ``pybaselines``,
        a baseline by ``method`` of that package with its ``parameters``.

    Raises
    ------
    InputError
        If there are too few points in the window, a power law meets values that aren't positive,
        or a baseline can't be fitted.
    """
    kind = background["kind"]
    if kind == "none":
        return np.zeros_like(intensity)
    if kind == "pybaselines":
        return _baseline(energy, intensity, background["method"], background.get("parameters", {}))
    low, high = (edge + bound for bound in background["window"])
    inside = (energy >= low) & (energy <= high)
    if inside.sum() < MINIMUM_WINDOW:
        raise InputError(
            f"only {inside.sum()} points before the edge, in {low:.1f}..{high:.1f} eV, for the "
            f"{kind} background; the spectrum starts at {energy[0]:.1f} eV: "
            "widen background.window"
        )
    if kind == "constant":
        return np.full_like(intensity, intensity[inside].mean())
    if kind == "linear":
        return np.polynomial.Polynomial.fit(energy[inside], intensity[inside], 1)(energy)
    return _power_law(energy, intensity, inside)


def _power_law(energy: np.ndarray, intensity: np.ndarray, inside: np.ndarray) -> np.ndarray:
    if (intensity[inside] <= 0).any():
        raise InputError("a power-law background needs positive counts before the edge")
    slope, offset = np.polyfit(np.log(energy[inside]), np.log(intensity[inside]), 1)
    # A record may begin before the zero-loss peak, where energies have no logarithm.
    power_law = np.exp(
        offset + slope * np.log(energy, where=energy > 0, out=np.zeros(len(energy)))
    )
    return np.where(energy > 0, power_law, 0.0)


def _baseline(
    energy: np.ndarray, intensity: np.ndarray, method: str, parameters: Mapping[str, Any]
) -> np.ndarray:
    """A baseline by pybaselines (Erb, doi 10.5281/zenodo.5608581), whose penalties and tolerances
    are meant for signals of the order of 1: it is fitted to the signal over its range.
    """
    from pybaselines import Baseline

    lowest, height = intensity.min(), np.ptp(intensity) or 1.0
    fit = getattr(Baseline(energy), method)
    try:
        found, _ = fit((intensity - lowest) / height, **parameters)
    except (TypeError, ValueError, np.linalg.LinAlgError) as error:
        raise InputError(f"background.method {method}: {error}") from None
    if found.shape != intensity.shape or not np.isfinite(found).all():
        raise InputError(f"background.method {method}: gives no baseline of finite numbers")
    return lowest + height * found


def baseline_faults(background: Mapping[str, Any]) -> list[str]:
    """What is wrong with the choice of a baseline, as far as can be told without a record."""
    import inspect

    from pybaselines import Baseline

    if "method" not in background:
        return ["kind: pybaselines needs a 'method' beside it, e.g. arpls"]
    method = background["method"]
    function = None if method.startswith("_") else getattr(Baseline, method, None)
    takes = [*inspect.signature(function).parameters] if inspect.isfunction(function) else []
    if takes[:2] != ["self", "data"]:
        return [f"method: pybaselines has no {method!r}"]
    return [
        f"parameters: {method} takes no {name!r}, only {', '.join(takes[2:])}"
        for name in sorted({*background.get("parameters", {})} - {*takes[2:]})
    ]
