"""Whiteline: valence and crystal field of 3d ions from their L2,3 spectra."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["Estimator", "__version__"]


def __getattr__(name: str) -> Any:
    # Most users of the package need no estimator, whose import takes a second. The import is not
    # by a statement, which would make it a source of every stage (`whiteline.sources`).
    if name == "Estimator":
        return importlib.import_module("whiteline.estimation.estimator").Estimator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
