"""Estimators of valence, 10Dq and other parameters. The module name is the registry: one module
per kind.

A module offers a class ``Estimator`` in scikit-learn's manner, derived from
`whiteline.estimators.base.Estimator`, or from its `DistanceEstimator` where distances are all that
it needs.
"""

from __future__ import annotations

from typing import Any

from whiteline import registry
from whiteline.estimators.base import Comparison, Estimates, Estimator, Library

__all__ = ["Comparison", "Estimates", "Estimator", "Library", "load"]


def load(kind: str, **parameters: Any) -> Estimator:
    """The estimator of a kind with its parameters, not yet fitted.

    Raises
    ------
    InputError
        If there is no such kind, or a parameter is unknown or of the wrong type.
    """
    build = registry.load("estimators", kind, "Estimator").Estimator
    return build(**registry.checked(kind, registry.defaults(build), parameters))
