"""How faithful a map is: neighbourhoods kept, order of 10Dq, valences apart.

All scores look from the landmarks at the whole map. In a map in which all spectra are landmarks
they are those of every spectrum, otherwise of a random sample of them.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from whiteline.neighbors import Neighbors

# Neighbours that a faithful map keeps, in `trustworthiness` and `continuity`.
KEPT = 10
# Pairs of which the rank correlation is taken, at most.
PAIRS = 200_000
# Landmarks whose ranks are formed at a time: 80 MB at 50,000 spectra.
CHUNK = 50


def quality(
    own: Neighbors, coordinates: np.ndarray, valence: np.ndarray, ten_dq: np.ndarray, seed: int
) -> dict[str, float]:
    """The scores of a map.

    Parameters
    ----------
    own
        Distances of the map's n spectra.
    coordinates
        Their places, shape (n, components).
    valence, ten_dq
        What is known of each (ten_dq in eV), shape (n,); NaN where it is not.
    seed
        Of the draw of pairs.

    Returns
    -------
    dict
        ``spectra`` (n), ``trustworthiness``, ``continuity``, ``ten_dq_rank_correlation`` and
        ``valence_separation``; NaN where a score has no meaning. All but ``spectra`` are best
        at 1.
    """
    trust, kept = neighborhoods(own, coordinates, min(KEPT, (len(own) - 1) // 2))
    return {
        "spectra": len(own),
        "trustworthiness": trust,
        "continuity": kept,
        "ten_dq_rank_correlation": rank_correlation(
            coordinates, own.landmarks, valence, ten_dq, seed
        ),
        "valence_separation": separation(coordinates[own.landmarks], valence[own.landmarks]),
    }


def neighborhoods(own: Neighbors, coordinates: np.ndarray, count: int) -> tuple[float, float]:
    """Trustworthiness and continuity: 1 less what strangers among the neighbours cost.

    Strangers are among the ``count`` nearest in the map but not among those by distance
    (trustworthiness), or the reverse (continuity). Each costs as much as its rank lies beyond the
    ``count`` nearest; 1 is faultless, and in chance neighbourhoods about 0.5 is left. Venna,
    Kaski, Neural Netw. 19, 889 (2006), doi 10.1016/j.neunet.2006.05.014. NaN below three spectra.
    """
    size, costs = len(own), np.zeros(2)
    if count < 1:
        return np.nan, np.nan
    for start in range(0, len(own.landmarks), CHUNK):
        at = own.landmarks[start : start + CHUNK]
        by_distance = _ranks(own.landmark_distance[:, start : start + CHUNK].T, at)
        in_map = _ranks(cdist(coordinates[at], coordinates), at)
        costs += [
            np.maximum(by_distance[in_map <= count] - count, 0).sum(),
            np.maximum(in_map[by_distance <= count] - count, 0).sum(),
        ]
    worst = len(own.landmarks) * count * (2 * size - 3 * count - 1) / 2
    trust, kept = 1 - costs / worst
    return float(trust), float(kept)


def rank_correlation(
    coordinates: np.ndarray,
    landmarks: np.ndarray,
    valence: np.ndarray,
    ten_dq: np.ndarray,
    seed: int,
) -> float:
    """Spearman's correlation of the distance in the map with the difference of 10Dq.

    Within each valence, of pairs with a landmark (some drawn at random where there are many); the
    mean over the valences, weighted by their spectra. NaN where no valence has two values of 10Dq.
    """
    from scipy.stats import spearmanr

    random = np.random.default_rng(seed)
    found, weights = [], []
    for value in np.unique(valence[np.isfinite(valence)]):
        members = np.flatnonzero((valence == value) & np.isfinite(ten_dq))
        starts = np.intersect1d(members, landmarks)
        if len(members) < 3 or not len(starts) or np.ptp(ten_dq[members]) == 0:
            continue
        pairs = np.arange(len(starts) * len(members))
        if len(pairs) > PAIRS:
            pairs = random.integers(len(pairs), size=PAIRS)
        first, second = starts[pairs // len(members)], members[pairs % len(members)]
        first, second = first[first != second], second[first != second]
        apart = np.linalg.norm(coordinates[first] - coordinates[second], axis=1)
        found.append(spearmanr(apart, np.abs(ten_dq[first] - ten_dq[second])).statistic)
        weights.append(len(members))
    return float(np.average(found, weights=weights)) if found else np.nan


def separation(coordinates: np.ndarray, valence: np.ndarray) -> float:
    """Mean silhouette of the valences in the map: 1 far apart, 0 on each other, below 0 mixed.

    Rousseeuw, J. Comput. Appl. Math. 20, 53 (1987), doi 10.1016/0377-0427(87)90125-7. NaN where
    there are not two valences, or no more spectra than valences.
    """
    from sklearn.metrics import silhouette_score

    known = np.isfinite(valence)
    kinds = len(np.unique(valence[known]))
    if not 2 <= kinds < known.sum():
        return np.nan
    return float(silhouette_score(coordinates[known], valence[known].astype(str)))


def _ranks(rows: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Rank of each spectrum by its distance in rows (r, n): 1 is the nearest, 0 the row's own."""
    rows = rows.astype(float)
    rows[np.arange(len(rows)), own] = -1
    order = np.argsort(rows, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(rows.shape[1])[None], axis=1)
    return ranks
