"""The operators of the single-impurity Anderson model, one Jz sector at a time.

The ion has one ligand shell L of d symmetry, full in the ionic limit. The initial space is that of
2p6 3d^n L^10, 2p6 3d^(n+1) L^9, ..., the final one of 2p5 3d^(n+1) L^10, 2p5 3d^(n+2) L^9, ...
Determinants are bit masks as in `whiteline.multiplet.determinants`, with the ten spin-orbitals of
L after those of 3d. Each configuration is then the product of an ion and a shell of ligands, and
its operators are Kronecker products of `whiteline.multiplet.operators`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from whiteline.multiplet.determinants import (
    D_SLOTS,
    SPIN_ORBITALS,
    Basis,
    configuration,
    one_body,
)
from whiteline.multiplet.operators import CRYSTAL_FIELDS, d_shell
from whiteline.multiplet.operators import operators as ion_operators

# Operators of the ion, by the names of `whiteline.multiplet.operators`.
INITIAL = ("f2_dd", "f4_dd", "zeta_3d", "ten_dq")
FINAL = (*INITIAL, "f2_pd", "g1_pd", "g3_pd", "zeta_2p")
SHELL = len(D_SLOTS)  # spin-orbitals of 3d, and of the ligands
# Projectors on the orbitals e and t2 over m = -2..2, from 0.6 e - 0.4 t2 and e + t2 = 1.
E_ORBITALS = CRYSTAL_FIELDS["ten_dq"] + 0.4 * np.eye(5)
T2_ORBITALS = np.eye(5) - E_ORBITALS
# Twice Jz modulo 8 of the sectors that are calculated, and how many sectors are like each: a
# fourfold axis keeps Jz modulo 4, and time reversal makes -Jz like Jz.
SECTORS = {0: 1, 1: 2, 2: 2, 3: 2, 4: 1}


class Sum:
    """A Hamiltonian as a sum of named operators on one sparsity pattern.

    Parameters
    ----------
    operators
        Real sparse matrices of one shape (states, states).
    ligand_holes
        Number of ligand holes of each state, rising, shape (states,).
    """

    def __init__(self, operators: Mapping[str, sp.csr_array], ligand_holes: np.ndarray) -> None:
        self.names = tuple(operators)
        entries = [operator.tocoo() for operator in operators.values()]
        self._shape = entries[0].shape
        places = [e.row.astype(np.int64) * self._shape[1] + e.col for e in entries]
        union = np.unique(np.concatenate(places))
        self._values = np.zeros((len(entries), len(union)))
        for values, place, entry in zip(self._values, places, entries, strict=True):
            values[np.searchsorted(union, place)] = entry.data
        self._columns = (union % self._shape[1]).astype(np.int32)
        starts = np.arange(self._shape[0] + 1, dtype=np.int64) * self._shape[1]
        self._starts = np.searchsorted(union, starts).astype(np.int32)
        first_rows = np.searchsorted(ligand_holes, np.arange(ligand_holes.max() + 2))
        self._configurations = [slice(*pair) for pair in pairwise(self._starts[first_rows])]

    def __call__(self, *coefficients: Mapping[str, float]) -> sp.csr_array:
        """The sum with these coefficients, by name.

        Parameters
        ----------
        coefficients
            Of each configuration by number of ligand holes, or one for all. Hopping between two
            configurations must have the same coefficient in both.
        """
        weights = [np.array([c[name] for name in self.names]) for c in coefficients]
        if len(weights) == 1:
            data = weights[0] @ self._values
        else:
            # 3d may be full before all configurations have been used.
            parts = zip(weights, self._configurations, strict=False)
            data = np.concatenate([weight @ self._values[:, part] for weight, part in parts])
        return sp.csr_array((data, self._columns, self._starts), self._shape)


@dataclass(frozen=True, eq=False)
class Sector:
    """What one value of Jz modulo 4 holds.

    Attributes
    ----------
    multiplicity
        How many sectors have the same spectrum, this one included.
    initial, final
        Hamiltonians, as sums of operators named after their coefficients.
    dipole
        C^1_0, which keeps Jz, shape (final states, initial states).
    ligand_holes
        Number of ligand holes of each initial state.
    """

    multiplicity: int
    initial: Sum
    final: Sum
    dipole: sp.csr_array
    ligand_holes: np.ndarray


@cache
def sectors(d_count: int, configurations: int) -> tuple[Sector, ...]:
    """All sectors of an ion with ``d_count`` 3d electrons, but one of each pair of equals.

    Parameters
    ----------
    d_count
        3d electrons of the ionic configuration before the excitation.
    configurations
        How many configurations the expansion has; fewer where 3d is full.
    """
    initial, final = (_shells(d_count + hole, 6 - hole, configurations) for hole in (0, 1))
    initial_operators, final_operators = _operators(initial), _operators(final)
    dipole = _dipole(d_count, initial, final)
    initial_jz, final_jz = (
        np.concatenate([s.basis.twice_jz for s in x]) for x in (initial, final)
    )
    holes, final_holes = (
        np.repeat(np.arange(len(x)), [len(shells.basis) for shells in x]) for x in (initial, final)
    )
    found = []
    for twice_jz, multiplicity in SECTORS.items():
        rows = np.flatnonzero(initial_jz % 8 == twice_jz)
        final_rows = np.flatnonzero(final_jz % 8 == twice_jz)
        if len(rows):
            found.append(
                Sector(
                    multiplicity,
                    Sum({k: v[rows][:, rows] for k, v in initial_operators.items()}, holes[rows]),
                    Sum(
                        {k: v[final_rows][:, final_rows] for k, v in final_operators.items()},
                        final_holes[final_rows],
                    ),
                    dipole[final_rows][:, rows],
                    holes[rows],
                )
            )
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Shells:
    """One configuration: 2p^p_count 3d^d_count L^(10 - holes) and its determinants."""

    p_count: int
    d_count: int
    holes: int
    ion: Basis
    ligands: Basis
    basis: Basis


def _shells(d_count: int, p_count: int, configurations: int) -> list[_Shells]:
    """The configurations by number of ligand holes, as far as 3d has room."""
    found = []
    for holes in range(min(configurations, SHELL + 1 - d_count)):
        ion = configuration(p_count, d_count + holes)
        ligands = configuration(0, SHELL - holes)
        masks = (ligands.masks[:, None] << SHELL) | ion.masks
        basis = Basis(masks.ravel(), (ligands.twice_jz[:, None] + ion.twice_jz).ravel())
        found.append(_Shells(p_count, d_count + holes, holes, ion, ligands, basis))
    return found


def _operators(space: Sequence[_Shells]) -> dict[str, sp.csr_array]:
    """Named operators over a space, per unit of what multiplies each."""
    found = {
        name: sp.block_diag([_ion_operators(s)[name] for s in space], format="csr")
        for name in (INITIAL if space[0].p_count == 6 else FINAL)
    }
    found["ten_dq_ligand"] = sp.block_diag([_ligand_field(s) for s in space], format="csr")
    found["v_eg"] = _hopping(space, E_ORBITALS)
    found["v_t2g"] = _hopping(space, T2_ORBITALS)
    holes = np.repeat([s.holes for s in space], [len(s.basis) for s in space])
    found["ligand_holes"] = sp.diags_array(holes.astype(float), format="csr")
    found["ligand_hole_pairs"] = sp.diags_array(holes * (holes - 1) / 2, format="csr")
    return found


def _ion_operators(shells: _Shells) -> dict[str, sp.csr_array]:
    """The operators of the ion alone; on a full 3d shell with 2p full they vanish."""
    if shells.p_count == 6 and shells.d_count == SHELL:
        named = dict.fromkeys(INITIAL, sp.csr_array((1, 1)))
    elif shells.p_count == 6:
        named = ion_operators(shells.d_count).initial
    else:
        named = ion_operators(shells.d_count - 1).final
    unit = sp.eye_array(len(shells.ligands))
    return {name: sp.kron(unit, operator, format="csr") for name, operator in named.items()}


def _ligand_field(shells: _Shells) -> sp.csr_array:
    field = one_body(d_shell(CRYSTAL_FIELDS["ten_dq"]), shells.ligands)
    return sp.kron(field, sp.eye_array(len(shells.ion)), format="csr")


def _hopping(space: Sequence[_Shells], orbitals: np.ndarray) -> sp.csr_array:
    """Hopping between 3d and ligand orbitals of the same shape: sum of d+_a l_a and l+_a d_a."""
    size = len(SPIN_ORBITALS) + SHELL
    electron = np.zeros((size, size))
    electron[D_SLOTS.start : D_SLOTS.stop, D_SLOTS.stop :] = np.kron(orbitals, np.eye(2))
    blocks = [[sp.csr_array((len(a.basis), len(b.basis))) for b in space] for a in space]
    for holes in range(len(space) - 1):
        up = one_body(electron, space[holes + 1].basis, space[holes].basis)
        blocks[holes + 1][holes], blocks[holes][holes + 1] = up, up.T
    return sp.block_array(blocks, format="csr")


def _dipole(d_count: int, initial: Sequence[_Shells], final: Sequence[_Shells]) -> sp.csr_array:
    """C^1_0 from each configuration to that with the same ligand holes."""
    blocks = [
        sp.kron(sp.eye_array(len(s.ligands)), ion_operators(d_count + s.holes).dipole[1])
        for s in initial[: len(final)]
    ]
    # A full 3d shell absorbs nothing.
    blocks += [sp.csr_array((0, len(s.basis))) for s in initial[len(final) :]]
    return sp.block_diag(blocks, format="csr")
