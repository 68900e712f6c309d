"""The kernels of the search against what they say, by plain NumPy."""

import numpy as np
import pytest

from whiteline.search import selection

QUERIES = 5
# Ranges of consecutive columns, some of several blocks.
EDGES = [0, 1, 70, 90, 230, 236]


@pytest.fixture
def scores(rng):
    return rng.normal(size=(QUERIES, EDGES[-1])).astype(np.float32)


@pytest.fixture
def blocks():
    return selection.blocks(EDGES)


def columns_of(blocks, number):
    edges, before, order = blocks
    chosen = order[before[number] : before[number + 1]]
    return np.concatenate([np.arange(edges[b], edges[b + 1]) for b in chosen])


def ragged(starts, columns):
    return np.split(columns, starts[1:-1])


def parts(rng, segments):
    """Numbers of ranges, -1 among them."""
    return rng.integers(-1, len(EDGES) - 1, QUERIES * segments)


def test_minima_of_blocks(scores, blocks):
    found = selection.minima(scores, blocks[0])
    expected = np.minimum.reduceat(scores, blocks[0][:-1], axis=1)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", [1, 3, 50])
@pytest.mark.parametrize("label", [[0, 1, 2, 3, 4], [0, 1, 0, 1, 0]])
def test_least_of_segments(scores, blocks, rng, count, label):
    """Ranges of blocks in order, and of blocks here and there."""
    edges, before, _ = blocks
    ranges = edges, *selection.ranges_of(np.array(label), before)
    part = parts(rng, 3) % (max(label) + 2) - 1
    lowest = selection.minima(scores, edges)
    found = ragged(*selection.least(scores, lowest, *ranges, part, count))
    for segment, number in enumerate(part):
        if number < 0:
            assert not len(found[segment])
            continue
        columns, row = columns_of(ranges, number), scores[segment // 3]
        expected = columns[np.argsort(row[columns])][:count]
        np.testing.assert_array_equal(found[segment], expected)


def test_survivors_are_all_below_the_ceiling_but_those_met(scores, blocks, rng):
    part = parts(rng, 2)
    lowest = selection.minima(scores, blocks[0])
    ceiling = rng.normal(size=len(part)).astype(np.float32)
    met = selection.least(scores, lowest, *blocks, part, 2)
    found = selection.survivors(scores, lowest, *blocks, part, ceiling, *met)
    for segment, (columns, known) in enumerate(zip(ragged(*found), ragged(*met), strict=True)):
        if part[segment] < 0:
            assert not len(columns)
            continue
        every = columns_of(blocks, part[segment])
        below = every[scores[segment // 2, every] <= ceiling[segment]]
        np.testing.assert_array_equal(np.sort(columns), np.setdiff1d(below, known))


def test_more_survivors_than_fit_at_first(rng):
    scores = np.zeros((30, 200), np.float32)
    ranges = selection.blocks([0, 200])
    part, nothing = np.zeros(30, int), (np.zeros(31, int), np.zeros(0, int))
    lowest = selection.minima(scores, ranges[0])
    starts, columns = selection.survivors(
        scores, lowest, *ranges, part, np.ones(30, np.float32), *nothing
    )
    np.testing.assert_array_equal(starts, 200 * np.arange(31))
    np.testing.assert_array_equal(columns, np.tile(np.arange(200), 30))


def test_least_of_pairs_are_taken(rng):
    starts, columns = np.array([0, 4, 4, 6, 7]), np.arange(7) * 10
    scores = np.array([3, 1, 2, 9, 5, 4, 8], np.float32)
    ceiling = np.array([8, 8, 8, 7], np.float32)
    found = selection.least_of_pairs(starts, columns, scores, ceiling, 2)
    assert [list(part) for part in ragged(*found)] == [[10, 20], [], [50, 40], []]
    np.testing.assert_array_equal(scores, [3, np.inf, np.inf, 9, np.inf, np.inf, 8])


def test_the_nearest_are_kept_over_several_rounds():
    """Among equals the lowest row, whenever it comes."""
    best, rows = selection.none(2, 2)
    row_of = np.array([7, 3, 5, 1])
    starts = np.array([0, 2, 2])
    selection.keep(starts, np.array([0, 2]), np.array([1.0, 0.5]), row_of, best, rows)
    assert rows.tolist() == [[5, 7], [-1, -1]]
    starts = np.array([0, 2, 3])
    selection.keep(starts, np.array([1, 3, 3]), np.array([1.0, 2.0, 4.0]), row_of, best, rows)
    assert rows.tolist() == [[5, 3], [1, -1]]
    assert best.tolist() == [[0.5, 1.0], [4.0, np.inf]]


def test_joined_segments():
    starts, columns = selection.joined(
        np.array([0, 2, 2, 3]), np.array([4, 5, 6]), np.array([0, 1, 2, 2]), np.array([7, 8])
    )
    np.testing.assert_array_equal(starts, [0, 3, 4, 5])
    np.testing.assert_array_equal(columns, [4, 5, 7, 8, 6])
