"""Distances within a map in little room: of each spectrum its nearest neighbours and landmarks.

Landmarks are some of the map's spectra, drawn at random, to which all others have their distance;
where all spectra are landmarks, that is the whole matrix. Fifty thousand spectra take 10 GB as a
square matrix and 0.2 GB with a thousand landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

# Rows of the square matrix that one job computes.
BLOCK = 2000


@dataclass(frozen=True)
class Neighbors:
    """Distances of n spectra to a map.

    Attributes
    ----------
    nearest
        Places in the map of the k nearest, nearest first, without the spectrum itself, (n, k).
    distance
        Their distances, shape (n, k).
    landmarks
        Places in the map of the landmarks, ascending, shape (l,).
    landmark_distance
        Distances to them, shape (n, l).
    """

    nearest: np.ndarray
    distance: np.ndarray
    landmarks: np.ndarray
    landmark_distance: np.ndarray

    def __len__(self) -> int:
        return len(self.nearest)

    def __getitem__(self, rows: slice) -> Neighbors:
        return Neighbors(
            self.nearest[rows], self.distance[rows], self.landmarks, self.landmark_distance[rows]
        )

    def power(self, exponent: float) -> Neighbors:
        """The same with every distance raised to a power."""
        return replace(
            self,
            distance=self.distance**exponent,
            landmark_distance=self.landmark_distance**exponent,
        )


def draw_landmarks(size: int, count: int, seed: int) -> np.ndarray:
    """Places of the landmarks in a map of ``size`` spectra, ascending; all if it has fewer."""
    return np.sort(np.random.default_rng(seed).permutation(size)[:count])


def reduce(
    rows: np.ndarray, count: int, landmarks: np.ndarray, own: np.ndarray | None = None
) -> Neighbors:
    """What is kept of rows of distances.

    Parameters
    ----------
    rows
        Distances of some spectra to the whole map, shape (n, map).
    count
        Number of nearest neighbours, at most, and at most all but one of the map; among equals
        the first.
    landmarks
        Places of the landmarks in the map.
    own
        The place of each spectrum in the map, shape (n,), if it is one of the map.
    """
    others = rows
    if own is not None:
        others = rows.copy()
        others[np.arange(len(rows)), own] = np.inf
    count = min(count, rows.shape[1] - 1)
    nearest = np.argpartition(others, max(count - 1, 0), axis=1)[:, :count]
    nearest.sort(axis=1)
    distance = np.take_along_axis(rows, nearest, axis=1)
    order = np.argsort(distance, axis=1, kind="stable")
    return Neighbors(
        np.take_along_axis(nearest, order, axis=1),
        np.take_along_axis(distance, order, axis=1),
        landmarks,
        rows[:, landmarks],
    )


def joined(parts: Sequence[Neighbors]) -> Neighbors:
    """Blocks of rows, one above the other."""
    return Neighbors(
        np.concatenate([part.nearest for part in parts]),
        np.concatenate([part.distance for part in parts]),
        parts[0].landmarks,
        np.concatenate([part.landmark_distance for part in parts]),
    )


def of_dataset(data: xr.Dataset) -> Neighbors:
    """A dataset of contract "neighbors", distances made to grow evenly.

    1 - correlation grows with the square of a small change, so its root is taken: lengths of a
    map must grow with the change itself.
    """
    names = ("nearest", "distance", "landmark", "landmark_distance")
    return Neighbors(*(data[name].values for name in names)).power(1 / data.attrs["order"])


def blocks(size: int) -> int:
    """In how many jobs the distances to a map of so many spectra are computed.

    A small map and the queries share one; those to a large one have the last for themselves, so
    that another query does not compute the map's again.
    """
    return 1 if size <= BLOCK else -(-size // BLOCK) + 1


def block_rows(size: int, block: int, of: int) -> np.ndarray:
    """Places of the map's spectra in a block, counted from 1, of blocks of about one size."""
    parts = np.array_split(np.arange(size), max(of - 1, 1))
    return parts[block - 1] if block <= len(parts) else np.arange(0)
