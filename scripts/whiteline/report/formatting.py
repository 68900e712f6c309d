"""Values as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

NOTHING = "–"


def number(value: float, digits: int = 2) -> str:
    """A number with that many significant digits, or a dash where it is not known."""
    if not np.isfinite(value):
        return NOTHING
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2]) if value else 0
    if exponent < -4:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(digits - 1 - exponent, 0)}f}"


def percent(share: float) -> str:
    """A share in per cent, with a decimal where rounding would claim all or nothing."""
    if not np.isfinite(share):
        return NOTHING
    value = 100 * share
    return f"{value:.1f} %" if 99 <= value < 100 or 0 < value < 1 else f"{value:.0f} %"


def energy(value: float) -> str:
    """An energy in eV with two decimals, without the unit."""
    return f"{value:.2f}" if np.isfinite(value) else NOTHING


def count(total: int, noun: str) -> str:
    """So many of something."""
    plural = f"{noun[:-2]}a" if noun.endswith("spectrum") else f"{noun}s"
    return f"{total:,} {noun if total == 1 else plural}"


def intervals(estimates: xr.Dataset, row: int) -> Iterator[str]:
    """The intervals of 10Dq of an estimate, eV, a dash where there are none."""
    for column in range(estimates.sizes["coverage"]):
        low = float(estimates["ten_dq_lower"].values[row, column])
        high = float(estimates["ten_dq_upper"].values[row, column])
        finite = np.isfinite(low) and np.isfinite(high)
        yield f"{energy(low)} … {energy(high)}" if finite else NOTHING


def coverages(estimates: xr.Dataset) -> list[str]:
    """The nominal coverages of these intervals."""
    return [f"{level:.0%}".replace("%", " %") for level in estimates["coverage"].values]


def settings(values: Mapping[str, Any]) -> str:
    """Settings as text: ``key value`` with ranges and lists spelled out."""
    return ", ".join(f"{key} {setting(value)}" for key, value in values.items()) or NOTHING


def setting(value: Any) -> str:
    """A setting as text."""
    if isinstance(value, Mapping):
        return f"({settings(value)})"
    if isinstance(value, (list, tuple)):
        return (
            "\u00a0…\u00a0".join(map(setting, value))
            if len(value) == 2
            else ", ".join(map(setting, value))
        )
    if isinstance(value, float):
        return "none" if np.isinf(value) else f"{value:g}"
    return str(value)


def valences_that_fit(estimates: xr.Dataset, row: int) -> str:
    """The valences that an estimate's spectrum does not speak against."""
    fits = estimates["candidate_fits"].values[row] == 1
    return ", ".join(f"{valence:g}" for valence in estimates["candidate"].values[fits])
