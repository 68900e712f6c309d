"""Blocks of a configuration, each with the Hamiltonian's parts in its own basis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

PANEL = 64  # columns that LAPACK's blocked routines take at a time, which sets their workspace
LANES = 8  # double-precision numbers that the widest SIMD vectors hold


@dataclass(frozen=True, eq=False)
class Block:
    """An irreducible representation of the initial configuration.

    ``parts`` has shape (parts, size, size) in the order of the part names and is the same in all
    ``rows``, each of shape (states, size).
    """

    parts: np.ndarray
    rows: tuple[np.ndarray, ...]

    def diagonalise(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (size,), ascending, and eigenvectors (size, size) in the basis of any row."""
        return np.linalg.eigh(np.tensordot(coefficients, self.parts, axes=1))


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
        size = self.parts.shape[1]
        driven = (self.dipole.reshape(-1, len(initial)) @ initial).reshape(size, -1)
        hamiltonian = np.tensordot(coefficients, self.parts, axes=1)
        # A state of definite Jz modulo the axis's order reaches a row with one polarisation only.
        reached = driven.any(axis=0)
        strengths = np.zeros_like(driven)
        energies, amplitude = _project_on_eigenvectors(hamiltonian, driven[:, reached])
        strengths[:, reached] = np.square(amplitude)
        return energies, strengths.reshape(size, 3, -1)


def block(parts: Sequence[sp.csr_array], rows: tuple[np.ndarray, ...]) -> Block:
    """The parts within the partner rows of an irrep, see `whiteline.multiplet.symmetry.Irrep`."""
    return Block(_project(parts, rows[0]), rows)


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


def _project_on_eigenvectors(
    hamiltonian: np.ndarray, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of a real symmetric matrix and components of vectors along its eigenvectors.

    The few vectors are carried to the tridiagonal form and through its diagonalisation, instead
    of all eigenvectors back from it: the greatest part of the cost.
    """
    # numba is loaded with it, which programs that only name the engine need not wait for.
    from whiteline.multiplet.tridiagonal import components

    size, count = vectors.shape
    if size == 1:
        return hamiltonian[0], vectors
    reflected, diagonal, off_diagonal, tau, _ = lapack.dsytrd(
        hamiltonian.T, lower=1, lwork=PANEL * size, overwrite_a=1
    )
    # Columns of zeros fill the last SIMD vector; LAPACK wants one column at least.
    carried = np.zeros((size, max(LANES, -(-count // LANES) * LANES)))
    carried[:, :count] = vectors
    carried[1:], _, _ = lapack.dormqr(
        "L", "T", reflected[1:, :-1], tau, carried[1:], lwork=PANEL * carried.shape[1]
    )
    energies, carried = components(diagonal, off_diagonal, carried)
    return energies, carried[:, :count]
