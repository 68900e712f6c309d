"""Which unions of groups are searched about the nearest spectrum, for `Index.nearest_around`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from whiteline.search import selection


@dataclass(frozen=True)
class Axis:
    """A way to unite the groups of an index, for `Index.nearest_around`.

    Attributes
    ----------
    union
        Number of the union that each group belongs to, from 0, shape (g,).
    parent
        Number of the parent of each union, within which the nearest of all is sought first; the
        parents of groups are the same for all axes. Shape (u,).
    near
        Whether a union (second axis) is looked at where the nearest of a parent lies in a given
        one, shape (u, u), its diagonal true.
    """

    union: np.ndarray
    parent: np.ndarray
    near: np.ndarray


class Around:
    """The ranges of `Index.nearest_around`, all of them made of the blocks of an index: parents,
    then the unions of one axis after the other.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        edges: np.ndarray,
        before: np.ndarray,
        row_of: np.ndarray,
    ) -> None:
        labels = [axes[0].parent[axes[0].union], *(axis.union for axis in axes)]
        found = [selection.ranges_of(label, before) for label in labels]
        ends = np.cumsum([0, *(len(order) for _, order in found)])
        starts = [first[:-1] + end for (first, _), end in zip(found, ends[:-1], strict=True)]
        order = np.concatenate([order for _, order in found])
        self.ranges = edges, np.append(np.concatenate(starts), ends[-1]), order
        counts = [len(first) - 1 for first, _ in found]
        self.parents = np.arange(counts[0])
        self.whole = edges, np.array([0, len(edges) - 1]), np.arange(len(edges) - 1)
        # Of each axis the numbers of its ranges, and the union of each library spectrum.
        self._spans = list(pairwise(np.cumsum(counts)))
        sizes = np.diff(edges[before])
        self._union_of = np.empty((len(axes), len(row_of)), dtype=int)
        self._union_of[:, row_of] = [np.repeat(axis.union, sizes) for axis in axes]
        self._others = [_others(axis.near) for axis in axes]

    def around(self, rows: np.ndarray) -> np.ndarray:
        """Ranges about the nearest of the parents (n, parents) beside its own, (n, segments)."""
        parts = []
        for (first, _), union, others in zip(
            self._spans, self._union_of, self._others, strict=True
        ):
            part = others[union[rows]].reshape(len(rows), -1)
            parts.append(np.where(part < 0, -1, part + first))
        return np.concatenate(parts, axis=1)

    def laid_out(
        self,
        distance: np.ndarray,
        rows: np.ndarray,
        around: np.ndarray,
        best: np.ndarray,
        found: np.ndarray,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Distances and rows by axis, each (n, unions), from those of the parents, (n, parents),
        and those ``around``, (n, segments).
        """
        query = np.arange(len(rows))[:, None]
        result = []
        for (first, end), union, others in zip(
            self._spans, self._union_of, self._others, strict=True
        ):
            # What belongs to no range goes to one more, behind the others.
            every = selection.none(len(rows), end - first + 1)
            segments = others.shape[1] * rows.shape[1]
            own, around = np.split(around, [segments], axis=1)
            number = np.where(own < 0, end, own) - first
            for values, part, known in zip(every, (best, found), (distance, rows), strict=True):
                values[query, number] = part[:, :segments]
                # The nearest of a parent is that of its own union too.
                values[query, union[rows]] = known
            best, found = best[:, segments:], found[:, segments:]
            result.append(tuple(values[:, :-1] for values in every))
        return result


def _others(near: np.ndarray) -> np.ndarray:
    """For each union (u, u) those near it but itself, filled up with -1, (u, most)."""
    beside = near & ~np.eye(len(near), dtype=bool)
    place = np.argsort(~beside, axis=1, kind="stable")[:, : beside.sum(1).max()]
    return np.where(np.take_along_axis(beside, place, axis=1), place, -1)
