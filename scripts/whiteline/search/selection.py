"""Picks pairs of queries and library spectra by their scores; serial kernels that hold no lock.

Scores have shape (n, m): n queries, m columns of an index. Columns are parted into blocks
(`blocks`), whose least scores tell which need a look, and g ranges are made of blocks: that of
number r of those in ``order[before[r]:before[r + 1]]``. A segment is
one query in one range; there are n g of them, query by query. Pairs are stored as a ragged array:
those of segment s are ``columns[starts[s]:starts[s + 1]]``.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numba import njit

# Columns in a block.
BLOCK = 64


def blocks(edges):
    """First columns of blocks that fill consecutive ranges, and the end; number of blocks before
    each range, and of all; and the blocks of the ranges, which are all in order.
    """
    parts = [np.arange(first, last, BLOCK) for first, last in pairwise(edges)]
    before = np.cumsum([0, *map(len, parts)])
    return np.append(np.concatenate(parts), edges[-1]), before, np.arange(before[-1])


def ranges_of(label, edges):
    """``before`` and ``order`` of ranges that are the blocks of one label each, ascending.

    Blocks are those of consecutive parts, whose ``before`` is ``edges``; ``label`` is that of each
    part.
    """
    of_block = np.repeat(label, np.diff(edges))
    _, sizes = np.unique(of_block, return_counts=True)
    return np.cumsum([0, *sizes]), np.argsort(of_block, kind="stable")


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def minima(scores, block_edges):
    """The least score of each block, shape (n, blocks)."""
    result = np.empty((len(scores), len(block_edges) - 1), scores.dtype)
    for query in range(len(scores)):
        row = scores[query]
        for block in range(len(block_edges) - 1):
            part = row[block_edges[block] : block_edges[block + 1]]
            lowest = part[0]
            for column in range(1, len(part)):
                lowest = min(lowest, part[column])
            result[query, block] = lowest
    return result


@njit(cache=True, nogil=True)
def least(scores, lowest, block_edges, before, order, count, wanted):
    """Pairs of the ``count`` least scores of every wanted segment, or all where it has fewer."""
    ranges = len(before) - 1
    starts = np.zeros(len(scores) * ranges + 1, np.int64)
    for segment in range(len(starts) - 1):
        part = segment % ranges
        size = 0
        for place in range(before[part], before[part + 1]):
            size += block_edges[order[place] + 1] - block_edges[order[place]]
        starts[segment + 1] = starts[segment] + (min(count, size) if wanted[segment] else 0)
    columns = np.empty(starts[-1], np.int64)
    score = np.empty(count, scores.dtype)
    for segment in range(len(starts) - 1):
        if not wanted[segment]:
            continue
        query, part = segment // ranges, segment % ranges
        place = columns[starts[segment] : starts[segment + 1]]
        score[:] = np.inf
        place[:] = block_edges[order[before[part]]]
        if len(place) == 1:
            place[0] = _lowest(
                scores[query], lowest[query], block_edges, order[before[part] : before[part + 1]]
            )
            continue
        # Every block has a score as low as its least, so these are at least as high.
        for block in order[before[part] : before[part + 1]]:
            if lowest[query, block] < score[len(place) - 1]:
                _insert(score, place, lowest[query, block], 0)
        enough = score[len(place) - 1]
        score[:] = np.inf
        for block in order[before[part] : before[part + 1]]:
            if lowest[query, block] <= enough:
                for column in range(block_edges[block], block_edges[block + 1]):
                    if scores[query, column] < score[len(place) - 1]:
                        _insert(score, place, scores[query, column], column)
    return starts, columns


@njit(cache=True, nogil=True)
def _lowest(score, lowest, block_edges, blocks):
    """The column of the least score of some blocks, whose least are ``lowest``."""
    best = blocks[0]
    for block in blocks:
        if lowest[block] < lowest[best]:
            best = block
    for column in range(block_edges[best], block_edges[best + 1]):
        if score[column] == lowest[best]:
            return column
    return block_edges[best]


@njit(cache=True, nogil=True)
def _insert(score, place, value, column):
    """Put a column into a list that is sorted by score; the last one drops out."""
    at = len(place) - 1
    while at > 0 and score[at - 1] > value:
        score[at], place[at] = score[at - 1], place[at - 1]
        at -= 1
    score[at], place[at] = value, column


@njit(cache=True, nogil=True)
def survivors(scores, lowest, block_edges, before, order, ceiling):
    """Pairs whose score is at most the ceiling of their segment, shape (segments,)."""
    ranges = len(before) - 1
    starts = np.zeros(len(ceiling) + 1, np.int64)
    columns = np.empty(1024, np.int64)
    at = 0
    for segment in range(len(ceiling)):
        query, part, limit = segment // ranges, segment % ranges, ceiling[segment]
        # A segment that is not wanted has no ceiling.
        if limit == -np.inf:
            starts[segment + 1] = at
            continue
        for block in order[before[part] : before[part + 1]]:
            if lowest[query, block] <= limit:
                if at + BLOCK > len(columns):
                    columns = np.concatenate((columns, np.empty_like(columns)))
                for column in range(block_edges[block], block_edges[block + 1]):
                    columns[at] = column
                    at += scores[query, column] <= limit
        starts[segment + 1] = at
    return starts, columns[:at]


@njit(cache=True, nogil=True)
def least_of_pairs(starts, columns, scores, count):
    """The pairs of the ``count`` least scores of every segment, from pairs with their scores."""
    chosen = np.zeros(len(starts), np.int64)
    for segment in range(len(starts) - 1):
        size = min(count, starts[segment + 1] - starts[segment])
        chosen[segment + 1] = chosen[segment] + size
    result = np.empty(chosen[-1], np.int64)
    score = np.empty(count, scores.dtype)
    for segment in range(len(starts) - 1):
        place = result[chosen[segment] : chosen[segment + 1]]
        score[:] = np.inf
        if len(place):
            place[:] = columns[starts[segment]]
        for pair in range(starts[segment], starts[segment + 1]):
            if scores[pair] < score[len(place) - 1]:
                _insert(score, place, scores[pair], columns[pair])
    return chosen, result


@njit(cache=True, nogil=True)
def pairs_below(starts, columns, scores, ceiling):
    """The pairs whose score is at most the ceiling of their segment."""
    kept = np.zeros(len(starts), np.int64)
    result = np.empty(len(columns), np.int64)
    at = 0
    for segment in range(len(starts) - 1):
        for pair in range(starts[segment], starts[segment + 1]):
            if scores[pair] <= ceiling[segment]:
                result[at] = columns[pair]
                at += 1
        kept[segment + 1] = at
    return kept, result[:at]


@njit(cache=True, nogil=True)
def kth(starts, distances, count):
    """The ``count``-th least distance of every segment, infinite where there are fewer pairs."""
    result = np.full(len(starts) - 1, np.inf)
    best = np.empty(count)
    for segment in range(len(result)):
        best[:] = np.inf
        for pair in range(starts[segment], starts[segment + 1]):
            at = count - 1
            if distances[pair] < best[at]:
                while at > 0 and best[at - 1] > distances[pair]:
                    best[at] = best[at - 1]
                    at -= 1
                best[at] = distances[pair]
        result[segment] = best[count - 1]
    return result


@njit(cache=True, nogil=True)
def nearest(starts, columns, distances, row_of, count):
    """Distances and rows of the ``count`` nearest of every segment; among equals the lowest row.

    Where there are fewer, the distance is infinite and the row -1.
    """
    best = np.full((len(starts) - 1, count), np.inf)
    rows = np.full((len(starts) - 1, count), -1, np.int64)
    for segment in range(len(best)):
        for pair in range(starts[segment], starts[segment + 1]):
            distance, row = distances[pair], row_of[columns[pair]]
            at = count
            while at > 0 and (
                distance < best[segment, at - 1]
                or (distance == best[segment, at - 1] and row < rows[segment, at - 1])
            ):
                at -= 1
            if at < count:
                for lower in range(count - 1, at, -1):
                    best[segment, lower] = best[segment, lower - 1]
                    rows[segment, lower] = rows[segment, lower - 1]
                best[segment, at], rows[segment, at] = distance, row
    return best, rows
