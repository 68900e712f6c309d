"""Lower bounds of the search against distances, for queries unlike any library spectrum."""

from __future__ import annotations

import numpy as np
import pytest

from whiteline import measures, search

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


@pytest.mark.parametrize("kind", ["jensen_shannon", "chi_square", "dtw"])
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
        assert (asked.scores[:, column] <= index._ceiling(asked, distance[:, column])).all()
        assert (fine[:, column] <= index._fine_ceiling(asked, distance[:, column])).all()
    # A limit at the distance itself gives nothing up that lies there.
    for column in range(0, 90, 7):
        single = np.arange(25), np.full(24, column)
        found = index._distances(asked, *single, distance[:, column] * (1 + 1e-12))
        np.testing.assert_allclose(found, distance[:, column], rtol=1e-9, atol=1e-12)


def test_pairs_out_of_order_get_their_bound_too(rng):
    """The search by time warping goes through its library in stretches."""
    measure = measures.load("dtw", precision="double")
    library, queries = (measure.prepare(lines(n, rng), ENERGY) for n in (400, 3))
    index = search.build(measure, library, ENERGY)
    asked = index._ask(queries)
    starts, columns = np.arange(4) * 400, np.tile(np.arange(400), 3)
    order = np.concatenate([400 * n + rng.permutation(400) for n in range(3)])
    fine = index._fine(asked, starts, columns)
    np.testing.assert_array_equal(index._fine(asked, starts, columns[order]), fine[order])
