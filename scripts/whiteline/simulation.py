"""What a simulation takes and gives, whatever the engine: parameters, sticks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite, isnan
from typing import Any

import numpy as np

from whiteline.errors import InputError

BOLTZMANN = 8.617333262e-5  # eV/K
BOHR_MAGNETON = 5.7883818060e-5  # eV/T
UNPOPULATED = 1e-10  # initial states with less of the ground state's population are left out
NEGLIGIBLE = 1e-7  # part of the total intensity that the weakest sticks, left out, may hold
SAME_LEVEL = 1e-9  # eV; initial states closer than this are degenerate
SAME_ENERGY = 1e-6  # eV; neighbours closer than this make one stick, at their centre


@dataclass(frozen=True)
class Axis:
    """Facts about one parameter: unit, meaning, name in text, and the symmetries that have it."""

    units: str
    long_name: str
    label: str
    symmetries: tuple[str, ...] | None = None


def _axis(default: float | None, *facts: Any) -> Any:
    return field(default=default, metadata={"axis": Axis(*facts)})


@dataclass(frozen=True)
class Parameters:
    """What is varied in a simulation; ``AXES`` tells units and meaning of each.

    ``slater_reduction`` multiplies the Hartree-Fock d-d Slater integrals,
    ``slater_reduction_pd`` the p-d ones (None: the same factor). Fields point along the
    symmetry axis z: C4 in Oh, Td and D4h, C3 in C3v. The exchange field adds
    ``exchange_field * Sz``, the magnetic field ``mu_B B (Lz + 2 Sz)``, both in 3d.

    ``delta`` None means no ligand shell. Otherwise the energies of the configurations follow
    Zaanen, Sawatzky and Allen, Phys. Rev. Lett. 55, 418 (1985): d^n at 0, d^(n+1) L at delta,
    d^(n+2) L^2 at 2 delta + u_dd; with the core hole d^(n+1) at 0, d^(n+2) L at
    delta + u_dd - u_pd, d^(n+3) L^2 at 2 (delta + u_dd - u_pd) + u_dd, as in Crispy and Quanty.
    They are averages; ``v_eg`` and ``v_t2g``, matrix elements of one electron, mix them.
    """

    ten_dq: float = _axis(0.0, "eV", "cubic crystal field 10Dq", "10Dq")
    ds: float = _axis(0.0, "eV", "tetragonal crystal field Ds", "Ds", ("D4h",))
    dt: float = _axis(0.0, "eV", "tetragonal crystal field Dt", "Dt", ("D4h",))
    dsigma: float = _axis(0.0, "eV", "trigonal crystal field Dsigma", "Dσ", ("C3v",))
    dtau: float = _axis(0.0, "eV", "trigonal crystal field Dtau", "Dτ", ("C3v",))
    slater_reduction: float = _axis(
        0.8, "1", "reduction of the d-d Slater integrals from Hartree-Fock", "Slater reduction"
    )
    slater_reduction_pd: float | None = _axis(
        None,
        "1",
        "reduction of the p-d Slater integrals from Hartree-Fock",
        "Slater reduction (p-d)",
    )
    zeta_3d_scale: float = _axis(
        1.0, "1", "scale of the 3d spin-orbit coupling", "scale of the 3d spin-orbit coupling"
    )
    exchange_field: float = _axis(
        0.0, "eV", "exchange field on the 3d spin, along z", "exchange field"
    )
    magnetic_field: float = _axis(0.0, "T", "magnetic field along z", "magnetic field")
    delta: float | None = _axis(None, "eV", "charge-transfer energy Delta", "Δ", ("Oh", "Td"))
    u_dd: float = _axis(0.0, "eV", "3d-3d repulsion Udd", "Udd", ("Oh", "Td"))
    u_pd: float = _axis(0.0, "eV", "2p-3d attraction Upd", "Upd", ("Oh", "Td"))
    v_eg: float = _axis(0.0, "eV", "hopping V(e) to the ligands", "V(e)", ("Oh", "Td"))
    v_t2g: float = _axis(0.0, "eV", "hopping V(t2) to the ligands", "V(t2)", ("Oh", "Td"))
    ten_dq_ligand: float = _axis(0.0, "eV", "10Dq of the ligands", "10Dq(L)", ("Oh", "Td"))
    temperature: float = _axis(300.0, "K", "temperature of the initial states", "temperature")

    def __post_init__(self) -> None:
        for name, value in self.as_dict().items():
            if value is not None and not isfinite(value):
                raise InputError(f"{name} must be a finite number, not {value}")
        if self.temperature <= 0:
            raise InputError(f"temperature must be above 0 K, not {self.temperature}")

    @classmethod
    def from_row(cls, row: Mapping[str, float]) -> Parameters:
        """Parameters from numbers of a file, where NaN stands for None."""
        return cls(**{name: None if isnan(value) else float(value) for name, value in row.items()})

    def as_dict(self) -> dict[str, float | None]:
        """Values by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def reduction_pd(self) -> float:
        """The factor of the p-d Slater integrals."""
        if self.slater_reduction_pd is None:
            return self.slater_reduction
        return self.slater_reduction_pd

    def check(self, symmetry: str, known: tuple[str, ...], engine: str) -> None:
        """Refuse parameters that a symmetry does not have or an engine does not know.

        Raises
        ------
        InputError
            For the first parameter that is set and has no meaning.
        """
        for f in fields(self):
            if getattr(self, f.name) == f.default:
                continue
            symmetries = AXES[f.name].symmetries
            if symmetries is not None and symmetry not in symmetries:
                raise InputError(
                    f"{f.name} must be {f.default or 0:g} in {symmetry}, not "
                    f"{getattr(self, f.name):g}; it needs the symmetry {' or '.join(symmetries)}"
                )
            if f.name not in known:
                raise InputError(f"the engine {engine!r} has no {f.name}")


