"""Maps against points whose place is known, and against scikit-learn."""

import importlib.util

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.manifold import Isomap

from whiteline import embeddings, registry
from whiteline.errors import InputError
from whiteline.neighbors import draw_landmarks, reduce

KINDS = registry.kinds("embeddings")
# These give exact answers; the others descend a gradient.
EXACT = ["classical_mds", "isomap"]
SMALL = {"tsne": {"perplexity": 8.0}}


@pytest.fixture(params=KINDS)
def kind(request):
    return installed(request.param)


def installed(kind):
    """The kind; the test is skipped where what it needs is not installed."""
    if needs := embeddings.facts(kind).needs:
        pytest.importorskip(needs)
    return kind


@pytest.fixture
def plane(rng):
    """Points in a plane, those of the map and some more."""
    return rng.uniform(size=(40, 2)) * [3, 1], rng.uniform(size=(7, 2)) * [3, 1]


def kept(map_points, queries, count=90, landmarks=1000):
    """Distances of points as a map keeps them."""
    marks = draw_landmarks(len(map_points), landmarks, 0)
    own = reduce(cdist(map_points, map_points), count, marks, np.arange(len(map_points)))
    return own, reduce(cdist(queries, map_points), count, marks)


def embed(kind, map_points, queries, landmarks=1000, **parameters):
    distances = kept(map_points, queries, landmarks=landmarks)
    return embeddings.load(installed(kind), **SMALL.get(kind, {}), **parameters)(*distances, 0)


def test_the_kinds_are_found():
    assert KINDS == ["classical_mds", "isomap", "tsne", "umap"]
    assert all(embeddings.facts(kind).reference != "not told" for kind in KINDS)


def test_shapes(kind, plane):
    coordinates, placed = embed(kind, *plane)
    assert coordinates.shape == (40, 2)
    assert placed.shape == (7, 2)
    assert np.isfinite(coordinates).all()
    assert np.isfinite(placed).all()


def test_no_queries_do(kind, plane):
    assert embed(kind, plane[0], np.empty((0, 2)))[1].shape == (0, 2)


@pytest.mark.parametrize("landmarks", [1000, 15])
@pytest.mark.parametrize("kind", [*EXACT, "umap"])
def test_a_spectrum_of_the_map_is_placed_onto_itself(kind, landmarks, plane):
    coordinates, placed = embed(kind, plane[0], plane[0], landmarks)
    np.testing.assert_allclose(placed, coordinates, atol=1e-9)


def test_tsne_places_a_spectrum_of_the_map_near_itself(rng):
    points = rng.uniform(size=(200, 2))
    coordinates, placed = embed("tsne", points, points[:50])
    nearest = cdist(placed, coordinates).argsort(axis=1)
    ranks = (nearest == np.arange(50)[:, None]).argmax(axis=1)
    # Of 200; at random it would be 100.
    assert np.median(ranks) <= 1
    assert ranks.max() < 10


def test_the_run_does_not_matter(kind, plane):
    one, other = (embed(kind, *plane) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("kind", EXACT)
def test_the_largest_coordinate_of_each_axis_is_positive(kind, plane):
    coordinates, _ = embed(kind, *plane)
    largest = np.abs(coordinates).argmax(0)
    assert (coordinates[largest, [0, 1]] > 0).all()


def test_a_little_asymmetry_is_averaged(plane, rng):
    square = cdist(plane[0], plane[0])
    noise = np.triu(rng.uniform(0, 0.01, size=square.shape), 1)
    own, queries = kept(*plane)
    uneven = reduce(square + noise - noise.T, 90, own.landmarks, np.arange(40))
    found, _ = embeddings.load("classical_mds")(uneven, queries, 0)
    expected, _ = embeddings.load("classical_mds")(own, queries, 0)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("kind", ["tsne", "umap"])
def test_groups_far_apart_stay_apart(kind, rng):
    points = np.concatenate([rng.normal(size=(60, 5)), 50 + rng.normal(size=(60, 5))])
    coordinates, placed = embed(kind, points[1:], points[:1])
    first, second = coordinates[:59], coordinates[59:]
    between = cdist(first, second).min()
    assert (
        between > cdist(first, first).min(axis=1, where=~np.eye(59, dtype=bool), initial=99).max()
    )
    assert np.linalg.norm(placed - first.mean(0)) < np.linalg.norm(placed - second.mean(0))


def test_what_is_not_installed_is_told(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"umap: umap is not installed; .*whiteline\[maps\]"):
        embeddings.load("umap")


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("tsne", {"perplexity": 20.0}, "40 spectra of the map, each with its 39 nearest .* 13.0"),
        ("tsne", {"components": 3}, "components is 3; it must be 1 or 2"),
        ("umap", {"neighbors": 40}, "neighbors is 40; .* allow 1 to 39"),
    ],
)
def test_too_much_asked_of_a_map_is_refused(kind, parameters, message, plane):
    with pytest.raises(InputError, match=message):
        embeddings.load(installed(kind), **parameters)(*kept(*plane), 0)


