"""Lower bounds of the search against distances, for queries unlike any library spectrum."""

from __future__ import annotations

import numpy as np
import pytest
from search_pairs import survives

from whiteline import measures, search
from whiteline.search.dtw import OTHERS
from whiteline.search.enclosures import FOUR, Descent, Enclosures, _paired, _widths

ENERGY = 640 + 0.2 * np.arange(101)


def lines(count, rng):
    """Spectra of two lines on a background that is zero in places."""
    centre, half = rng.uniform(643, 656, (2, count, 1)), rng.uniform(0.3, 1, (2, count, 1))
    total = (half**2 / ((ENERGY - centre) ** 2 + half**2)).sum(axis=0)
    return np.maximum(total - 0.02, 0)


def strange(rng):
    """Noise, single points, steps, and library spectra with outliers, six of each."""
    points = len(ENERGY)
    spikes = np.zeros((6, points))
    spikes[np.arange(6), rng.integers(points, size=6)] = 1
    steps = np.where(np.arange(points) < rng.integers(10, 90, (6, 1)), 1.0, 1e-9)
    hit = lines(6, rng)
    hit[:, rng.integers(points, size=3)] *= 50
    return np.concatenate([rng.exponential(size=(6, points)) ** 4, spikes, steps, hit])


@pytest.mark.parametrize("kind", ["jensen_shannon", "chi_square"])
def test_no_bound_is_above_the_distance(kind, rng):
    measure = measures.load(kind, precision="double")
    library, queries = (measure.prepare(x, ENERGY) for x in (lines(90, rng), strange(rng)))
    index = search.build(measure, library, ENERGY)
    asked = index._ask(queries)
    # One segment for each query, of all columns.
    starts, columns = np.arange(25) * 90, np.tile(np.arange(90), 24)
    distance = measure.pairwise(queries, library, ENERGY)[:, index._row_of]
    fine = index._fine(asked, starts, columns).reshape(24, 90)
    for column in range(90):
        assert survives(index, asked, column, distance[:, column])
        assert (fine[:, column] <= index._fine_ceiling(asked, distance[:, column])).all()
    # A limit at the distance itself gives nothing up that lies there.
    for column in range(0, 90, 7):
        single = np.arange(25), np.full(24, column)
        found = index._distances(asked, *single, distance[:, column] * (1 + 1e-12))
        np.testing.assert_allclose(found, distance[:, column], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["jensen_shannon", "chi_square"])
def test_bounds_in_single_precision_enclose_the_distance(kind, rng):
    measure = measures.load(kind, precision="double")
    library, queries = (measure.prepare(x, ENERGY) for x in (lines(90, rng), strange(rng)))
    index = search.build(measure, library, ENERGY)
    asked = index._ask(queries)
    distance = measure.pairwise(queries, library, ENERGY)[:, index._row_of]
    for column in range(90):
        pairs = np.arange(25), np.full(24, column)
        bounds = index._bounds(asked, *pairs)
        assert (bounds <= index._bound_ceiling(distance[:, column])).all()
        assert (distance[:, column] <= index._farthest(*pairs, bounds, 1)).all()


@pytest.fixture(params=[0.2, 2.0, 0.0, 100.0])
def warping(request, rng):
    """A measure of some band, 90 library spectra and queries, with and without noise."""
    measure = measures.load("dtw", precision="double", band=request.param)
    queries = lines(40, rng)
    noise = np.repeat([0, 0.01, 0.1, 1], 10)[:, None] * rng.normal(size=queries.shape)
    queries = np.concatenate([queries + noise, strange(rng)])
    return measure, *(measure.prepare(x, ENERGY) for x in (lines(90, rng), queries))


