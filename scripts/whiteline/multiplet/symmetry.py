"""Symmetry blocks of a configuration, found from the operators themselves.

Every operator with the full symmetry of the field is, by Schur's lemma, block diagonal with one
block per row of an irreducible representation, and the same in all rows of one. Two random sums
of such operators show the blocks without any character table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

SEED = 20  # any value serves; a fixed one keeps the results the same from run to run
UNCOUPLED = 1e-9  # ASSUME: couplings below this part of the largest one are rounding
SAME_SPECTRUM = 1e-7  # ASSUME: only partners agree in all eigenvalues of a random invariant


@dataclass(frozen=True, eq=False)
class Irrep:
    """An irreducible representation and where it is found.

    Attributes
    ----------
    rows
        Orthonormal basis of each of its partner rows, each of shape (states, multiplicity). An
        invariant operator has the same matrix in all of them.
    """

    rows: tuple[np.ndarray, ...]

    @property
    def dimension(self) -> int:
        """Number of partner rows, which is the degeneracy of its levels."""
        return len(self.rows)


def irreps(
    invariants: Sequence[sp.csr_array], twice_jz: np.ndarray, axis_order: int
) -> list[Irrep]:
    """Split a space into the rows of the irreducible representations of its symmetry.

    Parameters
    ----------
    invariants
        Operators, real, of shape (states, states), that generate everything that commutes with
        the group. Too few of them would split rows further than the group does and pair rows
        that are no partners.
    twice_jz
        Twice the total angular momentum along z of each basis state, shape (states,).
    axis_order
        Order of the rotation axis along z, which is the first cut.

    Returns
    -------
    list of Irrep
        Together their rows span the space.
    """
    generator = np.random.default_rng(SEED)
    splitter, coupler = (_random_sum(invariants, len(twice_jz), generator) for _ in range(2))
    found: list[tuple[np.ndarray, np.ndarray, list[np.ndarray]]] = []
    sector_of_state = twice_jz % (2 * axis_order)
    for sector in np.unique(sector_of_state):
        states = np.flatnonzero(sector_of_state == sector)
        for spectrum, coupling, vectors in _rows(splitter, coupler, states):
            basis = np.zeros((len(twice_jz), len(spectrum)))
            basis[states] = vectors
            for known, known_coupling, rows in found:
                if len(known) == len(spectrum) and np.allclose(
                    known, spectrum, rtol=0.0, atol=SAME_SPECTRUM
                ):
                    rows.append(basis * _signs(known_coupling, coupling))
                    break
            else:
                found.append((spectrum, coupling, [basis]))
    return [Irrep(tuple(rows)) for *_, rows in found]


def sectors(twice_jz: np.ndarray, axis_order: int) -> list[Irrep]:
    """The blocks of a field along z, which leaves only rotations about it: one per Jz mod order.

    Parameters and result are those of `irreps`; every representation has one row.
    """
    sector_of_state = twice_jz % (2 * axis_order)
    states = np.eye(len(twice_jz))
    return [Irrep((states[:, sector_of_state == part],)) for part in np.unique(sector_of_state)]


def _rows(
    splitter: sp.csr_array, coupler: sp.csr_array, states: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Eigenvalues of ``splitter``, ``coupler`` between its eigenvectors, and these, by block."""
    spectrum, vectors = np.linalg.eigh(splitter[states][:, states].toarray())
    coupling = vectors.T @ (coupler[states][:, states] @ vectors)
    coupled = sp.csr_array(np.abs(coupling) > UNCOUPLED * np.abs(coupling).max())
    count, label = connected_components(coupled, directed=False)
    blocks = [np.flatnonzero(label == part) for part in range(count)]
    return [(spectrum[b], coupling[np.ix_(b, b)], vectors[:, b]) for b in blocks]


def _signs(reference: np.ndarray, coupling: np.ndarray) -> np.ndarray:
    """Signs s of the basis vectors with s_i coupling_ij s_j = reference_ij.

    The product of both matrices is s_i s_j times something positive, whose leading eigenvector
    has no change of sign (Perron).
    """
    return np.sign(np.linalg.eigh(reference * coupling)[1][:, -1])


def _random_sum(
    invariants: Sequence[sp.csr_array], size: int, generator: np.random.Generator
) -> sp.csr_array:
    """Sum of the invariants, each scaled to order one and with a random weight.

    The identity keeps the sum from vanishing in spaces where all invariants do.
    """
    total = generator.normal() * sp.eye_array(size, format="csr")
    for operator in invariants:
        weight = generator.normal()
        if operator.nnz:
            total = total + weight / np.abs(operator.data).max() * operator
    return sp.csr_array(total)
