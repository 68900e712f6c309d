"""Stick spectra of an ion in a crystal field.

The method is that of Thole et al., Phys. Rev. B 32, 5107 (1985) and de Groot et al., Phys. Rev. B
42, 5459 (1990): all states of 2p6 3d^n and 2p5 3d^(n+1) and the dipole transitions between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from whiteline.atomic import AtomicParameters, Ion, atomic_parameters
from whiteline.errors import InputError
from whiteline.multiplet.determinants import one_body
from whiteline.multiplet.operators import d_shell, operators, p_shell_axis
from whiteline.multiplet.symmetry import Irrep, irreps
from whiteline.simulation import NEGLIGIBLE, Parameters, Populated, Sticks, collect, populate

SYMMETRIES = ("Oh", "Td", "D4h")
TETRAGONAL = ("ds", "dt")
# Energy between L3 and L2 by number of 3d electrons, in units of zeta_2p. Without repulsion L3
# lies at -0.5 and L2 at 1; with it, the shift within a configuration goes with its d count.
BOUNDARY = (0.58, 0.44, 0.48, 0.58, 0.48, 0.70, 0.65, 0.60, 0.35, 0.25)


@dataclass(frozen=True, eq=False)
class _Block:
    """One row of an irreducible representation, with the Hamiltonian's parts in its basis.

    ``parts`` has shape (parts, size, size) in the order of the part names, ``basis``
    (states, size), ``dipole`` (size, 3 * initial states) for a final block.
    """

    dimension: int
    basis: np.ndarray
    parts: np.ndarray
    dipole: np.ndarray | None = None

    def diagonalise(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (size,) and eigenvectors (size, size) in the block's own basis."""
        return np.linalg.eigh(np.tensordot(coefficients, self.parts, axes=1))