def test_landmarks_of_a_plane_give_the_whole_plane(plane):
    coordinates, placed = embed("classical_mds", *plane, landmarks=10)
    np.testing.assert_allclose(cdist(coordinates, coordinates), cdist(plane[0], plane[0]))
    np.testing.assert_allclose(cdist(placed, coordinates), cdist(plane[1], plane[0]))


def test_landmark_isomap_approaches_isomap(rng):
    points = rng.uniform(size=(400, 2)) * [3, 1]
    whole, _ = embed("isomap", points, points[:0])
    part, _ = embed("isomap", points, points[:0], landmarks=60)
    both = np.corrcoef(cdist(whole, whole).ravel(), cdist(part, part).ravel())[0, 1]
    assert both > 0.999


def test_isomap_joins_parts_as_scikit_learn_does(rng):
    points = rng.uniform(size=(60, 2)) + np.repeat([[0, 0], [8, 0]], 30, axis=0)
    coordinates, _ = embed("isomap", points, points[:0], neighbors=5)
    model = Isomap(n_neighbors=5, eigen_solver="dense")
    with pytest.warns(UserWarning, match="connected components"):
        model.fit(points)
    np.testing.assert_allclose(np.abs(coordinates), np.abs(model.embedding_), atol=1e-9)


def test_isomap_of_spectra_that_stand_twice():
    line = np.repeat(np.arange(10.0), 2)[:, None]
    coordinates, _ = embed("isomap", line, line[:0], neighbors=3, components=1)
    np.testing.assert_allclose(np.abs(coordinates - coordinates[0]), line, atol=1e-9)


def test_mds_gives_back_exact_distances_in_the_plane(plane):
    coordinates, placed = embed("classical_mds", *plane)
    np.testing.assert_allclose(cdist(coordinates, coordinates), cdist(plane[0], plane[0]))
    np.testing.assert_allclose(cdist(placed, coordinates), cdist(plane[1], plane[0]))


def test_mds_gives_the_principal_components(plane):
    coordinates, placed = embed("classical_mds", *plane)
    centre = plane[0].mean(0)
    axes = np.linalg.svd(plane[0] - centre)[2]
    for found, points in ((coordinates, plane[0]), (placed, plane[1])):
        np.testing.assert_allclose(np.abs(found), np.abs((points - centre) @ axes.T), atol=1e-9)


def test_mds_needs_enough_dimensions():
    line = np.arange(5.0)[:, None]
    with pytest.raises(InputError, match="do not span 2 dimensions"):
        embed("classical_mds", line, line)
    with pytest.raises(InputError, match="at least 1"):
        embed("classical_mds", line, line, components=0)
    coordinates, _ = embed("classical_mds", line, line, components=1)
    np.testing.assert_allclose(np.abs(coordinates[:, 0]), [2, 1, 0, 1, 2], atol=1e-9)


@pytest.mark.parametrize("count", [4, 1])
def test_mds_of_one_place_is_refused(count):
    with pytest.raises(InputError, match="do not span"):
        embed("classical_mds", np.zeros((count, 2)), np.zeros((count, 2)))


def test_isomap_agrees_with_scikit_learn_on_points(plane):
    coordinates, placed = embed("isomap", *plane, neighbors=6)
    model = Isomap(n_neighbors=6, eigen_solver="dense").fit(plane[0])
    np.testing.assert_allclose(np.abs(coordinates), np.abs(model.embedding_), atol=1e-9)
    np.testing.assert_allclose(np.abs(placed), np.abs(model.transform(plane[1])), atol=1e-9)


def test_isomap_unrolls_a_path_around_a_corner():
    along = np.arange(41.0)
    path = np.stack([np.minimum(along, 20), np.maximum(along - 20, 0)], axis=1)
    unrolled, _ = embed("isomap", path, path[:0], neighbors=2, components=1)
    np.testing.assert_allclose(np.abs(unrolled[:, 0] - unrolled[0, 0]), along, atol=1e-9)


@pytest.mark.parametrize("parameters", [{"neighbors": 5}, {"neighbors": 0}, {"components": 0}])
def test_isomap_needs_enough_spectra(parameters, plane):
    with pytest.raises(InputError, match="allow 1 to 4"):
        embed("isomap", plane[0][:5], plane[1], **{"neighbors": 2, **parameters})
