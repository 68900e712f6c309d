"""What the kinds of maps share: the facts about one, and common steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whiteline.errors import InputError
from whiteline.neighbors import Neighbors


@dataclass(frozen=True)
class Embedding:
    """Facts about a kind of map.

    Attributes
    ----------
    name
        Name for tables and captions.
    reference
        Where it is defined, with the DOI.
    placing
        How a new spectrum gets its place.
    needs
        The optional package that computes it, by the name under which it is imported.
    """

    name: str
    reference: str = "not told"
    placing: str = "by a rule of its own"
    needs: str = ""


def check_neighbors(kind: str, own: Neighbors, **wanted: int) -> None:
    """Raise `InputError` where a parameter is not between 1 and the neighbours that are kept."""
    kept = own.nearest.shape[1]
    for name, value in wanted.items():
        if not 1 <= value <= kept:
            raise InputError(
                f"{kind}: {name} is {value}; the {len(own)} spectra of the map, each with its "
                f"{kept} nearest (map.neighbors), allow 1 to {kept}"
            )


def weighted_mean(queries: Neighbors, coordinates: np.ndarray, count: int) -> np.ndarray:
    """Mean places of the ``count`` nearest spectra, weighted by 1 / distance, (q, components).

    One at no distance from a spectrum of the map lies on it.
    """
    nearest = queries.nearest[:, :count]
    distance = queries.distance[:, :count].astype(float)
    least = distance.min(axis=1, keepdims=True, initial=np.inf)
    # Relative to the nearest, so that a distance of zero needs no division by it.
    weight = np.where(
        least > 0, least / np.where(distance > 0, distance, 1), (distance == 0).astype(float)
    )
    weight /= weight.sum(axis=1, keepdims=True)
    return np.einsum("qk,qkc->qc", weight, coordinates[nearest])
