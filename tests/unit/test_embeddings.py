"""Maps against points whose place is known, and against scikit-learn."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.manifold import Isomap

from whiteline import embeddings, registry
from whiteline.errors import InputError

KINDS = registry.kinds("embeddings")


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def plane(rng):
    """Points in a plane, those of the map and some more."""
    return rng.uniform(size=(40, 2)) * [3, 1], rng.uniform(size=(7, 2)) * [3, 1]


def embed(kind, map_points, queries, **parameters):
    distances = cdist(map_points, map_points), cdist(queries, map_points)
    return embeddings.load(kind, **parameters)(*distances, 0)


def test_the_kinds_are_found():
    assert KINDS == ["classical_mds", "isomap"]


def test_shapes(kind, plane):
    coordinates, placed = embed(kind, *plane)
    assert coordinates.shape == (40, 2)
    assert placed.shape == (7, 2)


def test_no_queries_do(kind, plane):
    assert embed(kind, plane[0], np.empty((0, 2)))[1].shape == (0, 2)


def test_a_spectrum_of_the_map_is_placed_onto_itself(kind, plane):
    coordinates, placed = embed(kind, plane[0], plane[0][:5])
    np.testing.assert_allclose(placed, coordinates[:5], atol=1e-9)


def test_the_seed_and_the_run_do_not_matter(kind, plane):
    distances = cdist(plane[0], plane[0]), cdist(plane[1], plane[0])
    one, other = (embeddings.load(kind)(*distances, seed) for seed in (0, 1))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_the_largest_coordinate_of_each_axis_is_positive(kind, plane):
    coordinates, _ = embed(kind, *plane)
    largest = np.abs(coordinates).argmax(0)
    assert (coordinates[largest, [0, 1]] > 0).all()


def test_a_little_asymmetry_is_averaged(kind, plane, rng):
    square, rows = cdist(plane[0], plane[0]), cdist(plane[1], plane[0])
    noise = np.triu(rng.uniform(0, 0.01, size=square.shape), 1)
    found, _ = embeddings.load(kind)(square + noise - noise.T, rows, 0)
    np.testing.assert_allclose(found, embeddings.load(kind)(square, rows, 0)[0], atol=1e-9)


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


@pytest.mark.parametrize("distances", [np.zeros((4, 4)), np.zeros((1, 1))])
def test_mds_of_one_place_is_refused(distances):
    with pytest.raises(InputError, match="do not span"):
        embeddings.load("classical_mds")(distances, distances, 0)


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
