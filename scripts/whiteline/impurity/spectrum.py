"""Stick spectra of an ion in a cubic field that shares electrons with its ligands.

The model is that of Zaanen, Sawatzky and Allen, Phys. Rev. Lett. 55, 418 (1985), as used for
L2,3 edges by van der Laan et al., Phys. Rev. B 33, 4253 (1986) and de Groot, Coord. Chem. Rev.
249, 31 (2005): a single impurity with one ligand shell that has the symmetry of 3d.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from whiteline.atomic import AtomicParameters, Ion
from whiteline.errors import InputError
from whiteline.impurity.integrals import SHARED, configuration_integrals
from whiteline.impurity.krylov import lowest, spectral_function
from whiteline.impurity.operators import Sector, sectors
from whiteline.multiplet.spectrum import BOUNDARY
from whiteline.simulation import BOLTZMANN, NEGLIGIBLE, Parameters, Sticks, merge

SYMMETRIES = ("Oh", "Td")
CONFIGURATIONS = (1, 2, 3)
UNPOPULATED = 1e-6  # initial states with less of the ground state's population are left out
# Steps of Lanczos by number of configurations, which widen the spectrum. With them curves of
# HWHM 0.2 eV are converged to 2e-5 of the peak, of HWHM 0.1 eV to 4e-3.
STEPS = {1: 300, 2: 400, 3: 600}


@dataclass(frozen=True, eq=False)
class InitialState:
    """A populated initial state and its partners in the sectors that are like its own.

    Attributes
    ----------
    sector
        Where it lies.
    energy
        In eV, counted from the average of 3d^n.
    vector
        Shape (states of the sector,).
    population
        Share of the state and of its partners.
    """

    sector: Sector
    energy: float
    vector: np.ndarray
    population: float

    @property
    def ligand_holes(self) -> float:
        """Mean number of ligand holes; with two configurations the weight of the second."""
        return float(np.square(self.vector) @ self.sector.ligand_holes)


class Impurity:
    """L2,3 stick spectra of one ion with a ligand shell in a cubic point group.

    Building it makes the operators once. The initial states are found by Lanczos; a spectrum is
    then a Lanczos tridiagonalisation from each of them, excited by the dipole. Cubic symmetry
    saves work: the light along z serves for all, and only one of the sectors Jz and -Jz is
    calculated. Results are the same to the last bit from run to run on one machine with the same
    number of BLAS threads; use one.

    Parameters
    ----------
    ion
        The ion, see `whiteline.atomic.parse_ion`.
    symmetry
        ``"Oh"`` or ``"Td"``. Td is Oh with the sign of 10Dq and of that of the ligands turned.
    configurations
        Length of the expansion d^n, d^(n+1) L, d^(n+2) L^2.
    integrals
        Whose integrals the configurations with ligand holes have: ``"shared"`` or ``"own"``, see
        `whiteline.impurity.integrals.configuration_integrals`.

    Attributes
    ----------
    integrals
        Unreduced Slater integrals and spin-orbit constants of each configuration.

    Raises
    ------
    InputError
        If the symmetry, the number of configurations or the integrals are not one of these.
    """

    def __init__(
        self,
        ion: Ion,
        symmetry: str,
        configurations: int = 2,
        integrals: str = SHARED,
    ) -> None:
        if symmetry not in SYMMETRIES:
            raise InputError(f"symmetry {symmetry!r} is not one of {', '.join(SYMMETRIES)}")
        if configurations not in CONFIGURATIONS:
            raise InputError(f"configurations must be 1, 2 or 3, not {configurations}")
        self.ion = ion
        self.symmetry = symmetry
        self.configurations = configurations
        self.integrals = configuration_integrals(ion, configurations, integrals)
        self.sectors = sectors(ion.d_count, configurations)

    @property
    def l3_l2_boundary(self) -> float:
        """Energy in eV on the stick axis that parts L3 (below) from L2 (above).

        It is that of `whiteline.multiplet.Multiplet`. Ligands move the main line down by up to
        1 eV but hardly the minimum before L2: for Mn, Fe, Co and Ni with Delta from 2 to 7 and
        V(eg) up to 2.5 eV the intensity there (HWHM 0.4 eV) is at most 1 % of the peak above that
        of the minimum. Satellites of L3 that lie beyond it get the width of L2.
        """
        return BOUNDARY[self.ion.d_count] * self.integrals[0].zeta_2p

    def initial_coefficients(self, parameters: Parameters) -> list[dict[str, float]]:
        """What multiplies the operators of the initial states, in eV, for each configuration."""
        shared = self._shared_coefficients(parameters)
        return [shared | _initial_integrals(values, parameters) for values in self.integrals]

    def final_coefficients(self, parameters: Parameters) -> list[dict[str, float]]:
        """What multiplies the operators of the final states, in eV, for each configuration."""
        shared = self._shared_coefficients(parameters)
        shared["ligand_holes"] += parameters.u_dd - parameters.u_pd
        return [shared | _final_integrals(values, parameters) for values in self.integrals]

    def initial_states(self, parameters: Parameters) -> list[InitialState]:
        """The populated initial states, lowest first."""
        coefficients = self.initial_coefficients(parameters)
        thermal = BOLTZMANN * parameters.temperature
        window = -np.log(UNPOPULATED) * thermal
        found = []
        for sector in self.sectors:
            energies, vectors = lowest(sector.initial(*coefficients), window)
            found += [
                InitialState(sector, energy, vector, sector.multiplicity)
                for energy, vector in zip(energies, vectors.T, strict=True)
            ]
        ground = min(state.energy for state in found)
        found = sorted(
            (state for state in found if state.energy - ground <= window),
            key=lambda state: state.energy,
        )
        weights = [s.population * np.exp((ground - s.energy) / thermal) for s in found]
        return [
            replace(state, population=weight / sum(weights))
            for state, weight in zip(found, weights, strict=True)
        ]

    def sticks(
        self,
        parameters: Parameters,
        *,
        polarised: bool = False,
        negligible: float = NEGLIGIBLE,
        steps: int | None = None,
    ) -> Sticks:
        """The spectrum; the poles of Lanczos stand for the true ones, which are too many.

        Energies are E_final - E_initial, counted from the averages of the ionic configurations
        3d^n and 2p5 3d^(n+1), as in the crystal-field engine. Hybridisation lowers initial and
        final states, each by its own amount, and so moves the spectrum.

        Parameters
        ----------
        parameters
            Crystal field, charge transfer, reductions and temperature.
        polarised
            Whether to give the components, which are all equal in cubic symmetry.
        negligible
            Part of the total intensity that the sticks left out, the weakest, may hold
            together. With 0 all are kept.
        steps
            Steps of Lanczos from each initial state, by default `STEPS`.

        Raises
        ------
        InputError
            If delta is not given.
        """
        coefficients = self.final_coefficients(parameters)
        steps = STEPS[self.configurations] if steps is None else steps
        hamiltonians: dict[Sector, sp.csr_array] = {}
        energies, strengths = [], []
        for state in self.initial_states(parameters):
            if state.sector not in hamiltonians:
                hamiltonians[state.sector] = state.sector.final(*coefficients)
            excited = state.sector.dipole @ state.vector
            poles, weights = spectral_function(hamiltonians[state.sector], excited, steps)
            energies.append(poles - state.energy)
            strengths.append(state.population * weights)
        found = merge(np.concatenate(energies), np.concatenate(strengths), negligible)
        if polarised:
            found = replace(found, components=np.repeat(found.intensity[:, None], 3, axis=1))
        return found

    def _shared_coefficients(self, parameters: Parameters) -> dict[str, float]:
        if parameters.delta is None and self.configurations > 1:
            raise InputError("delta is missing; charge transfer needs it")
        sign = -1.0 if self.symmetry == "Td" else 1.0
        return {
            "ten_dq": sign * parameters.ten_dq,
            "ten_dq_ligand": sign * parameters.ten_dq_ligand,
            "v_eg": parameters.v_eg,
            "v_t2g": parameters.v_t2g,
            "ligand_holes": parameters.delta or 0.0,
            "ligand_hole_pairs": parameters.u_dd,
        }


def _initial_integrals(values: AtomicParameters, parameters: Parameters) -> dict[str, float]:
    return {
        "f2_dd": parameters.slater_reduction * values.f2_dd_initial,
        "f4_dd": parameters.slater_reduction * values.f4_dd_initial,
        "zeta_3d": parameters.zeta_3d_scale * values.zeta_3d_initial,
    }


def _final_integrals(values: AtomicParameters, parameters: Parameters) -> dict[str, float]:
    return {
        "f2_dd": parameters.slater_reduction * values.f2_dd_final,
        "f4_dd": parameters.slater_reduction * values.f4_dd_final,
        "f2_pd": parameters.reduction_pd * values.f2_pd,
        "g1_pd": parameters.reduction_pd * values.g1_pd,
        "g3_pd": parameters.reduction_pd * values.g3_pd,
        "zeta_3d": parameters.zeta_3d_scale * values.zeta_3d_final,
        "zeta_2p": values.zeta_2p,
    }