# The polarisations of the light by q of the dipole operator C^1_q. Circular light travels along z;
# "left" and "right" are the names in Quanty, where r is q = -1 and l is q = +1.
POLARISATIONS = ("right", "parallel", "left")
# What light of each kind takes of the three; "perpendicular" is linear light across z. Dichroism
# is parallel less perpendicular, and right less left, as Quanty's templates in Crispy have it.
POLARISATION_WEIGHTS: dict[str, dict[str, float]] = {
    "isotropic": {"right": 1 / 3, "parallel": 1 / 3, "left": 1 / 3},
    "parallel": {"right": 0.0, "parallel": 1.0, "left": 0.0},
    "perpendicular": {"right": 0.5, "parallel": 0.0, "left": 0.5},
    "right": {"right": 1.0, "parallel": 0.0, "left": 0.0},
    "left": {"right": 0.0, "parallel": 0.0, "left": 1.0},
    "linear_dichroism": {"right": -0.5, "parallel": 1.0, "left": -0.5},
    "circular_dichroism": {"right": 1.0, "parallel": 0.0, "left": -1.0},
}
# The axes of a simulation, in the order in which a library runs through them.
AXES: dict[str, Axis] = {f.name: f.metadata["axis"] for f in fields(Parameters)}
DEFAULTS: dict[str, float | None] = {f.name: f.default for f in fields(Parameters)}


