"""Slater determinants of the 2p and 3d shells, and one-body operators between them.

A determinant is a bit mask over 16 spin-orbitals in complex harmonics: first the six of 2p,
then the ten of 3d, each shell by rising m and with spin down before spin up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

P, D = 1, 2
TINY = 1e-12  # ASSUME: operators are of order one, so that smaller entries are rounding


class SpinOrbital(NamedTuple):
    """Orbital momentum of the shell, its projection, and twice the spin projection."""

    shell: int
    m: int
    twice_sz: int


SPIN_ORBITALS = tuple(
    SpinOrbital(shell, m, twice_sz)
    for shell in (P, D)
    for m in range(-shell, shell + 1)
    for twice_sz in (-1, 1)
)
P_SLOTS, D_SLOTS = range(6), range(6, 16)


@dataclass(frozen=True, eq=False)
class Basis:
    """All determinants of 2p^p_count 3d^d_count.

    Attributes
    ----------
    masks
        Occupied spin-orbitals as bits, ascending, shape (states,).
    twice_jz
        Twice the projection of the total angular momentum, shape (states,).
    """

    masks: np.ndarray
    twice_jz: np.ndarray

    def __len__(self) -> int:
        return len(self.masks)


@cache
def configuration(p_count: int, d_count: int) -> Basis:
    """The basis of 2p^p_count 3d^d_count; empty where a shell would hold too many."""
    masks = sorted(
        sum(1 << slot for slot in (*p, *d))
        for p in combinations(P_SLOTS, p_count)
        for d in combinations(D_SLOTS, d_count)
    )
    masks = np.array(masks, dtype=np.int64)
    occupied = (masks[:, None] >> np.arange(len(SPIN_ORBITALS))) & 1
    twice_jz = occupied @ np.array([2 * m + s for _, m, s in SPIN_ORBITALS])
    return Basis(masks, twice_jz)


def one_body(matrix: np.ndarray, left: Basis, right: Basis | None = None) -> sp.csr_array:
    """Many-electron matrix of the operator sum_ab matrix[a, b] a+_a a_b.

    Parameters
    ----------
    matrix
        One-electron matrix elements between the spin-orbitals, shape (16, 16).
    left, right
        Bases of the rows and of the columns (by default the same).

    Returns
    -------
    scipy.sparse.csr_array
        Shape (len(left), len(right)).
    """
    right = left if right is None else right
    created, removed = np.nonzero(np.abs(matrix) > TINY)
    create, remove = (np.int64(1) << slots[:, None] for slots in (created, removed))
    rest = right.masks & ~remove
    allowed = (right.masks & remove != 0) & (rest & create == 0)
    term, column = np.nonzero(allowed)
    rest, create, remove = rest[allowed], create[term, 0], remove[term, 0]
    # The sign counts the electrons that each operator passes on its way to its slot.
    passed = np.bitwise_count(rest & (create - 1)) + np.bitwise_count(rest & (remove - 1))
    value = matrix[created, removed][term] * (1.0 - 2.0 * (passed & 1))
    row = np.searchsorted(left.masks, rest | create)
    return sp.csr_array((value, (row, column)), shape=(len(left), len(right)))
