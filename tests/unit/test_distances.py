"""Distances of aligned pairs against scipy's, pair by pair."""

import numpy as np
import pytest
from scipy.spatial import distance

from whiteline import distances, measures
from whiteline.distances import aligned_distances

ENERGY = 700 + 0.1 * np.arange(60)
MARGIN = 5


@pytest.fixture
def pairs(rng):
    queries = rng.uniform(size=(7, 60 + 2 * MARGIN)).cumsum(1)
    library = rng.uniform(size=(9, 60)).cumsum(1)
    return queries, library, rng.integers(-MARGIN, MARGIN + 1, size=(7, 9))


@pytest.mark.parametrize("kind", ["euclidean", "cityblock", "cosine", "correlation"])
def test_each_pair_is_compared_at_its_own_shift(kind, pairs):
    queries, library, shift = pairs
    measure = measures.load(kind, precision="double")
    found = aligned_distances(measure, queries, library, shift, ENERGY)
    for n, m in np.ndindex(shift.shape):
        start = MARGIN - shift[n, m]
        expected = getattr(distance, kind)(queries[n, start : start + 60], library[m])
        # Stored in single precision; 1 - cosine loses what is left of 1.
        assert found[n, m] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", measures.kinds())
def test_a_record_is_at_no_distance_from_itself_shifted(kind, pairs):
    queries, _, shift = pairs
    library = np.stack([queries[0, MARGIN - s : MARGIN - s + 60] for s in shift[0]])
    labels = {"valence": np.arange(9) % 2, "ten_dq": np.arange(9)}
    measure = measures.load(kind).fit(library, labels, ENERGY, seed=0)
    found = aligned_distances(measure, queries[:1], library, shift[:1], ENERGY)
    np.testing.assert_allclose(found, 0, atol=1e-6)


def test_an_ensemble_ranks_the_whole_library(pairs):
    queries, library, shift = pairs
    found = aligned_distances(
        measures.load("ensemble", members=["euclidean"]), queries, library, shift, ENERGY
    )
    distance = aligned_distances(measures.load("euclidean"), queries, library, shift, ENERGY)
    np.testing.assert_allclose(found, distance.argsort(1).argsort(1) / 9, rtol=1e-6)


def test_the_batch_does_not_matter(pairs, monkeypatch):
    queries, library, shift = pairs
    measure = measures.load("wasserstein")
    whole = aligned_distances(measure, queries, library, shift, ENERGY)
    monkeypatch.setattr(distances, "BATCH", 3)
    np.testing.assert_allclose(
        aligned_distances(measure, queries, library, shift, ENERGY), whole, rtol=1e-6
    )


def test_no_margin_means_no_shift(pairs):
    _, library, _ = pairs
    found = aligned_distances(
        measures.load("euclidean"), library, library, np.zeros((9, 9), int), ENERGY
    )
    np.testing.assert_allclose(found, distance.cdist(library, library), rtol=1e-6)
