"""Blocks of a configuration, each with the Hamiltonian's parts in its own basis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True, eq=False)
class Block:
    """One row of an irreducible representation of the initial configuration.

    ``parts`` has shape (parts, size, size) in the order of the part names, ``basis``
    (states, size).
    """

    parts: np.ndarray
    basis: np.ndarray

    def diagonalise(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (size,) and eigenvectors (states, size)."""
        energies, vectors = np.linalg.eigh(np.tensordot(coefficients, self.parts, axes=1))
        return energies, self.basis @ vectors


@dataclass(frozen=True, eq=False)
class FinalBlock:
    """One row of an irreducible representation of the final configuration.

    ``dimension`` counts the row's partners, ``parts`` is as in `Block`, ``dipole`` has the shape
    (size, 3 * initial states).
    """

    dimension: int
    parts: np.ndarray
    dipole: np.ndarray

    def absorb(
        self, coefficients: np.ndarray, initial: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Energies (size,) and strengths of one row.

        Parameters
        ----------
        coefficients
            Of the parts, shape (parts,).
        initial
            Initial states, shape (states, k).

        Returns
        -------
        tuple
            Energies (size,) and squared dipole matrix elements (size, 3, k).
        """
        energies, vectors = np.linalg.eigh(np.tensordot(coefficients, self.parts, axes=1))
        driven = self.dipole.reshape(-1, len(initial)) @ initial
        amplitude = vectors.T @ driven.reshape(len(energies), -1)
        return energies, np.square(amplitude).reshape(len(energies), 3, -1)


def block(parts: Sequence[sp.csr_array], basis: np.ndarray) -> Block:
    """The parts within an invariant subspace (states, size)."""
    return Block(_project(parts, basis), basis)


def final_block(
    parts: Sequence[sp.csr_array],
    dipole: Sequence[sp.csr_array],
    basis: np.ndarray,
    dimension: int,
) -> FinalBlock:
    """The parts and the dipole operators C^1_q within an invariant subspace (states, size)."""
    driven = np.stack([(q.T @ basis).T for q in dipole], axis=1)
    return FinalBlock(dimension, _project(parts, basis), driven)


def _project(parts: Sequence[sp.csr_array], basis: np.ndarray) -> np.ndarray:
    return np.stack([basis.T @ (operator @ basis) for operator in parts])
