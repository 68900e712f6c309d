"""Lowest states and spectral functions of large sparse Hamiltonians."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, eigsh

SEED = 20  # any value serves; a fixed one keeps the results the same from run to run
DENSE = 200  # ASSUME: up to this size full diagonalisation is as fast
EXHAUSTED = 1e-9  # eV; a smaller step of Lanczos means that its space is complete


def lowest(hamiltonian: sp.csr_array, window: float) -> tuple[np.ndarray, np.ndarray]:
    """All states within an energy window above the lowest one, those of equal energy included.

    Parameters
    ----------
    hamiltonian
        Real symmetric, shape (states, states).
    window
        Width of the window in eV.

    Returns
    -------
    tuple
        Energies (k,), ascending, and vectors (states, k).
    """
    size = hamiltonian.shape[0]
    if size <= DENSE:
        energies, vectors = np.linalg.eigh(hamiltonian.toarray())
    else:
        start = np.random.default_rng(SEED).normal(size=size)
        wanted = 4
        energies, vectors = _smallest(hamiltonian, wanted, start)
        while energies[-1] - energies[0] < window and 2 * wanted < size:
            wanted *= 2
            energies, vectors = _smallest(hamiltonian, wanted, start)
        energies, vectors = _with_partners(hamiltonian, energies, vectors, window, start)
    inside = energies - energies[0] <= window
    return energies[inside], vectors[:, inside]


def _with_partners(
    hamiltonian: sp.csr_array,
    energies: np.ndarray,
    vectors: np.ndarray,
    window: float,
    start: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The same states and those of equal energy that Lanczos missed.

    One start vector finds one state of each degenerate level. The states found are therefore
    moved out of the way until nothing is left in the window.
    """
    lift = 10.0 * window + np.abs(hamiltonian).sum(axis=1).max()

    def deflated(vector: np.ndarray) -> np.ndarray:
        return hamiltonian @ vector + lift * (vectors @ (vectors.T @ vector))

    while True:
        operator = LinearOperator(hamiltonian.shape, deflated, dtype=float)
        energy, vector = _smallest(operator, 1, start)
        if energy[0] > energies[0] + window:
            break
        energies = np.append(energies, energy)
        vectors = np.linalg.qr(np.hstack([vectors, vector]))[0]
    order = np.argsort(energies, kind="stable")
    return energies[order], vectors[:, order]


def _smallest(operator: object, count: int, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    energies, vectors = eigsh(
        operator, k=count, which="SA", v0=start, tol=1e-11, ncv=2 * count + 20
    )
    order = np.argsort(energies, kind="stable")
    return energies[order], vectors[:, order]


def spectral_function(
    hamiltonian: sp.csr_array, start: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Poles and weights of <start| 1 / (z - H) |start>, by Lanczos.

    The tridiagonal matrix of the Krylov space has the first ``2 steps`` moments of H, so that the
    weights add up to the norm of ``start``, and the broader the curve the fewer steps it takes.
    Lost orthogonality only splits poles that have converged, without moving their weight
    (Greenbaum, Linear Algebra Appl. 113, 7 (1989)), so that vectors need not be kept.

    Parameters
    ----------
    hamiltonian
        Real symmetric, shape (states, states).
    start
        Shape (states,).
    steps
        Number of poles at most.

    Returns
    -------
    tuple
        Energies and weights, each of shape (poles,).
    """
    norm = start @ start
    if norm == 0.0:
        return np.empty(0), np.empty(0)
    diagonal, off_diagonal = [], []
    vector, previous, step = start / np.sqrt(norm), np.zeros_like(start), 0.0
    for _ in range(steps):
        following = hamiltonian @ vector - step * previous
        diagonal.append(following @ vector)
        following -= diagonal[-1] * vector
        step = np.sqrt(following @ following)
        if step < EXHAUSTED:
            break
        off_diagonal.append(step)
        previous, vector = vector, following / step
    energies, vectors = scipy.linalg.eigh_tridiagonal(diagonal, off_diagonal[: len(diagonal) - 1])
    return energies, norm * vectors[0] ** 2
