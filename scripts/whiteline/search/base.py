"""The search that all families of bounds share: filter by lower bounds, then compare in full."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from whiteline.errors import InputError
from whiteline.measures import BoundMeasure
from whiteline.search import selection
from whiteline.search.around import Around, Axis

# Queries in one task, and scores in memory for each: a chunk that stays in cache.
CHUNK = 256
SCORES = 4_000_000
# Unit roundoff of float32 and float64.
U32, U64 = 2.0**-24, 2.0**-53
# Library spectra on which an index compares its own distances with the measure's when it is built.
CHECKED = 8
# How well squares of distances must agree: part of the greatest, and roundings of a squared norm.
AGREEMENT, ROUNDINGS = 1e-4, 20

# Numbers of queries, ascending, distances and rows of the library, each (pairs,).
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


class Index(ABC):
    """A library, ready to be searched for the nearest spectra under one measure.

    Every family of bounds gives each pair of query and library spectrum a score from few numbers,
    and tells how high the score of a pair at a given distance can be at most (`_ceiling`). The
    distance of the most promising pairs bounds that of the nearest from above; pairs whose score
    is too high for it can't be nearer, and all others are compared in full, in float64. A second,
    finer score may thin them out before.

    A ceiling includes the rounding of scores and distances, so the answer is the one that a
    comparison with the whole library by the same float64 formula would give, not only in exact
    arithmetic. The family's module says how large that margin is and why.

    Attributes
    ----------
    groups
        The labels of the groups, sorted, shape (g,); None without.
    queried, compared
        Queries asked so far, and pairs whose distance was computed in full for them.
    """

    def __init__(
        self,
        measure: BoundMeasure,
        library: np.ndarray,
        energy: np.ndarray,
        groups: np.ndarray | None,
        threads: int,
    ) -> None:
        self.measure, self.energy, self.threads = measure, energy, threads
        self.shape = library.shape
        self.groups, self._row_of, self._edges = _parted(len(library), groups)
        self._whole = selection.blocks([0, len(library)])
        self._parts = selection.blocks(self._edges)
        self.queried = self.compared = 0
        self._fit(library[self._row_of])
        self._check(library)

    def nearest(self, queries: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest library spectra of every query.

        Parameters
        ----------
        queries
            n spectra, prepared by the measure.
        k
            How many, at most as many as the library has.

        Returns
        -------
        distances
            Ascending, float64, shape (n, k).
        rows
            Rows of the library, shape (n, k); among equal distances the lowest come first.

        Raises
        ------
        InputError
            If k is out of range, or the queries were not prepared as the library was.
        """
        if not 1 <= k <= self.shape[0]:
            raise InputError(
                f"the {k} nearest spectra were asked for; it must be 1 to {self.shape[0]}, "
                "the size of the library"
            )
        distances, rows = self._nearest(queries, k, self._whole)
        return distances[:, 0], rows[:, 0]

    def nearest_in_groups(self, queries: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest library spectra of every query in each group.

        Parameters
        ----------
        queries
            n spectra, prepared by the measure.
        k
            How many of each group.

        Returns
        -------
        distances, rows
            As from `nearest`, shape (n, g, k), groups in the order of ``groups``. Where a group
            has fewer than k spectra, the distance is infinite and the row -1.

        Raises
        ------
        InputError
            If the index has no groups, k is below 1, or the queries were not prepared as the
            library was.
        """
        if self.groups is None:
            raise InputError("this index has no groups; give build the label of each spectrum")
        if k < 1:
            raise InputError(f"the {k} nearest spectra were asked for; it must be 1 or more")
        return self._nearest(queries, k, self._parts)

    def nearest_around(
        self, queries: np.ndarray, axes: Sequence[Axis]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """The nearest library spectra of every query in unions of groups, around the nearest.

        Parameters
        ----------
        queries
            n spectra, prepared by the measure.
        axes
            Several ways to unite groups; all share the parents.

        Returns
        -------
        list of distances and rows
            For each axis, of shape (n, unions); infinite and -1 where a union was not looked at.

        Raises
        ------
        InputError
            If the index has no groups, or the queries were not prepared as the library was.
        """
        return self.around(queries, axes, None)[0]

    def around(
        self, queries: np.ndarray, axes: Sequence[Axis], factor: float | None
    ) -> tuple[list[tuple[np.ndarray, np.ndarray]], Pairs]:
        """What `nearest_around` finds, and from the same scores all pairs whose distance is within
        ``factor`` times the least of the query; no pairs without a factor.
        """
        if self.groups is None:
            raise InputError("this index has no groups; give build the label of each spectrum")
        places = Around(axes, *self._parts[:2], self._row_of)

        def task(chunk: np.ndarray) -> tuple[Any, int]:
            asked = self._ask(chunk)
            lowest = asked.lowest(places.ranges, 1)
            parents = np.tile(places.parents, len(chunk))
            nearest, compared = self._found(asked, lowest, places.ranges, 1, parents)
            distance, rows = (part.reshape(len(chunk), -1) for part in nearest)
            around = places.around(rows)
            others, more = self._found(asked, lowest, places.ranges, 1, around.ravel())
            others = (part.reshape(around.shape) for part in others)
            pairs, most = _no_pairs(), 0
            if factor is not None:
                radius = factor * distance.min(1)
                pairs, most = self._within(asked, lowest, places.whole, radius)
            return ((distance, rows, around, *others), pairs), compared + more + most

        parts = list(self._run(queries, places.ranges, task))
        if not parts:
            return [selection.none(0, len(axis.parent)) for axis in axes], _no_pairs()
        found, pairs = zip(*parts, strict=True)
        sizes = [len(part[0]) for part in found]
        laid_out = places.laid_out(*map(np.concatenate, zip(*found, strict=True)))
        return laid_out, _joined_pairs(sizes, pairs)

    def within(
        self, queries: np.ndarray, radius: float | np.ndarray
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """All library spectra no further than ``radius`` from each query.

        Parameters
        ----------
        queries
            n spectra, prepared by the measure.
        radius
            In the measure's units, zero or more; one for all queries or one for each, (n,).

        Returns
        -------
        distances, rows
            For each query its distances, ascending, and rows of the library, the lowest first
            among equals.

        Raises
        ------
        InputError
            If the radius is negative or not a number, or the queries were not prepared as the
            library was.
        """
        radii = np.broadcast_to(np.asarray(radius, dtype=float), len(queries))
        if not (radii >= 0).all():
            raise InputError(f"radius is {radii.min()}; it must be zero or more")

        def task(chunk: np.ndarray, most: np.ndarray) -> tuple[Any, int]:
            asked = self._ask(chunk)
            lowest = asked.lowest(self._whole, 0)
            pairs, compared = self._within(asked, lowest, self._whole, most)
            return (len(chunk), pairs), compared

        parts = list(self._run(queries, self._whole, task, radii))
        if not parts:
            return [], []
        query, distance, row = _joined_pairs(*zip(*parts, strict=True))
        order = np.lexsort((row, distance, query))
        ends = np.cumsum(np.bincount(query, minlength=len(queries)))[:-1]
        distances, rows = (np.split(values[order], ends) for values in (distance, row))
        return distances, rows

    def _within(
        self,
        asked: Asked,
        lowest: np.ndarray,
        whole: tuple[np.ndarray, ...],
        most: np.ndarray,
    ) -> tuple[Pairs, int]:
        """Pairs no further than ``most`` (n,) of each query, by blocks of the ``whole`` library,
        and how many were compared.
        """
        every = np.zeros(len(most), dtype=np.int64)
        nothing = np.zeros(len(most) + 1, dtype=np.int64), every[:0]
        starts, columns, fine = self._survivors(asked, lowest, whole, every, most, nothing)
        if fine is not None:
            ceiling = self._fine_ceiling(asked, most)
            starts, columns = selection.pairs_below(starts, columns, fine, ceiling)
        distance = self._distances(asked, starts, columns, most)
        near = distance <= np.repeat(most, np.diff(starts))
        query = np.repeat(np.arange(len(most)), np.diff(starts))
        return (query[near], distance[near], self._row_of[columns[near]]), len(columns)

    def _nearest(
        self, queries: np.ndarray, k: int, blocks: tuple[np.ndarray, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        def task(chunk: np.ndarray) -> tuple[Any, int]:
            asked = self._ask(chunk)
            lowest = asked.lowest(blocks, k)
            every = np.tile(np.arange(len(blocks[1]) - 1), len(chunk))
            return self._found(asked, lowest, blocks, k, every)

        shape = (len(queries), len(blocks[1]) - 1, k)
        return _joined(list(self._run(queries, blocks, task)), shape)

    def _found(
        self,
        asked: Asked,
        lowest: np.ndarray,
        blocks: tuple[np.ndarray, ...],
        k: int,
        part: np.ndarray,
    ) -> tuple[tuple[np.ndarray, np.ndarray], int]:
        """Distances and rows of the k nearest of every segment, each (segments, k), and the number
        of pairs compared for them. ``part`` (segments,) is as in `selection`.
        """
        best, rows = selection.none(len(part), k)
        compared = 0
        for starts, columns in self._promising(asked, lowest, blocks, k, part, best[:, -1]):
            distance = self._distances(asked, starts, columns, best[:, -1].copy())
            selection.keep(starts, columns, distance, self._row_of, best, rows)
            compared += len(columns)
        return (best, rows), compared

    def _promising(
        self,
        asked: Asked,
        lowest: np.ndarray,
        blocks: tuple[np.ndarray, ...],
        k: int,
        part: np.ndarray,
        limit: np.ndarray,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs to be compared, in turn, none twice. ``limit`` (segments,), the distance of the
        k-th nearest of each segment, falls meanwhile.
        """
        met = asked.least(lowest, blocks, part, k)
        yield met
        starts, columns, fine = self._survivors(asked, lowest, blocks, part, limit, met)
        if fine is not None:
            ceiling = self._fine_ceiling(asked, limit)
            yield selection.least_of_pairs(starts, columns, fine, ceiling, k)
            ceiling = self._fine_ceiling(asked, limit)
            starts, columns = selection.pairs_below(starts, columns, fine, ceiling)
        yield starts, columns

    def _survivors(
        self,
        asked: Asked,
        lowest: np.ndarray,
        blocks: tuple[np.ndarray, ...],
        part: np.ndarray,
        limit: np.ndarray,
        met: tuple[np.ndarray, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Pairs that may be as near as ``limit`` (segments,) by their scores, beside those met,
        and their finer scores.
        """
        ceiling = self._ceiling(asked, limit)
        pairs = selection.survivors(asked.scores, lowest, *blocks, part, ceiling, *met)
        return *pairs, self._fine(asked, *pairs)

    def _run(
        self,
        queries: np.ndarray,
        blocks: tuple[np.ndarray, ...],
        task: Callable[..., tuple[Any, int]],
        *others: np.ndarray,
    ) -> Iterator[Any]:
        """What the task finds in blocks for each chunk of queries and of what goes with them, in
        order.
        """
        queries = np.asarray(queries)
        if queries.ndim != len(self.shape) or queries.shape[1:] != self.shape[1:]:
            raise InputError(
                f"queries of shape {queries.shape} and library spectra of shape {self.shape} were "
                f"not prepared alike by {self.measure.kind}"
            )
        if not np.isfinite(queries).all():
            raise InputError("a query has values that are not finite")
        ends = self._ends(len(queries), self._chunk(blocks))
        chunks = [[rows[a:b] for a, b in pairwise(ends)] for rows in (queries, *others)]
        with _controller().limit(limits=1, user_api="blas"):
            if self.threads == 1 or len(ends) < 3:
                results = list(map(task, *chunks))
            else:
                with ThreadPoolExecutor(self.threads) as pool:
                    results = list(pool.map(task, *chunks))
        self.queried += len(queries)
        self.compared += sum(compared for _, compared in results)
        return (found for found, _ in results)

    def _chunk(self, blocks: tuple[np.ndarray, ...]) -> int:
        """Most queries in one task that asks for blocks."""
        return max(1, min(CHUNK, SCORES // self.shape[0]))

    def _ends(self, count: int, most: int) -> np.ndarray:
        """Where chunks of queries begin, and the end: alike in size, as many for every thread."""
        parts = -(-count // most)
        if parts > 1:
            parts = min(parts + -parts % self.threads, count)
        return np.linspace(0, count, parts + 1).astype(int)

    def _check(self, library: np.ndarray) -> None:
        """Refuse a measure whose distances aren't those of this index."""
        rows = np.unique(np.linspace(0, len(library) - 1, CHECKED).astype(int))
        some = library[rows]
        expected = self.measure.pairwise(some, some, self.energy)
        asked = self._ask(some)
        column_of = np.argsort(self._row_of)[rows]
        starts = np.arange(len(rows) + 1) * len(rows)
        unlimited = np.full(len(rows), np.inf)
        own = self._distances(asked, starts, np.tile(column_of, len(rows)), unlimited)
        gap = np.abs(own.reshape(expected.shape) ** 2 - expected**2)
        size = np.square(some.reshape(len(some), -1), dtype=float).sum(axis=1).max()
        rounding = ROUNDINGS * np.finfo(expected.dtype).eps * max(size, 1)
        if (gap > AGREEMENT * expected.max() ** 2 + rounding).any():
            raise InputError(
                f"{self.measure.kind}: the index computes other distances than the measure does"
            )

    @abstractmethod
    def _fit(self, library: np.ndarray) -> None:
        """Learn the library's spectra, which are in the order of the index's columns.

        Columns may change places within groups, between ``_edges``, if ``_row_of`` does so too.
        """

    @abstractmethod
    def _ask(self, queries: np.ndarray) -> Asked:
        """The scores of prepared queries, shape (n, m), and what the other steps need of them."""

    @abstractmethod
    def _ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        """Highest score of a pair no further than the distance of its segment (segments,)."""

    @abstractmethod
    def _distances(
        self, asked: Asked, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        """Distances of pairs, float64; any value above the limit may stand for a greater one."""

    def _fine(self, asked: Asked, starts: np.ndarray, columns: np.ndarray) -> np.ndarray | None:
        """Finer scores of pairs, where there are such."""
        return None

    def _fine_ceiling(self, asked: Asked, distance: np.ndarray) -> np.ndarray:
        """Highest finer score of a pair no further than the distance of its segment."""
        raise NotImplementedError


class Asked:
    """Queries of one chunk: ``scores`` (n, m) float32, and whatever its family keeps."""

    def __init__(self, scores: np.ndarray, **kept: Any) -> None:
        self.scores = scores
        self.__dict__.update(kept)

    def lowest(self, blocks: tuple[np.ndarray, ...], count: int) -> np.ndarray:
        """The least scores of blocks, (n, blocks); ``count`` are then asked of `least`."""
        return selection.minima(self.scores, blocks[0])

    def least(
        self, lowest: np.ndarray, blocks: tuple[np.ndarray, ...], part: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of the ``count`` least scores of every segment, or all where it has fewer."""
        return selection.least(self.scores, lowest, *blocks, part, count)

    def spread(self, values: np.ndarray, segments: np.ndarray) -> np.ndarray:
        """A value per query, repeated for each of its segments."""
        return np.repeat(values, len(segments) // len(values))


def _joined(parts: list, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Distances and rows of all chunks of queries, in one array each."""
    if not parts:
        return np.empty(shape), np.empty(shape, dtype=np.int64)
    distances, rows = (np.concatenate(part).reshape(shape) for part in zip(*parts, strict=True))
    return distances, rows


def _no_pairs() -> Pairs:
    return np.empty(0, dtype=int), np.empty(0), np.empty(0, dtype=int)


def _joined_pairs(sizes: Sequence[int], parts: Sequence[Pairs]) -> Pairs:
    """Those of all chunks of queries, which have these sizes."""
    query, distance, row = zip(*parts, strict=True)
    firsts = np.cumsum([0, *sizes[:-1]])
    query = [part + first for part, first in zip(query, firsts, strict=True)]
    return np.concatenate(query), np.concatenate(distance), np.concatenate(row)


def available_threads() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes milliseconds, more than a small search does.
    return ThreadpoolController()


def _parted(
    count: int, groups: np.ndarray | None
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Labels of the groups, the library's rows ordered by group, and the edges of the groups."""
    if groups is None:
        return None, np.arange(count), np.array([0, count])
    groups = np.asarray(groups)
    if groups.shape != (count,):
        raise InputError(
            f"groups of shape {groups.shape} for a library of {count} spectra; there must be one "
            "label for each"
        )
    labels, member = np.unique(groups, return_inverse=True)
    edges = np.concatenate([[0], np.cumsum(np.bincount(member, minlength=len(labels)))])
    return labels, np.argsort(member, kind="stable"), edges