@pytest.mark.parametrize("reach", [0.5, 1.0, 3.0, np.inf])
def test_no_warped_interval_is_further_than_its_spectra(warping, reach):
    """Whatever the limit, in multiples of the least distance, by which integers are scaled."""
    measure, library, queries = warping
    index = search.build(measure, library, ENERGY)
    distance = measure.pairwise(queries, library, ENERGY)
    limit = reach * distance.min(axis=1, keepdims=True)
    asked = index._ask(queries)
    limits = np.broadcast_to(limit, asked.excursions.shape)
    every = np.ones_like(limits, dtype=bool)
    edges = index._whole[0]
    descent = Descent(index._enclosures, queries, limits, every, edges)
    descent.further(limits, 2)
    first = descent.bounds.copy()
    descent.further(limits, OTHERS)
    bounds = descent.bounds
    assert (np.isfinite(bounds) | (distance > limit)).all()
    assert (bounds <= distance)[np.isfinite(bounds)].all()
    np.testing.assert_array_equal(bounds[np.isfinite(first)], first[np.isfinite(first)])
    np.testing.assert_array_equal(descent.lowest, np.minimum.reduceat(bounds, edges[:-1], axis=1))
    for column, group in enumerate(index._enclosures.group_of):
        ceiling = index._ceiling(asked, distance[:, column])
        assert (asked.excursions[:, group] <= ceiling).all()


def test_bounds_by_warping_are_near_the_distance(rng):
    measure = measures.load("dtw", precision="double")
    library, queries = (measure.prepare(lines(n, rng), ENERGY) for n in (200, 30))
    queries = measure.prepare(queries + 0.05 * rng.normal(size=queries.shape), ENERGY)
    index = search.build(measure, library, ENERGY)
    distance = measure.pairwise(queries, library, ENERGY)
    limits = np.full((30, len(index._enclosures.low)), distance.min(axis=1).max())
    every = np.ones_like(limits, dtype=bool)
    descent = Descent(index._enclosures, queries, limits, every, index._whole[0])
    descent.further(limits, OTHERS)
    bounds = descent.bounds
    near = distance <= limits[:, :1]
    assert (bounds[near] > 0.99 * distance[near]).all()


def test_a_limit_at_the_distance_gives_nothing_up(warping):
    measure, library, queries = warping
    index = search.build(measure, library, ENERGY)
    asked = index._ask(queries)
    distance = measure.pairwise(queries, library, ENERGY)
    for column in range(0, 90, 7):
        single = np.arange(len(queries) + 1), np.full(len(queries), column)
        found = index._distances(asked, *single, distance[:, column] * (1 + 1e-12))
        np.testing.assert_allclose(found, distance[:, column], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("count", [1, 3, 17, 65, 130])
def test_libraries_that_fill_no_family(count, rng):
    measure = measures.load("dtw", precision="double")
    library, queries = (measure.prepare(lines(n, rng), ENERGY) for n in (count, 30))
    index = search.build(measure, library, ENERGY, groups=np.arange(count) % 3)
    distance = measure.pairwise(queries, library, ENERGY)
    found, rows = index.nearest(queries, min(count, 3))
    expected = np.argsort(distance, axis=1, kind="stable")[:, : rows.shape[1]]
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(found, np.take_along_axis(distance, expected, axis=1))
    for group in index.groups:
        own = np.flatnonzero(np.arange(count) % 3 == group)
        rows = index.nearest_in_groups(queries)[1][:, group, 0]
        np.testing.assert_array_equal(rows, own[distance[:, own].argmin(axis=1)])


def test_spectra_that_are_alike_stand_together():
    """Fours of near copies are found whatever their order, and no spectrum is lost."""
    random = np.random.default_rng(4)
    shapes = np.repeat(random.random((150, 40)), FOUR, axis=0)
    library = shapes + 1e-3 * random.random(shapes.shape)
    order = random.permutation(len(library))
    columns = Enclosures(library[order], library[order], 3).columns
    assert set(columns) == set(range(len(library)))
    fours = order[columns[: len(library)]].reshape(-1, FOUR) // FOUR
    assert np.mean(fours == fours[:, :1]) > 0.98


def test_partners_change_where_pairs_get_narrower():
    """The narrowest pair, of 1.0 and 1.9, would leave the ends to each other."""
    values = np.array([[1.9], [0.0], [3.1], [1.0]])
    widths = _widths(values, values)
    np.testing.assert_allclose(widths, np.abs(values - values.T))
    pairs = _paired(widths, np.argsort(widths, axis=None))
    assert {frozenset(pair) for pair in pairs.tolist()} == {frozenset({1, 3}), frozenset({0, 2})}
