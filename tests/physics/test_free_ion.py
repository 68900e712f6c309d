"""Ground terms of free ions, by Hund's rules, and the sums of their spectra."""

import numpy as np
import pytest

from whiteline.atomic import atomic_parameters, ions
from whiteline.multiplet import Multiplet, Parameters
from whiteline.multiplet.determinants import SPIN_ORBITALS, configuration, one_body

ONE_ION_PER_COUNT = {ion.d_count: ion for ion in ions()}
HUND = {  # spin, orbital and total angular momentum
    1: (1 / 2, 2, 3 / 2),
    2: (1, 3, 2),
    3: (3 / 2, 3, 3 / 2),
    4: (2, 2, 0),
    5: (5 / 2, 0, 5 / 2),
    6: (2, 2, 4),
    7: (3 / 2, 3, 9 / 2),
    8: (1, 3, 4),
    9: (1 / 2, 2, 5 / 2),
}


def angular_momenta(d_count):
    """Dense matrices of S^2, L^2 and J^2 over the determinants of 2p6 3d^n."""
    basis = configuration(6, d_count)

    def squared(raise_spin, raise_orbital):
        raising, projection = np.zeros((16, 16)), np.zeros((16, 16))
        for i, left in enumerate(SPIN_ORBITALS):
            projection[i, i] = raise_spin * left.twice_sz / 2 + raise_orbital * left.m
            for j, right in enumerate(SPIN_ORBITALS):
                spin_step = (left.twice_sz - right.twice_sz) // 2
                if left.shell != right.shell:
                    continue
                if (left.m - right.m, spin_step) == (0, 1):
                    raising[i, j] = raise_spin
                if (left.m - right.m, spin_step) == (1, 0):
                    norm = left.shell * (left.shell + 1) - left.m * right.m
                    raising[i, j] = raise_orbital * np.sqrt(norm)
        up, z = one_body(raising, basis).toarray(), one_body(projection, basis).toarray()
        return up.T @ up + z @ z + z

    return squared(1, 0), squared(0, 1), squared(1, 1)


def ground_level(d_count, zeta_3d_scale):
    multiplet = Multiplet(ONE_ION_PER_COUNT[d_count], "Oh")
    initial, _ = multiplet.hamiltonians(Parameters(zeta_3d_scale=zeta_3d_scale))
    energies, vectors = np.linalg.eigh(initial.toarray())
    return vectors[:, energies < energies[0] + 1e-6]


def mean_values(vectors, squared):
    return np.einsum("ik,ik->k", vectors, squared @ vectors)


@pytest.mark.parametrize("d_count", HUND)
def test_ground_term_follows_hund(d_count):
    spin, orbital, total = HUND[d_count]
    spin_squared, orbital_squared, total_squared = angular_momenta(d_count)
    term = ground_level(d_count, zeta_3d_scale=0.0)
    assert term.shape[1] == (2 * spin + 1) * (2 * orbital + 1)
    assert mean_values(term, spin_squared) == pytest.approx(spin * (spin + 1), abs=1e-9)
    assert mean_values(term, orbital_squared) == pytest.approx(orbital * (orbital + 1), abs=1e-9)
    level = ground_level(d_count, zeta_3d_scale=1.0)
    assert level.shape[1] == 2 * total + 1
    assert mean_values(level, total_squared) == pytest.approx(total * (total + 1), abs=1e-9)


@pytest.mark.parametrize("d_count", range(10))
def test_configuration_averages_vanish(d_count):
    """F0 = 2/63 (F2 + F4) and G1/15 + 3/70 G3 cancel the averages; check the operators' shifts."""
    multiplet = Multiplet(ONE_ION_PER_COUNT[d_count], "D4h")
    parameters = Parameters(ten_dq=1.3, ds=0.1, dt=0.05)
    for hamiltonian in multiplet.hamiltonians(parameters):
        assert hamiltonian.trace() / hamiltonian.shape[0] == pytest.approx(0.0, abs=1e-11)


def test_f0_of_two_electrons():
    """The 1G of d2 lies at F0 + 4/49 F2 + F4/441 with F0 = 2/63 (F2 + F4) (Cowan 1981)."""
    ion = ONE_ION_PER_COUNT[2]
    values = atomic_parameters(ion)
    f2, f4 = values.f2_dd_initial, values.f4_dd_initial
    initial, _ = Multiplet(ion, "Oh").hamiltonians(
        Parameters(slater_reduction=1.0, zeta_3d_scale=0.0)
    )
    energies = np.linalg.eigvalsh(initial.toarray())
    f0 = 2 / 63 * (f2 + f4)
    for term, degeneracy in (
        (f0 - 8 / 49 * f2 - 9 / 441 * f4, 21),  # 3F
        (f0 + 7 / 49 * f2 - 84 / 441 * f4, 9),  # 3P
        (f0 + 4 / 49 * f2 + 1 / 441 * f4, 9),  # 1G
        (f0 - 3 / 49 * f2 + 36 / 441 * f4, 5),  # 1D
        (f0 + 14 / 49 * f2 + 126 / 441 * f4, 1),  # 1S
    ):
        assert np.sum(np.abs(energies - term) < 1e-9) == degeneracy


@pytest.mark.parametrize("symmetry", ["Oh", "Td", "D4h"])
@pytest.mark.parametrize("ion", ions(), ids=lambda ion: ion.name)
def test_dipole_sum_rule(ion, symmetry):
    sticks = Multiplet(ion, symmetry).sticks(Parameters(ten_dq=1.1), negligible=0.0)
    assert sticks.intensity.sum() == pytest.approx(2 / 15 * (10 - ion.d_count), rel=1e-12)


@pytest.mark.parametrize("d_count", range(10))
def test_statistical_ratio_without_repulsion(d_count):
    multiplet = Multiplet(ONE_ION_PER_COUNT[d_count], "Oh")
    sticks = multiplet.sticks(
        Parameters(ten_dq=0.0, slater_reduction=0.0, zeta_3d_scale=0.0), negligible=0.0
    )
    l3 = sticks.intensity[sticks.energy < multiplet.l3_l2_boundary].sum()
    assert l3 / (sticks.intensity.sum() - l3) == pytest.approx(2.0, rel=1e-10)


@pytest.mark.parametrize("ion", [ion for ion in ions() if ion.d_count == 9], ids=lambda i: i.name)
def test_d9_hole_shows_l3_only(ion):
    """The hole of the ground state is 2D5/2, which 2p1/2 does not reach."""
    multiplet = Multiplet(ion, "Oh")
    sticks = multiplet.sticks(Parameters(temperature=10.0), negligible=0.0)
    l2 = sticks.intensity[sticks.energy > multiplet.l3_l2_boundary].sum()
    assert l2 < 1e-12 * sticks.intensity.sum()
