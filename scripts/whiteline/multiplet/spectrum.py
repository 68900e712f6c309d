"""Stick spectra of an ion in a crystal field.

The method is that of Thole et al., Phys. Rev. B 32, 5107 (1985) and de Groot et al., Phys. Rev. B
42, 5459 (1990): all states of 2p6 3d^n and 2p5 3d^(n+1) and the dipole transitions between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from whiteline.atomic import AtomicParameters, Ion, atomic_parameters
from whiteline.errors import InputError
from whiteline.multiplet.blocks import Block, FinalBlock, block, final_block
from whiteline.multiplet.determinants import one_body
from whiteline.multiplet.operators import d_shell, operators, p_shell_axis
from whiteline.multiplet.point_groups import FIELDS, POINT_GROUPS
from whiteline.multiplet.symmetry import irreps, sectors
from whiteline.simulation import (
    BOHR_MAGNETON,
    BOLTZMANN,
    NEGLIGIBLE,
    UNPOPULATED,
    Parameters,
    Populated,
    Sticks,
    collect,
    populate,
)

ATOMIC_OPERATORS = ("f2_dd", "f4_dd", "f2_pd", "g1_pd", "g3_pd", "zeta_3d", "zeta_2p")
ATOMIC = ("slater_reduction", "slater_reduction_pd", "zeta_3d_scale", "temperature")
PARAMETERS = ("ten_dq", "ds", "dt", "dsigma", "dtau", *ATOMIC, *FIELDS)
# Energy between L3 and L2 by number of 3d electrons, in units of zeta_2p. Without repulsion L3
# lies at -0.5 and L2 at 1; with it, the shift within a configuration goes with its d count.
BOUNDARY = (0.58, 0.44, 0.48, 0.58, 0.48, 0.70, 0.65, 0.60, 0.35, 0.25)


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
        ``"Oh"``, ``"Td"``, ``"D4h"`` (C4 axis along z) or ``"C3v"`` (C3 axis along z), see
        `whiteline.multiplet.point_groups`.
    integrals
        Unreduced Slater integrals and spin-orbit constants, by default the tabulated ones.

    Raises
    ------
    InputError
        If the symmetry is unknown or the ion is not in the table.
    """

    def __init__(self, ion: Ion, symmetry: str, integrals: AtomicParameters | None = None) -> None:
        if symmetry not in POINT_GROUPS:
            raise InputError(f"symmetry {symmetry!r} is not one of {', '.join(POINT_GROUPS)}")
        self.ion = ion
        self.symmetry = symmetry
        self._group = POINT_GROUPS[symmetry]
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
            If a parameter has no meaning in the symmetry or for this engine.
        """
        coefficients = self._coefficients(parameters)
        return (
            _weighted_sum(self._initial_parts, coefficients),
            _weighted_sum(self._final_parts, coefficients),
        )

    def sticks(
        self,
        parameters: Parameters,
        *,
        polarised: bool = False,
        negligible: float = NEGLIGIBLE,
    ) -> Sticks:
        """The spectrum at one point.

        Parameters
        ----------
        parameters
            Crystal field, reductions, fields and temperature.
        polarised
            Whether the three polarisations are wanted too.
        negligible
            Part of the total intensity that the sticks left out, the weakest, may hold
            together. With 0 all are kept.

        Raises
        ------
        InputError
            If a parameter has no meaning in the symmetry or for this engine.
        """
        coefficients = self._coefficients(parameters)
        in_field = any(coefficients[name] for name in FIELDS)
        populated = self._populated(coefficients, parameters.temperature, in_field)
        average = np.eye(3) if in_field else self._group.average
        if not polarised:
            average = np.full((1, 3), 1 / 3)
        selected = self._select(coefficients, self._final_parts, in_field)
        energies, strengths = [], []
        for part in self._field_blocks[1] if in_field else self._blocks[1]:
            energy, strength = part.absorb(selected, populated.vectors)
            energies.append(energy)
            strengths.append(np.einsum("pq,fqi->fip", part.dimension * average, strength))
        strengths = np.concatenate(strengths)
        return collect(
            np.concatenate(energies),
            strengths if polarised else strengths[:, :, 0],
            populated,
            negligible,
        )

    def dense_sticks(
        self,
        parameters: Parameters,
        crystal_field: np.ndarray | None = None,
        *,
        polarised: bool = False,
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
            `whiteline.multiplet.operators.d_shell`. It may have any symmetry and be complex. Its
            average over the orbitals moves the spectrum.
        polarised
            As for `sticks`.
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
        strengths = np.stack(
            [_square(vectors.conj().T @ (q @ populated.vectors)) for q in ops.dipole], axis=-1
        )
        if not polarised:
            strengths = strengths.mean(axis=-1)
        return collect(energies, strengths, populated, negligible)

    @cached_property
    def _blocks(self) -> tuple[list[Block], list[FinalBlock]]:
        """Blocks without a field along z.

        All rows of the initial irreps, because the partners of a level are populated as well; one
        row of the final ones, because its partners absorb the same: the light that a
        `PointGroup.average` makes of the polarisations is invariant.
        """
        ops, order = self._operators, self._group.axis_order
        initial = irreps(self._invariants(ops.initial), ops.initial_basis.twice_jz, order)
        invariants = self._invariants(ops.final)
        if not self._group.is_cubic:
            # ASSUME: what only the spherical 2p shell makes degenerate are no partners.
            invariants.append(one_body(p_shell_axis(), ops.final_basis))
        final = irreps(invariants, ops.final_basis.twice_jz, order)
        initial_parts, final_parts = (
            [part for name, part in parts.items() if name not in FIELDS]
            for parts in (self._initial_parts, self._final_parts)
        )
        return (
            [block(initial_parts, irrep.rows) for irrep in initial],
            [final_block(final_parts, ops.dipole, i.rows[0], i.dimension) for i in final],
        )

    @cached_property
    def _field_blocks(self) -> tuple[list[Block], list[FinalBlock]]:
        """Blocks in a field along z, which has irreps of one dimension only."""
        ops, order = self._operators, self._group.axis_order
        initial_parts, final_parts = (
            list(parts.values()) for parts in (self._initial_parts, self._final_parts)
        )
        return (
            [block(initial_parts, i.rows) for i in sectors(ops.initial_basis.twice_jz, order)],
            [
                final_block(final_parts, ops.dipole, i.rows[0], i.dimension)
                for i in sectors(ops.final_basis.twice_jz, order)
            ],
        )

    def _invariants(self, named: Mapping[str, sp.csr_array]) -> list[sp.csr_array]:
        own = (*ATOMIC_OPERATORS, *self._group.crystal_field.values())
        return [named[name] for name in own if name in named]

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
        parts |= {name: named[field] for name, field in self._group.crystal_field.items()}
        parts["exchange_field"] = named["sz"]
        parts["magnetic_field"] = BOHR_MAGNETON * (named["lz"] + 2 * named["sz"])
        return parts

    def _coefficients(self, parameters: Parameters) -> dict[str, float]:
        parameters.check(self.symmetry, PARAMETERS, "multiplet")
        return {
            **parameters.as_dict(),
            "reduction_pd": parameters.reduction_pd,
            "zeta_2p": 1.0,
            "ten_dq": self._group.ten_dq_sign * parameters.ten_dq,
        }

    @staticmethod
    def _select(coefficients: Mapping[str, float], parts: Mapping, in_field: bool) -> np.ndarray:
        return np.array([coefficients[n] for n in parts if in_field or n not in FIELDS])

    def _populated(
        self, coefficients: Mapping[str, float], temperature: float, in_field: bool
    ) -> Populated:
        selected = self._select(coefficients, self._initial_parts, in_field)
        blocks = self._field_blocks[0] if in_field else self._blocks[0]
        solved = [part.diagonalise(selected) for part in blocks]
        ground = min(energy[0] for energy, _ in solved)
        # Vectors of states that `populate` would leave out are not made.
        highest = ground - 1.001 * BOLTZMANN * temperature * np.log(UNPOPULATED)
        energies, vectors = [], []
        for part, (energy, rotation) in zip(blocks, solved, strict=True):
            count = np.searchsorted(energy, highest, side="right")
            for row in part.rows if count else ():
                energies.append(energy[:count])
                vectors.append(row @ rotation[:, :count])
        return populate(np.concatenate(energies), np.hstack(vectors), temperature)


def _weighted_sum(
    parts: Mapping[str, sp.csr_array], coefficients: Mapping[str, float]
) -> sp.csr_array:
    return sum(coefficients[name] * operator for name, operator in parts.items())


def _counted_from(populated: Populated, hamiltonian: sp.csr_array) -> Populated:
    """The same states with this Hamiltonian's mean values as energies, lowest first."""
    vectors = populated.vectors
    means = np.einsum("ik,ik->k", vectors.conj(), hamiltonian @ vectors).real
    order = np.argsort(means, kind="stable")
    return Populated(means[order], vectors[:, order], populated.populations[order])


def _square(amplitude: np.ndarray) -> np.ndarray:
    return (amplitude * amplitude.conj()).real
