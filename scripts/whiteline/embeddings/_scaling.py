"""Classical scaling of landmarks, and the placement of all else by its distances to them.

Torgerson, Psychometrika 17, 401 (1952); Gower, Biometrika 55, 582 (1968); with landmarks de Silva,
Tenenbaum, Sparse multidimensional scaling using landmark points, Stanford (2004).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from whiteline.errors import InputError

# Spectra placed at a time: 33 MB with a thousand landmarks.
CHUNK = 4096


def scaled(
    kind: str, landmarks: np.ndarray, own: np.ndarray, queries: np.ndarray, components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates whose euclidean distances are nearest the given ones.

    Parameters
    ----------
    kind
        Of the map, for messages.
    landmarks
        Places of the landmarks among the map's spectra, shape (l,).
    own, queries
        Distances to the landmarks, shapes (n, l) and (q, l). Those between landmarks are made
        symmetric by averaging: pairs aligned from either side differ slightly.
    components
        Number of dimensions.

    Returns
    -------
    ndarrays of shape (n, components) and (q, components)

    Raises
    ------
    InputError
        If the distances have fewer positive dimensions than ``components``.
    """
    if components < 1:
        raise InputError(f"{kind}: components is {components}; at least 1 is needed")
    square = own[landmarks].astype(float)
    square = ((square + square.T) / 2) ** 2
    row_mean = square.mean(0)
    gram = -(square - row_mean - row_mean[:, None] + row_mean.mean()) / 2
    last = len(gram) - 1
    values, vectors = eigh(gram, subset_by_index=(max(0, last + 1 - components), last))
    values, vectors = values[::-1], vectors[:, ::-1]
    if len(values) < components or values[-1] <= 1e-12 * values[0]:
        raise InputError(
            f"{kind}: these distances do not span {components} dimensions; "
            "ask for fewer components"
        )
    # The sign of an eigenvector is arbitrary; the largest coordinate is made positive.
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(components)])
    at_landmarks = vectors * np.sqrt(values)

    def place(rows: np.ndarray) -> np.ndarray:
        placed = np.empty((len(rows), components))
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK].astype(float)
            placed[start : start + CHUNK] = (row_mean - part**2) @ at_landmarks / (2 * values)
        return placed

    coordinates = place(own)
    coordinates[landmarks] = at_landmarks
    return coordinates, place(queries)
