"""Picks pairs of queries and library spectra by their scores; serial kernels that hold no lock.

Scores have shape (n, m): n queries, m columns of an index. Columns are parted into blocks
(`blocks`), whose least scores tell which need a look, and ranges are made of blocks: that of
number r of those in ``order[before[r]:before[r + 1]]``. A segment is one query in one range, the
number of which is in ``part``, or in none where it is -1; each query has as many segments as any
other, and they are in the order of the queries. Pairs are stored as a ragged array: those of
segment s are ``columns[starts[s]:starts[s + 1]]``.
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
        row, own = scores[query], result[query]
        for block in range(len(own)):
            # Without a sign an index needs no look whether it counts from the end.
            first, last = np.uint64(block_edges[block]), np.uint64(block_edges[block + 1])
            lowest = row[first]
            for column in range(first + np.uint64(1), last):
                lowest = min(lowest, row[column])
            own[block] = lowest
    return result


@njit(cache=True, nogil=True)
def least(scores, lowest, block_edges, before, order, part, count):
    """Pairs of the ``count`` least scores of every segment, or all where it has fewer."""
    ranges = len(part) // max(len(scores), 1)
    starts = np.zeros(len(part) + 1, np.int64)
    columns = np.empty(len(part) * count, np.int64)
    score = np.empty(count, scores.dtype)
    at = 0
    for query in range(len(scores)):
        # A slice costs as much as a few blocks, so none is taken for a segment.
        row, low = scores[query], lowest[query]
        for segment in range(query * ranges, (query + 1) * ranges):
            number = part[segment]
            if number >= 0 and count == 1:
                first, last = before[number], before[number + 1]
                columns[at] = _lowest(row, low, block_edges, order, first, last)
                at += 1
            elif number >= 0:
                blocks = order[before[number] : before[number + 1]]
                place = columns[at : at + count]
                at += _lowest_of_all(row, low, block_edges, blocks, score, place)
            starts[segment + 1] = at
    return starts, columns[:at]


@njit(cache=True, nogil=True)
def _lowest(row, low, block_edges, order, first, last):
    """The column of the least score of blocks ``order[first:last]``, whose least are ``low``."""
    best = order[first]
    value = low[best]
    for place in range(first + 1, last):
        block = order[place]
        if low[block] < value:
            best, value = block, low[block]
    for column in range(block_edges[best], block_edges[best + 1]):
        if row[column] == value:
            return column
    return block_edges[best]


@njit(cache=True, nogil=True)
def _lowest_of_all(row, low, block_edges, blocks, score, place):
    """Fill ``place`` with the columns of the least scores of some blocks; how many there are."""
    size = 0
    for block in blocks:
        size += block_edges[block + 1] - block_edges[block]
    size = min(size, len(place))
    score, place = score[:size], place[:size]
    # Every block has a score as low as its least, so these are at least as high.
    score[:] = np.inf
    for block in blocks:
        if low[block] < score[-1]:
            _insert(score, place, low[block], 0)
    enough = score[-1]
    score[:] = np.inf
    place[:] = block_edges[blocks[0]]
    for block in blocks:
        if low[block] <= enough:
            for column in range(block_edges[block], block_edges[block + 1]):
                if row[column] < score[-1]:
                    _insert(score, place, row[column], column)
    return size


@njit(cache=True, nogil=True)
def _insert(score, place, value, column):
    """Put a column into a list that is sorted by score; the last one drops out."""
    at = len(place) - 1
    while at > 0 and score[at - 1] > value:
        score[at], place[at] = score[at - 1], place[at - 1]
        at -= 1
    score[at], place[at] = value, column


@njit(cache=True, nogil=True)
def survivors(scores, lowest, block_edges, before, order, part, ceiling, met, known):
    """Pairs whose score is at most the ceiling of their segment, shape (segments,).

    Not those that are met already, the ragged array ``met`` and ``known`` of the same segments.
    """
    ranges = len(part) // max(len(scores), 1)
    starts = np.zeros(len(part) + 1, np.int64)
    columns = np.empty(1024, np.int64)
    promising = np.empty(len(block_edges), np.int64)
    at = 0
    for query in range(len(scores)):
        row, low = scores[query], lowest[query]
        for segment in range(query * ranges, (query + 1) * ranges):
            number, limit = part[segment], ceiling[segment]
            if number >= 0:
                # Neither loop has a branch, which would be foreseen wrong as often as not.
                count, first = 0, at
                for place in range(before[number], before[number + 1]):
                    promising[count] = order[place]
                    count += low[order[place]] <= limit
                while at + count * BLOCK > len(columns):
                    columns = np.concatenate((columns, np.empty_like(columns)))
                for place in range(count):
                    block = promising[place]
                    for column in range(block_edges[block], block_edges[block + 1]):
                        columns[at] = column
                        at += row[column] <= limit
                at = _without(columns, first, at, known, met[segment], met[segment + 1])
            starts[segment + 1] = at
    return starts, columns[:at]


@njit(cache=True, nogil=True)
def _without(columns, first, last, known, begin, end):
    """Close up ``columns[first:last]`` without those in ``known[begin:end]``; the new end."""
    for place in range(begin, end):
        for at in range(first, last):
            if columns[at] == known[place]:
                columns[at] = columns[last - 1]
                last -= 1
                break
    return last


@njit(cache=True, nogil=True)
def least_of_pairs(starts, columns, scores, ceiling, count):
    """The pairs of the ``count`` least scores of every segment that are at most its ceiling.

    They are taken: their ``scores`` become infinite.
    """
    chosen = np.zeros(len(starts), np.int64)
    result = np.empty((len(starts) - 1) * count, np.int64)
    score = np.empty(count, scores.dtype)
    at = 0
    for segment in range(len(starts) - 1):
        place = result[at : at + count]
        size = 0
        for pair in range(starts[segment], starts[segment + 1]):
            if scores[pair] <= ceiling[segment]:
                if size < count:
                    size += 1
                    score[size - 1] = np.inf
                if scores[pair] < score[size - 1]:
                    _insert(score[:size], place[:size], scores[pair], pair)
        at += size
        chosen[segment + 1] = at
    for number in range(at):
        scores[result[number]] = np.inf
        result[number] = columns[result[number]]
    return chosen, result[:at]


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


def joined(starts, columns, more_starts, more_columns):
    """The pairs of two ragged arrays of the same segments."""
    sizes = np.diff(starts), np.diff(more_starts)
    segments = np.concatenate([np.repeat(np.arange(len(part)), part) for part in sizes])
    order = np.argsort(segments, kind="stable")
    return starts + more_starts, np.concatenate([columns, more_columns])[order]


def none(segments, count):
    """``best`` and ``rows`` of `keep` before any pair was compared: infinite, and -1."""
    return np.full((segments, count), np.inf), np.full((segments, count), -1)


@njit(cache=True, nogil=True)
def keep(starts, columns, distances, row_of, best, rows):
    """Put pairs among the nearest of every segment; among equals the lowest row comes first.

    ``best`` and ``rows`` (segments, count) are their distances, ascending, and rows.
    """
    count = best.shape[1]
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
