"""Maps of spectra from their distances. The module name is the registry: one module per kind.

A module offers ``embed(map_distances, query_distances, seed, *, ...)``: the coordinates of the
library's spectra from the square matrix of their distances, and of the queries, out of sample,
from their distances to the library's spectra. Parameters are keyword-only and have defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from whiteline import registry


def load(kind: str, **parameters: Any) -> Callable:
    """The ``embed`` function of a kind, with its parameters bound.

    Raises
    ------
    InputError
        If there is no such kind, or a parameter is unknown or of the wrong type.
    """
    embed = registry.load("embeddings", kind, "embed").embed
    return partial(embed, **registry.checked(kind, registry.defaults(embed), parameters))
