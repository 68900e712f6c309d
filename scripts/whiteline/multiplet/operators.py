"""The operators of an L2,3 transition 2p6 3d^n -> 2p5 3d^(n+1), each a real sparse matrix.

A Hamiltonian is a sum of energy times named operator. Electron repulsion is written with the
one-body operators C^k_q, as C^k . C^k (Cowan 1981, chapter 12): what the product counts too much,
the electron with itself, is a constant. Every operator is made traceless, which is the
convention that F0 makes the configuration averages vanish: F0dd = 2/63 (F2dd + F4dd) and
F0pd = G1pd/15 + 3 G3pd/70.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np
import scipy.sparse as sp

from whiteline.multiplet.angular import gaunt
from whiteline.multiplet.determinants import (
    P_SLOTS,
    SPIN_ORBITALS,
    TINY,
    Basis,
    D,
    P,
    SpinOrbital,
    configuration,
    one_body,
)


def _tetragonal(z2: float, x2y2: float, xy: float, xz_yz: float) -> np.ndarray:
    """Orbital energies of a D4h field as a (5, 5) matrix in complex harmonics, m = -2..2."""
    field = np.diag([(x2y2 + xy) / 2, xz_yz, z2, xz_yz, (x2y2 + xy) / 2])
    field[0, 4] = field[4, 0] = (x2y2 - xy) / 2
    return field


def _cubic_along_c3() -> np.ndarray:
    """Cubic field with 10Dq = 1 and the C3 axis along z, the xz plane a mirror, (5, 5).

    -7/5 (C^4_0 + sqrt(10/7) (C^4_3 - C^4_-3)), as Koenig and Kremer, Ligand Field Energy Diagrams
    (1977), and Quanty have it.
    """
    m = range(-2, 3)

    def harmonic(q: int) -> np.ndarray:
        return np.array([[gaunt(4, q, 2, a, 2, b) for b in m] for a in m])

    return -1.4 * (harmonic(0) + sqrt(10 / 7) * (harmonic(3) - harmonic(-3)))


# Energies of the 3d orbitals per unit of 10Dq, Ds, Dt with the C4 axis along z. Ballhausen,
# Introduction to Ligand Field Theory (1962), chapter 5. The trigonal fields Dsigma and Dtau are
# the operators Ds and Dt, but along C3: to 10Dq they add -2 Dsigma - 6 Dtau for a1 (t2g),
# Dsigma + 2/3 Dtau for e (t2g), 7/3 Dtau for e (eg), and couple the two e by
# sqrt(2)/3 (5 Dtau - 3 Dsigma).
CRYSTAL_FIELDS = {
    "ten_dq": _tetragonal(z2=0.6, x2y2=0.6, xy=-0.4, xz_yz=-0.4),
    "ten_dq_along_c3": _cubic_along_c3(),
    "ds": _tetragonal(z2=-2.0, x2y2=2.0, xy=2.0, xz_yz=-1.0),
    "dt": _tetragonal(z2=-6.0, x2y2=-1.0, xy=-1.0, xz_yz=4.0),
}
ORBITAL_MOMENT = np.diag(np.repeat(np.arange(-2.0, 3.0), 2))
SPIN = np.diag(np.tile([-0.5, 0.5], 5))


@dataclass(frozen=True, eq=False)
class Operators:
    """Named operators of both configurations and the dipole operator between them.

    Attributes
    ----------
    initial_basis, final_basis
        Determinants of 2p6 3d^n and of 2p5 3d^(n+1).
    initial, final
        Traceless operators per unit of the parameter that they are named after.
    dipole
        C^1_q for q = -1, 0, 1, each of shape (final states, initial states).
    """

    initial_basis: Basis
    final_basis: Basis
    initial: dict[str, sp.csr_array]
    final: dict[str, sp.csr_array]
    dipole: tuple[sp.csr_array, ...]


@cache
def operators(d_count: int) -> Operators:
    """All operators of 2p6 3d^d_count -> 2p5 3d^(d_count + 1)."""
    initial, final = configuration(6, d_count), configuration(5, d_count + 1)
    doubly_excited = configuration(4, d_count + 2)
    on_d = CRYSTAL_FIELDS | {"lz": ORBITAL_MOMENT, "sz": SPIN}
    one_electron = {"zeta_3d": spin_orbit(D)} | {n: d_shell(field) for n, field in on_d.items()}
    one_electron_final = {"zeta_2p": spin_orbit(P), **one_electron}
    return Operators(
        initial,
        final,
        {
            "f2_dd": _direct_dd(2, initial),
            "f4_dd": _direct_dd(4, initial),
            **{name: traceless(one_body(m, initial)) for name, m in one_electron.items()},
        },
        {
            "f2_dd": _direct_dd(2, final),
            "f4_dd": _direct_dd(4, final),
            "f2_pd": _direct_pd(2, final),
            "g1_pd": _exchange_pd(1, final, doubly_excited),
            "g3_pd": _exchange_pd(3, final, doubly_excited),
            **{name: traceless(one_body(m, final)) for name, m in one_electron_final.items()},
        },
        tuple(one_body(harmonic, final, initial) for harmonic in _harmonics(1, D, P)),
    )


def d_shell(field: np.ndarray) -> np.ndarray:
    """One-electron matrix over all spin-orbitals of a field on the 3d shell.

    Parameters
    ----------
    field
        Hermitian matrix in eV, of shape (5, 5) over m = -2..2, or (10, 10) over m and spin
        (down, up) where the field acts on spins.

    Returns
    -------
    numpy.ndarray
        Shape (16, 16).
    """
    if field.shape == (5, 5):
        field = np.kron(field, np.eye(2))
    start = len(P_SLOTS)
    matrix = np.zeros((len(SPIN_ORBITALS), len(SPIN_ORBITALS)), np.result_type(field, float))
    matrix[start:, start:] = field
    return matrix


def p_shell_axis() -> np.ndarray:
    """An axial field on the 2p shell, shape (16, 16).

    No Hamiltonian has it; it tells apart what only a spherical 2p shell makes degenerate.
    """
    return np.diag([3.0 * m * m - 2.0 if shell == P else 0.0 for shell, m, _ in SPIN_ORBITALS])


def spin_orbit(shell: int) -> np.ndarray:
    """One-electron matrix of l . s on one shell, shape (16, 16)."""
    matrix = np.zeros((len(SPIN_ORBITALS), len(SPIN_ORBITALS)))
    for row, left in enumerate(SPIN_ORBITALS):
        for column, right in enumerate(SPIN_ORBITALS):
            if left.shell != shell or right.shell != shell:
                continue
            if row == column:
                matrix[row, column] = left.m * left.twice_sz / 2
            elif left.m - right.m == (right.twice_sz - left.twice_sz) // 2:
                matrix[row, column] = sqrt(shell * (shell + 1) - left.m * right.m) / 2
    return matrix


def traceless(operator: sp.csr_array) -> sp.csr_array:
    """The operator less its average, with entries that are rounding removed."""
    size = operator.shape[0]
    shifted = sp.csr_array(operator - operator.trace() / size * sp.eye_array(size))
    shifted.data[np.abs(shifted.data) < TINY] = 0.0
    shifted.eliminate_zeros()
    return shifted


@cache
def _harmonics(k: int, left: int, right: int) -> tuple[np.ndarray, ...]:
    """C^k_q from shell ``right`` to shell ``left``, q = -k..k, each of shape (16, 16)."""

    def element(a: SpinOrbital, b: SpinOrbital, q: int) -> float:
        if (a.shell, b.shell) != (left, right) or a.twice_sz != b.twice_sz:
            return 0.0
        return gaunt(k, q, a.shell, a.m, b.shell, b.m)

    return tuple(
        np.array([[element(a, b, q) for b in SPIN_ORBITALS] for a in SPIN_ORBITALS])
        for q in range(-k, k + 1)
    )


def _direct_dd(k: int, basis: Basis) -> sp.csr_array:
    """Repulsion within 3d per unit of F^k, sum over pairs of C^k(i) . C^k(j)."""
    parts = [one_body(harmonic, basis) for harmonic in _harmonics(k, D, D)]
    return traceless(sum(part.T @ part for part in parts) / 2)


def _direct_pd(k: int, basis: Basis) -> sp.csr_array:
    """Direct repulsion between 2p and 3d per unit of F^k."""
    on_p = [one_body(harmonic, basis) for harmonic in _harmonics(k, P, P)]
    on_d = [one_body(harmonic, basis) for harmonic in _harmonics(k, D, D)]
    return traceless(sum(p.T @ d for p, d in zip(on_p, on_d, strict=True)))


def _exchange_pd(k: int, basis: Basis, doubly_excited: Basis) -> sp.csr_array:
    """Exchange between 2p and 3d per unit of G^k.

    One electron goes from 2p to 3d while the other comes back: the product of two one-body
    operators by way of 2p4 3d^(n+2).
    """
    parts = [one_body(harmonic, doubly_excited, basis) for harmonic in _harmonics(k, D, P)]
    return traceless(sum(part.T @ part for part in parts))