class Multiplet:
    """L2,3 stick spectra of one ion in one point group.

    Building it makes the operators and their symmetry blocks once; after that each spectrum is a
    few small diagonalisations. Results are the same to the last bit from run to run on one
    machine with the same number of BLAS threads; use one.

    Parameters
    ----------
    ion
        The ion, see `whiteline.atomic.parse_ion`.
    symmetry
        ``"Oh"``, ``"Td"`` or ``"D4h"`` (C4 axis along z). Td is Oh with the sign of 10Dq turned.
    integrals
        Unreduced Slater integrals and spin-orbit constants, by default the tabulated ones.

    Raises
    ------
    InputError
        If the symmetry is unknown or the ion is not in the table.
    """

    def __init__(self, ion: Ion, symmetry: str, integrals: AtomicParameters | None = None) -> None:
        if symmetry not in SYMMETRIES:
            raise InputError(f"symmetry {symmetry!r} is not one of {', '.join(SYMMETRIES)}")
        self.ion = ion
        self.symmetry = symmetry
        self.integrals = atomic_parameters(ion) if integrals is None else integrals
        self._operators = operators(ion.d_count)
        self._initial_parts = self._combine(self._operators.initial, "initial")
        self._final_parts = self._combine(self._operators.final, "final")

    @property
    def l3_l2_boundary(self) -> float:
        """Energy in eV on the stick axis that parts L3 (below) from L2 (above).

        It lies where the spectra of ions with the same d count, on average over 10Dq from -1.2 to
        2.5 eV and Slater reductions from 0.6 to 1, are weakest. There, after a Gaussian of 0.4 eV,
        they never exceed 3 % of the peak from d5 on. For d1 to d4 repulsion rivals zeta_2p, the
        edges overlap, and no energy parts them cleanly: the average is 3 to 7 % for Mn, Fe and
        Co, 6 to 15 % for V and Cr, 20 % for Ti and 35 % for Sc2+.
        """
        return BOUNDARY[self.ion.d_count] * self.integrals.zeta_2p

    def hamiltonians(self, parameters: Parameters) -> tuple[sp.csr_array, sp.csr_array]:
        """Hamiltonians of 2p6 3d^n and 2p5 3d^(n+1) over all determinants, in eV.

        Their rows and columns are `whiteline.multiplet.determinants.configuration` in its order.

        Raises
        ------
        InputError
            If ds or dt is not zero in a cubic symmetry.
        """
        coefficients = self._coefficients(parameters)
        return (
            _weighted_sum(self._initial_parts, coefficients),
            _weighted_sum(self._final_parts, coefficients),
        )

    def sticks(self, parameters: Parameters, negligible: float = NEGLIGIBLE) -> Sticks:
        """The isotropic spectrum.

        Parameters
        ----------
        parameters
            Crystal field, reductions and temperature.
        negligible
            Part of the total intensity that the sticks left out, the weakest, may hold
            together. With 0 all are kept.

        Raises
        ------
        InputError
            If ds or dt is not zero in a cubic symmetry.
        """
        coefficients = self._coefficients(parameters)
        populated = self._populated(coefficients, parameters.temperature)
        count = len(populated.energies)
        final_coefficients = self._select(coefficients, self._final_parts)
        energies, strengths = [], []
        for block in self._final_blocks:
            energy, vectors = block.diagonalise(final_coefficients)
            driven = block.dipole.reshape(-1, len(populated.vectors)) @ populated.vectors
            amplitude = vectors.T @ driven.reshape(len(energy), 3 * count)
            strength = np.square(amplitude).reshape(-1, 3, count).sum(axis=1)
            energies.append(energy)
            strengths.append(strength * (block.dimension / 3))
        return collect(np.concatenate(energies), np.concatenate(strengths), populated, negligible)

    def dense_sticks(
        self,
        parameters: Parameters,
        crystal_field: np.ndarray | None = None,
        *,
        quanty_zero: bool = False,
        negligible: float = NEGLIGIBLE,
    ) -> Sticks:
        """The same spectrum by full diagonalisation: slow, for checking and for other fields.

        Parameters
        ----------
        parameters
            As for `sticks`.
        crystal_field
            A further one-electron field on the 3d shell in eV, see
            `whiteline.multiplet.operators.d_shell`. It may have any symmetry as long as it is
            real in complex harmonics, as it is with the xz plane as a mirror, or for an exchange
            field in that plane. Its average over the orbitals moves the spectrum.
        quanty_zero
            Count the energies of each initial state i from <i|H_final|i>, as Quanty's
            ``CreateSpectra`` does, in place of <i|H_initial|i>.
        negligible
            As for `sticks`.

        Raises
        ------
        InputError
            As for `sticks`.
        """
        ops = self._operators
        initial, final = self.hamiltonians(parameters)
        field = d_shell(np.zeros((5, 5)) if crystal_field is None else crystal_field)
        initial_field, final_field = (
            one_body(field, basis) for basis in (ops.initial_basis, ops.final_basis)
        )
        energies, vectors = np.linalg.eigh((initial + initial_field).toarray())
        populated = populate(energies, vectors, parameters.temperature)
        if quanty_zero:
            # The 2p shell is full, so that what acts on it is a constant and is left out.
            parts = self._combine(ops.initial, "final")
            means = _weighted_sum(parts, self._coefficients(parameters)) + initial_field
            populated = _counted_from(populated, means)
        energies, vectors = np.linalg.eigh((final + final_field).toarray())
        strengths = sum(
            np.square(vectors.T @ (dipole @ populated.vectors)) for dipole in ops.dipole
        )
        return collect(energies, strengths / 3, populated, negligible)

    @cached_property
    def _initial_blocks(self) -> list[_Block]:
        """All rows of all irreps, because the partners of a level are populated as well."""
        ops = self._operators
        found = irreps(self._invariants(ops.initial), ops.initial_basis.twice_jz)
        return [
            _Block(irrep.dimension, row, _project(self._initial_parts, row))
            for irrep in found
            for row in irrep.rows
        ]

    @cached_property
    def _final_blocks(self) -> list[_Block]:
        """One row per irrep: in an isotropic spectrum its partners absorb the same."""
        ops = self._operators
        invariants = self._invariants(ops.final)
        if self.symmetry == "D4h":
            invariants.append(one_body(p_shell_axis(), ops.final_basis))
        return [self._final_block(i) for i in irreps(invariants, ops.final_basis.twice_jz)]

    def _final_block(self, irrep: Irrep) -> _Block:
        row = irrep.rows[0]
        dipole = np.stack([(q.T @ row).T for q in self._operators.dipole], axis=1)
        return _Block(irrep.dimension, row, _project(self._final_parts, row), dipole)

    def _invariants(self, named: Mapping[str, sp.csr_array]) -> list[sp.csr_array]:
        hidden = () if self.symmetry == "D4h" else TETRAGONAL
        return [operator for name, operator in named.items() if name not in hidden]

    def _combine(
        self, named: Mapping[str, sp.csr_array], configuration: str
    ) -> dict[str, sp.csr_array]:
        """The Hamiltonian's parts by the parameter that scales each, in eV for this ion."""
        values = self.integrals
        dd = {"f2_dd": f"f2_dd_{configuration}", "f4_dd": f"f4_dd_{configuration}"}
        pd = ("f2_pd", "g1_pd", "g3_pd")
        parts = {"slater_reduction": sum(getattr(values, dd[k]) * named[k] for k in dd)}
        if "zeta_2p" in named:
            parts["reduction_pd"] = sum(getattr(values, k) * named[k] for k in pd)
            parts["zeta_2p"] = values.zeta_2p * named["zeta_2p"]
        zeta_3d = getattr(values, f"zeta_3d_{configuration}")
        parts["zeta_3d_scale"] = zeta_3d * named["zeta_3d"]
        parts["ten_dq"] = named["ten_dq"]
        if self.symmetry == "D4h":
            parts |= {name: named[name] for name in TETRAGONAL}
        return parts

    def _coefficients(self, parameters: Parameters) -> dict[str, float]:
        if self.symmetry != "D4h" and (parameters.ds or parameters.dt):
            raise InputError(
                f"ds and dt must be 0 in {self.symmetry}, not {parameters.ds} and "
                f"{parameters.dt}; a tetragonal field needs the symmetry D4h"
            )
        sign = -1.0 if self.symmetry == "Td" else 1.0
        return {
            "slater_reduction": parameters.slater_reduction,
            "reduction_pd": parameters.reduction_pd,
            "zeta_2p": 1.0,
            "zeta_3d_scale": parameters.zeta_3d_scale,
            "ten_dq": sign * parameters.ten_dq,
            "ds": parameters.ds,
            "dt": parameters.dt,
        }

    @staticmethod
    def _select(coefficients: Mapping[str, float], parts: Mapping) -> np.ndarray:
        return np.array([coefficients[name] for name in parts])

    def _populated(self, coefficients: Mapping[str, float], temperature: float) -> Populated:
        selected = self._select(coefficients, self._initial_parts)
        energies, vectors = [], []
        for block in self._initial_blocks:
            energy, rotation = block.diagonalise(selected)
            energies.append(energy)
            vectors.append(block.basis @ rotation)
        return populate(np.concatenate(energies), np.hstack(vectors), temperature)


def _project(parts: Mapping[str, sp.csr_array], basis: np.ndarray) -> np.ndarray:
    """The parts within an invariant subspace, shape (parts, size, size)."""
    return np.stack([basis.T @ (operator @ basis) for operator in parts.values()])


def _weighted_sum(
    parts: Mapping[str, sp.csr_array], coefficients: Mapping[str, float]
) -> sp.csr_array:
    return sum(coefficients[name] * operator for name, operator in parts.items())


def _counted_from(populated: Populated, hamiltonian: sp.csr_array) -> Populated:
    """The same states with this Hamiltonian's mean values as energies, lowest first."""
    means = np.einsum("ik,ik->k", populated.vectors, hamiltonian @ populated.vectors)
    order = np.argsort(means, kind="stable")
    return Populated(means[order], populated.vectors[:, order], populated.populations[order])
