"""The same spectra by several engines: how far they differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr
from scipy.signal import correlate

from whiteline import contracts, engines
from whiteline.errors import InputError
from whiteline.simulation import AXES, DEFAULTS, Sticks

AGREEMENT = 5e-4  # of the peak; engines that differ by less agree
HWHM = 0.2  # eV, Lorentzian, for all sticks alike
STEP = 0.02  # eV
MARGIN = 5.0  # eV, on both sides of the sticks
FARTHEST = 5.0  # eV, the largest shift looked for


@dataclass(frozen=True)
class Difference:
    """How far two spectra differ.

    Attributes
    ----------
    largest
        Largest difference of the curves over the larger peak.
    shift
        Shift of the second, eV, at which it is most like the first. It is for information:
        the curves are compared where they are.
    area_ratio
        Total intensity of the first over that of the second.
    """

    largest: float
    shift: float
    area_ratio: float


def curve(sticks: Sticks, energy: np.ndarray) -> np.ndarray:
    """Lorentzian curve of `HWHM` on an axis in eV, in intensity per eV."""
    offset = energy[:, None] - sticks.energy
    return (HWHM / np.pi / (offset**2 + HWHM**2)) @ sticks.intensity


def compare(first: Sticks, second: Sticks) -> Difference:
    """Compare two spectra, broadened alike, neither shifted nor scaled."""
    ends = [s.energy[[0, -1]] for s in (first, second)]
    energy = np.arange(np.min(ends) - MARGIN, np.max(ends) + MARGIN, STEP)
    a, b = curve(first, energy), curve(second, energy)
    return Difference(
        float(np.abs(a - b).max() / max(a.max(), b.max())),
        _shift(a, b),
        float(first.intensity.sum() / second.intensity.sum()),
    )


def differences(files: Iterable[tuple[str, xr.Dataset]]) -> pd.DataFrame:
    """Every pair of engines compared.

    Parameters
    ----------
    files
        Name of the case and dataset of contract "sticks". Those of one case and ion must hold the
        same points.

    Returns
    -------
    pandas.DataFrame
        One row per case, ion and pair: the largest difference (relative to the peak), the
        parameters of the point where it occurs, the largest shift (eV), the area ratio that is
        farthest from 1, the number of points.

    Raises
    ------
    InputError
        If there is nothing to compare.
    """
    groups: dict[tuple[str, str], list[xr.Dataset]] = {}
    for case, data in files:
        groups.setdefault((case, data.attrs["ion"]), []).append(data)
    rows = [
        {"case": case, "ion": ion, **_row(first, second)}
        for (case, ion), members in groups.items()
        for first, second in combinations(members, 2)
    ]
    if not rows:
        missing = [engines.facts(k) for k in engines.kinds() if engines.version(k) is None]
        hints = "".join(f"; {facts.name}: {facts.installation}" for facts in missing)
        raise InputError(
            "a cross-check needs two engines that know the same case; installed are"
            f" {', '.join(engines.installed())}{hints}"
        )
    return pd.DataFrame(rows)


def _row(first: xr.Dataset, second: xr.Dataset) -> dict[str, object]:
    """The worst of all points of two files."""
    pairs = zip(_spectra(first), _spectra(second), strict=True)
    found = [compare(a, b) for a, b in pairs]
    worst = int(np.argmax([f.largest for f in found]))
    return {
        "symmetry": first.attrs["symmetry"],
        "parameters": _point(first, worst),
        "engine_a": first.attrs["engine"],
        "engine_b": second.attrs["engine"],
        "largest_difference": found[worst].largest,
        "energy_shift": max((f.shift for f in found), key=abs),
        "area_ratio": max((f.area_ratio for f in found), key=lambda ratio: abs(ratio - 1)),
        "points": len(found),
    }


def _spectra(data: xr.Dataset) -> list[Sticks]:
    return [Sticks(energy, intensity) for energy, intensity in contracts.split_rows(data)]


def _point(data: xr.Dataset, number: int) -> str:
    """The parameters of a point that are not the default, in text."""
    values = {name: float(data[name].values[number]) for name in AXES}
    default = dict(DEFAULTS, slater_reduction_pd=values["slater_reduction"])
    return ", ".join(
        f"{name}={value:g}"
        for name, value in values.items()
        if np.isfinite(value) and value != default[name]
    )


def _shift(a: np.ndarray, b: np.ndarray) -> float:
    """Where the correlation is greatest, eV, between steps by a parabola."""
    farthest = round(FARTHEST / STEP)
    middle = len(a) - 1
    found = correlate(b, a, method="fft")[middle - farthest - 1 : middle + farthest + 2]
    top = 1 + int(np.argmax(found[1:-1]))
    before, at, after = found[top - 1 : top + 2]
    return float(STEP * (top - farthest - 1 + (before - after) / (2 * (before - 2 * at + after))))
