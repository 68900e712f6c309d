"""Maps of spectra from their distances. The module name is the registry: one module per kind.

A module offers ``embed(own, queries, seed, *, ...)``: the coordinates of the map's spectra and,
out of sample, of the queries, from their distances to the map (`whiteline.neighbors.Neighbors`:
nearest neighbours and landmarks). Parameters are keyword-only and have defaults. ``EMBEDDING``, a
`whiteline.embeddings.base.Embedding`, says what is known about it; a user's file may leave it out.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

from whiteline import registry
from whiteline.embeddings.base import Embedding
from whiteline.errors import InputError


def load(kind: str, **parameters: Any) -> Callable:
    """The ``embed`` function of a kind, with its parameters bound.

    Raises
    ------
    InputError
        If there is no such kind, what it needs is not installed, or a parameter is unknown or of
        the wrong type.
    """
    needs = facts(kind).needs
    if needs and importlib.util.find_spec(needs) is None:
        raise InputError(
            f"{kind}: {needs} is not installed; pip install 'whiteline[maps]' installs it"
        )
    embed = registry.load("embeddings", kind, "embed").embed
    return partial(embed, **registry.checked(kind, registry.defaults(embed), parameters))


def facts(kind: str) -> Embedding:
    """What is known about a kind; raises `InputError` if there is no such kind."""
    module = registry.load("embeddings", kind, "embed")
    return getattr(module, "EMBEDDING", Embedding(name=kind))