def without_tied(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Values of spectra by parameter, each (n,), without the p-d Slater reduction where it is the
    d-d one's: one factor for both is one parameter.
    """
    own, pd = (columns[f"slater_reduction{end}"] for end in ("", "_pd"))
    tied = np.array_equal(own, pd, equal_nan=True)
    return {k: v for k, v in columns.items() if not tied or k != "slater_reduction_pd"}


@dataclass(frozen=True, eq=False)
class Sticks:
    """A spectrum before broadening.

    Attributes
    ----------
    energy
        E_final - E_initial in eV, ascending, shape (sticks,); zero is the difference of the
        configuration averages.
    intensity
        Squared matrix elements of C^1_q averaged over q = -1, 0, 1, shape (sticks,). They add
        up to 2/15 per hole in the 3d shell.
    components
        The same for each q = -1, 0, 1 (`POLARISATIONS`), shape (sticks, 3), where they were asked
        for: ``intensity`` is their mean.
    """

    energy: np.ndarray
    intensity: np.ndarray
    components: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Populated:
    """Initial states with their share: energies (k,), vectors (states, k), populations (k,)."""

    energies: np.ndarray
    vectors: np.ndarray
    populations: np.ndarray


def populate(energies: np.ndarray, vectors: np.ndarray, temperature: float) -> Populated:
    """The initial states that are populated at a temperature (K), lowest first."""
    order = np.argsort(energies, kind="stable")
    weights = np.exp((energies[order[0]] - energies[order]) / (BOLTZMANN * temperature))
    kept = order[weights > UNPOPULATED]
    weights = weights[: len(kept)]
    return Populated(energies[kept], vectors[:, kept], weights / weights.sum())


def collect(
    energies: np.ndarray, strengths: np.ndarray, populated: Populated, negligible: float
) -> Sticks:
    """Sticks from final energies (f,) and squared dipole matrix elements.

    These have the shape (f, initial states), averaged over the polarisations, or
    (f, initial states, 3), one for each. Initial states of one level are added first, as they
    give sticks of the same energy.
    """
    starts = _group_starts(populated.energies, SAME_LEVEL)
    shares = populated.populations.reshape(-1, *[1] * (strengths.ndim - 2))
    weighted = np.add.reduceat(strengths * shares, starts, axis=1)
    energy = (energies[:, None] - populated.energies[starts]).ravel()
    return merge(energy, weighted.reshape(-1, *strengths.shape[2:]), negligible)


def merge(energy: np.ndarray, intensity: np.ndarray, negligible: float = NEGLIGIBLE) -> Sticks:
    """Sticks in order of energy; those at one energy become one, the weakest are left out.

    Parameters
    ----------
    energy
        In eV, shape (n,).
    intensity
        Shape (n,), or (n, 3) for the three polarisations, which then share their energies:
        their mean places a stick and decides whether it is kept.
    negligible
        Part of the total intensity that the sticks left out may hold together.
    """
    order = np.argsort(energy, kind="stable")
    energy, intensity = energy[order], intensity[order]
    starts = _group_starts(energy, SAME_ENERGY)
    offset = energy - np.repeat(energy[starts], np.diff(starts, append=len(energy)))
    components = np.add.reduceat(intensity, starts, axis=0) if intensity.ndim == 2 else None
    mean = intensity if components is None else intensity.mean(axis=1)
    merged = np.add.reduceat(mean, starts)
    moment = np.add.reduceat(mean * offset, starts)
    shift = np.divide(moment, merged, out=np.zeros_like(merged), where=merged > 0)
    kept = _without_weakest(merged, negligible)
    return Sticks(
        (energy[starts] + shift)[kept],
        merged[kept],
        None if components is None else components[kept],
    )


def in_polarisation(sticks: Sticks, polarisation: str) -> np.ndarray:
    """What light of one of `POLARISATION_WEIGHTS` absorbs, shape (sticks,); signed for dichroism.

    Raises
    ------
    InputError
        If the sticks hold no components.
    """
    if sticks.components is None:
        raise InputError(f"{polarisation} light needs sticks of the three polarisations")
    weights = POLARISATION_WEIGHTS[polarisation]
    return sticks.components @ [weights[name] for name in POLARISATIONS]


def _group_starts(ascending: np.ndarray, gap: float) -> np.ndarray:
    """Index of the first of each group of values whose neighbours are no further than ``gap``."""
    return np.flatnonzero(np.diff(ascending, prepend=-np.inf) > gap)


def _without_weakest(intensity: np.ndarray, part: float) -> np.ndarray:
    """True for the sticks to keep, so that the others hold at most ``part`` of the total."""
    order = np.argsort(intensity, kind="stable")
    kept = np.ones(len(intensity), dtype=bool)
    kept[order[np.cumsum(intensity[order]) <= part * intensity.sum()]] = False
    return kept
