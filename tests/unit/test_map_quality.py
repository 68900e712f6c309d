"""Scores of maps on configurations whose score is known, and against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score

from score_maps import score_maps
from whiteline import contracts
from whiteline.evaluation import map_quality
from whiteline.evaluation.map_quality import neighborhoods, quality, rank_correlation, separation
from whiteline.neighbors import draw_landmarks, reduce


def kept(points, landmarks=1000):
    marks = draw_landmarks(len(points), landmarks, 0)
    return reduce(cdist(points, points), 20, marks, np.arange(len(points)))


@pytest.mark.parametrize("landmarks", [1000, 7])
def test_a_map_that_is_its_own_original_is_faultless(landmarks, rng):
    points = np.sort(rng.uniform(size=80))[:, None]
    valence = np.repeat([2.0, 3.0], 40)
    found = quality(kept(points, landmarks), points, valence, points[:, 0], 0)
    assert found["trustworthiness"] == 1
    assert found["continuity"] == 1
    assert found["ten_dq_rank_correlation"] == pytest.approx(1)


def test_neighborhoods_agree_with_scikit_learn(rng, monkeypatch):
    points, places = rng.normal(size=(60, 4)), rng.normal(size=(60, 2))
    places += points[:, :2]
    monkeypatch.setattr(map_quality, "CHUNK", 7)
    trust, continuity = neighborhoods(kept(points), places, 6)
    assert trust == pytest.approx(trustworthiness(points, places, n_neighbors=6))
    # Continuity is the trustworthiness of the original as a map of the map.
    assert continuity == pytest.approx(trustworthiness(places, points, n_neighbors=6))
    assert trust != pytest.approx(continuity)


def test_landmarks_estimate_the_score_of_all(rng):
    points = rng.normal(size=(2000, 4))
    all_of, some = (neighborhoods(kept(points, n), points[:, :2], 10) for n in (2000, 300))
    np.testing.assert_allclose(some, all_of, atol=0.02)
    assert all_of[0] < 0.95


def test_a_random_map_keeps_about_half(rng):
    found = neighborhoods(kept(rng.normal(size=(500, 3))), rng.normal(size=(500, 2)), 10)
    np.testing.assert_allclose(found, 0.5, atol=0.05)


def test_rank_correlation_is_taken_within_each_valence(rng):
    ten_dq = rng.uniform(size=30)
    valence = np.repeat([2.0, 3.0], [20, 10])
    # Order is kept within the first valence and lost within the second.
    places = np.where(valence == 2, ten_dq**3, rng.uniform(size=30))[:, None]
    found = rank_correlation(places, np.arange(30), valence, ten_dq, 0)
    expected = []
    for own in (valence == 2, valence == 3):
        i, j = np.triu_indices(own.sum(), 1)
        apart = np.abs(places[own][i, 0] - places[own][j, 0])
        expected.append(spearmanr(apart, np.abs(ten_dq[own][i] - ten_dq[own][j])).statistic)
    assert found == pytest.approx((20 * expected[0] + 10 * expected[1]) / 30)


def test_separation_is_the_silhouette(rng):
    places = np.concatenate([rng.normal(size=(20, 2)), 5 + rng.normal(size=(20, 2))])
    valence = np.repeat([2.0, 3.0], 20)
    assert separation(places, valence) == pytest.approx(silhouette_score(places, valence))
    assert separation(places, valence) > 0.6
    assert abs(separation(places, rng.permutation(valence))) < 0.1


def test_scores_without_a_meaning_are_not_given():
    points = np.arange(6.0)[:, None]
    found = quality(kept(points), points, np.full(6, 2.0), np.full(6, np.nan), 0)
    assert np.isnan(found["valence_separation"])
    assert np.isnan(found["ten_dq_rank_correlation"])
    assert found["trustworthiness"] == 1


def test_the_stage_scores_each_map_with_its_own_distances(tmp_path, rng):
    points, scattered = rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    own = kept(points)
    for block, rows in enumerate(np.split(np.arange(40), 2)):
        data = contracts.dataset(
            "neighbors",
            {
                "nearest": own.nearest[rows],
                "distance": own.distance[rows] ** 2,
                "landmark": own.landmarks,
                "landmark_distance": own.landmark_distance[rows] ** 2,
                "query_id": [f"x{row}" for row in rows],
            },
            order=2,
        )
        contracts.write(data, tmp_path / f"{block}.nc")
    for name, places in (("good", points), ("bad", scattered)):
        data = contracts.dataset(
            "embedding",
            {
                # The last is a query, which is not scored.
                "coordinate": np.concatenate([places, [[9.0, 9.0]]]),
                "is_query": [0] * 40 + [1],
                "id": [f"x{row}" for row in range(41)],
                "ion": ["Mn2+"] * 41,
                "valence": [2.0] * 20 + [3.0] * 21,
                "ten_dq": rng.uniform(size=41),
            },
        )
        contracts.write(data, tmp_path / f"{name}.nc")
    parts = [str(tmp_path / f"{block}.nc") for block in (0, 1)]
    score_maps(
        embeddings=[str(tmp_path / f"{name}.nc") for name in ("good", "bad")],
        distances=[*parts, *parts],
        quality=str(tmp_path / "quality.csv"),
        names=[("correlation", "good"), ("correlation", "bad")],
        labels={"library": "mn"},
        seed=0,
    )
    table = pd.read_csv(tmp_path / "quality.csv").set_index("embedding")
    assert table["spectra"].tolist() == [40, 40]
    assert table.loc["good", "trustworthiness"] == pytest.approx(1, abs=1e-3)
    assert table.loc["bad", "trustworthiness"] < 0.7
