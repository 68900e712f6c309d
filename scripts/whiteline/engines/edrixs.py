"""EDRIXS, the exact-diagonalisation toolkit, through its dense operators."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np

from whiteline.atomic import Ion, atomic_parameters
from whiteline.engines import base
from whiteline.multiplet.spectrum import BOUNDARY
from whiteline.simulation import BOHR_MAGNETON, Parameters, Sticks, merge, populate

FACTS = base.Facts(
    name="EDRIXS",
    reference="Wang et al., Comput. Phys. Commun. 243, 151 (2019), doi 10.1016/j.cpc.2019.04.018",
    symmetries=("Oh", "Td", "D4h"),
    parameters=(
        "ten_dq",
        "ds",
        "dt",
        "slater_reduction",
        "slater_reduction_pd",
        "zeta_3d_scale",
        "exchange_field",
        "magnetic_field",
        "temperature",
    ),
    installation="install it with: pip install 'whiteline[edrixs]'",
)

# The squares of its dipole operator between 2p and 3d over those of C^1.
DIPOLE_NORM = 2.5


def version() -> str | None:
    """Version of the package edrixs, None where it is not installed."""
    try:
        return metadata.version("edrixs")
    except metadata.PackageNotFoundError:
        return None


class Engine(base.Engine):
    """Builds and diagonalises all of both Hamiltonians at each point: exact, and slow."""

    @property
    def l3_l2_boundary(self) -> float:
        """See `whiteline.multiplet.Multiplet.l3_l2_boundary`."""
        return BOUNDARY[self.ion.d_count] * atomic_parameters(self.ion).zeta_2p

    def sticks(self, parameters: Parameters, *, polarised: bool = False) -> Sticks:
        """See `whiteline.engines.base.Engine.sticks`."""
        import edrixs

        parameters.check(self.symmetry, FACTS.parameters, "edrixs")
        *problem, _ = model(self.ion, self.symmetry, parameters)
        initial, final, dipole = edrixs.get_ops(*problem, backend="dense")
        populated = populate(*edrixs.ed(initial, len(initial)), parameters.temperature)
        energies, vectors = edrixs.ed(final, len(final))
        x, y, z = (vectors.conj().T @ (part @ populated.vectors) for part in dipole)
        # C^1_q of the unit vector, q = -1, 0, 1.
        amplitudes = np.stack([(x - 1j * y) / np.sqrt(2), z, -(x + 1j * y) / np.sqrt(2)], axis=-1)
        strengths = np.abs(amplitudes) ** 2 * populated.populations[:, None] / DIPOLE_NORM
        components = strengths.reshape(-1, 3)
        return merge(
            (energies[:, None] - populated.energies).ravel(),
            components if polarised else components.mean(axis=1),
        )


def model(ion: Ion, symmetry: str, parameters: Parameters) -> tuple[Any, ...]:
    """What ``edrixs.model_1v1c`` makes of an ion and its surroundings.

    F0 is set so that the configuration averages vanish. EDRIXS writes the tetragonal field with
    d1 = 3 Ds - 5 Dt and d3 = 4 Ds + 5 Dt, and knows no Td, which is Oh with the sign turned.
    """
    import edrixs

    integrals = atomic_parameters(ion)
    dd, pd, zeta = parameters.slater_reduction, parameters.reduction_pd, parameters.zeta_3d_scale
    ten_dq = -parameters.ten_dq if symmetry == "Td" else parameters.ten_dq
    ds, dt = parameters.ds, parameters.dt
    spin, orbital = edrixs.get_sz(2), edrixs.get_lz(2, True)
    magnetic = BOHR_MAGNETON * parameters.magnetic_field
    return edrixs.model_1v1c(
        ("d", "p"),
        v_soc=(zeta * integrals.zeta_3d_initial, zeta * integrals.zeta_3d_final),
        c_soc=integrals.zeta_2p,
        v_noccu=ion.d_count,
        slater=(
            _slater(dd * integrals.f2_dd_initial, dd * integrals.f4_dd_initial),
            _slater(
                dd * integrals.f2_dd_final,
                dd * integrals.f4_dd_final,
                pd * integrals.f2_pd,
                pd * integrals.g1_pd,
                pd * integrals.g3_pd,
            ),
        ),
        v_cfmat=edrixs.cf_tetragonal_d(ten_dq, 3 * ds - 5 * dt, 4 * ds + 5 * dt),
        v_othermat=parameters.exchange_field * spin + magnetic * (orbital + 2 * spin),
    )


def _slater(
    f2: float, f4: float, f2_pd: float = 0.0, g1: float = 0.0, g3: float = 0.0
) -> list[float]:
    """F0dd, F2dd, F4dd, F0pd, F2pd, G1pd, G3pd, the order in which EDRIXS takes them."""
    return [2 / 63 * (f2 + f4), f2, f4, g1 / 15 + 3 / 70 * g3, f2_pd, g1, g3]
