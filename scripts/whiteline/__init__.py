"""Whiteline: valence and crystal field of 3d ions from their L2,3 spectra."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["Estimator", "__version__"]


def __getattr__(name: str) -> Any:
    # Most users of the package need no estimator, whose import takes a second.
    if name == "Estimator":
        from whiteline.estimation.estimator import Estimator

        return Estimator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
