"""What a crystal field must do, whatever the program."""

import numpy as np
import pytest
from scipy.linalg import expm

from whiteline.atomic import parse_ion
from whiteline.multiplet import Multiplet, Parameters
from whiteline.multiplet.determinants import SPIN_ORBITALS, configuration, one_body
from whiteline.multiplet.operators import CRYSTAL_FIELDS

AXIS = np.arange(-15.0, 25.0, 0.05)
CLASSES = ("Sc3+", "V4+", "V3+", "Mn4+", "Mn3+", "Mn2+", "Fe2+", "Co2+", "Ni2+", "Cu2+")


def quarter_turn():
    """Rotation of the 3d orbitals by 90 degrees about y, real over m = -2..2."""
    m = np.arange(-2, 2)
    raising = np.diag(np.sqrt(6.0 - m * (m + 1)), -1)
    return expm(-np.pi / 2 * (raising - raising.T) / 2)


def assert_same_curve(first, second, broaden, tolerance):
    curves = [broaden(AXIS, sticks, 0.2) for sticks in (first, second)]
    assert np.abs(curves[0] - curves[1]).max() < tolerance * curves[1].max()


@pytest.mark.parametrize("name", CLASSES)
def test_blocked_equals_dense(name, broaden):
    for symmetry, parameters in (
        ("Oh", Parameters(ten_dq=1.7)),
        ("Td", Parameters(ten_dq=0.6, slater_reduction=0.7, slater_reduction_pd=0.9)),
        ("D4h", Parameters(ten_dq=1.2, ds=0.13, dt=-0.05, zeta_3d_scale=0.9)),
        ("D4h", Parameters(ten_dq=0.0, temperature=20.0)),
        ("C3v", Parameters(ten_dq=1.2, dsigma=0.13, dtau=-0.05)),
    ):
        multiplet = Multiplet(parse_ion(name), symmetry)
        blocked = multiplet.sticks(parameters, negligible=0.0)
        dense = multiplet.dense_sticks(parameters, negligible=0.0)
        assert_same_curve(blocked, dense, broaden, 1e-10)


@pytest.mark.parametrize("name", CLASSES)
def test_tetrahedral_is_octahedral_turned(name, broaden):
    td = Multiplet(parse_ion(name), "Td").sticks(Parameters(ten_dq=0.7))
    oh = Multiplet(parse_ion(name), "Oh").sticks(Parameters(ten_dq=-0.7))
    assert_same_curve(td, oh, broaden, 1e-10)


def test_orbitals_of_a_tetrahedral_field_are_turned():
    """In Td the e orbitals lie below the t2 ones, by 10Dq."""
    multiplet = Multiplet(parse_ion("Sc2+"), "Td")
    initial, _ = multiplet.hamiltonians(Parameters(ten_dq=0.5, zeta_3d_scale=0.0))
    levels = np.linalg.eigvalsh(initial.toarray())
    assert levels == pytest.approx([-0.3] * 4 + [0.2] * 6, abs=1e-12)


@pytest.mark.parametrize("name", ["Mn3+", "Fe2+", "Co2+", "Ni2+", "Cu2+"])
def test_tetragonal_axis_may_point_anywhere(name, broaden):
    """A D4h field along z gives the isotropic spectrum of the same field along x."""
    parameters = Parameters(ten_dq=1.2, ds=0.2, dt=0.06)
    along_z = Multiplet(parse_ion(name), "D4h").sticks(parameters)
    turn = quarter_turn()
    assert turn @ CRYSTAL_FIELDS["ten_dq"] @ turn.T == pytest.approx(CRYSTAL_FIELDS["ten_dq"])
    field = turn @ (0.2 * CRYSTAL_FIELDS["ds"] + 0.06 * CRYSTAL_FIELDS["dt"]) @ turn.T
    assert np.abs(field[0, 2]) > 0.01  # no longer diagonal in the pairs that C4 along z allows
    along_x = Multiplet(parse_ion(name), "Oh").dense_sticks(Parameters(ten_dq=1.2), field)
    assert_same_curve(along_z, along_x, broaden, 1e-6)


def total_spin_squared(d_count):
    basis = configuration(6, d_count)
    raising = np.zeros((16, 16))
    raising[np.arange(1, 16, 2), np.arange(0, 16, 2)] = 1.0
    up = one_body(raising, basis)
    z = one_body(np.diag([orbital.twice_sz / 2 for orbital in SPIN_ORBITALS]), basis)
    return (up.T @ up + z @ z + z).toarray()


@pytest.mark.parametrize(
    ("name", "crossover"),
    [
        ("Mn3+", 2.76),
        ("Mn2+", 2.67),
        ("Fe3+", 3.12),
        ("Fe2+", 1.87),
        ("Co3+", 2.17),
        ("Co2+", 2.27),
    ],
)
def test_spin_crossover(name, crossover):
    multiplet = Multiplet(parse_ion(name), "Oh")
    spin_squared = total_spin_squared(multiplet.ion.d_count)

    def spin(ten_dq):
        initial, _ = multiplet.hamiltonians(Parameters(ten_dq=ten_dq))
        ground = np.linalg.eigh(initial.toarray())[1][:, 0]
        return ground @ spin_squared @ ground

    low, high = 1.0, 4.0
    middle = (spin(low) + spin(high)) / 2
    assert spin(low) > middle + 0.5
    while high - low > 1e-4:
        point = (low + high) / 2
        low, high = (point, high) if spin(point) > middle else (low, point)
    assert low == pytest.approx(crossover, abs=0.006)


@pytest.mark.parametrize(
    ("name", "ten_dq", "ratio"), [("Mn2+", 0.9, 0.757), ("Mn2+", 3.1, 0.673), ("Ni2+", 1.1, 0.743)]
)
def test_branching_ratio(name, ten_dq, ratio):
    multiplet = Multiplet(parse_ion(name), "Oh")
    sticks = multiplet.sticks(Parameters(ten_dq=ten_dq))
    l3 = sticks.intensity[sticks.energy < multiplet.l3_l2_boundary].sum()
    assert l3 / sticks.intensity.sum() == pytest.approx(ratio, abs=0.001)


@pytest.mark.parametrize(
    ("name", "weakest"),
    [
        ("Cr3+", 0.21),
        ("Mn4+", 0.19),
        ("Mn3+", 0.17),
        ("Mn2+", 0.03),
        ("Fe3+", 0.02),
        ("Fe2+", 0.02),
        ("Co3+", 0.01),
        ("Co2+", 0.005),
        ("Ni2+", 0.001),
    ],
)
def test_boundary_lies_in_the_valley(name, weakest, broaden):
    """What is left of the spectrum at the boundary, relative to the peak, over all 10Dq.

    A Gaussian of 0.4 eV only, so that the tails of Lorentzians do not fill the valley.
    """
    multiplet = Multiplet(parse_ion(name), "Oh")
    boundary = np.array([multiplet.l3_l2_boundary])
    for ten_dq in np.arange(0.0, 2.51, 0.25):
        sticks = multiplet.sticks(Parameters(ten_dq=ten_dq), negligible=1e-5)
        peak = broaden(np.arange(-12.0, 22.0, 0.1), sticks, 0.0, 0.4).max()
        assert broaden(boundary, sticks, 0.0, 0.4)[0] < weakest * peak


def test_orbitals_of_a_trigonal_field():
    """Diagonal and coupling as Ballhausen, and Koenig and Kremer, give them."""
    dq, dsigma, dtau = 0.12, 0.11, -0.04
    parameters = Parameters(ten_dq=10 * dq, dsigma=dsigma, dtau=dtau, zeta_3d_scale=0.0)
    initial, _ = Multiplet(parse_ion("Sc2+"), "C3v").hamiltonians(parameters)
    coupling = np.sqrt(2) / 3 * (5 * dtau - 3 * dsigma)
    pair = [[-4 * dq + dsigma + 2 / 3 * dtau, coupling], [coupling, 6 * dq + 7 / 3 * dtau]]
    levels = sorted([-4 * dq - 2 * dsigma - 6 * dtau] * 2 + [*np.linalg.eigvalsh(pair)] * 4)
    assert np.linalg.eigvalsh(initial.toarray()) == pytest.approx(levels, abs=1e-12)


@pytest.mark.parametrize("name", CLASSES)
def test_cubic_axis_may_point_anywhere(name, broaden):
    """Oh with the C3 axis along z has the spectrum of Oh with C4 along z."""
    oh, c3v = (
        Multiplet(parse_ion(name), symmetry).sticks(Parameters(ten_dq=1.2), negligible=0.0)
        for symmetry in ("Oh", "C3v")
    )
    assert_same_curve(c3v, oh, broaden, 1e-10)


@pytest.mark.parametrize("name", ["Mn3+", "Fe2+", "Co2+", "Cu2+"])
def test_trigonal_axis_may_point_anywhere(name, broaden):
    """A C3v field along z gives the isotropic spectrum of the same field with C3 along x."""
    parameters = Parameters(ten_dq=1.2, dsigma=0.1, dtau=0.04)
    along_z = Multiplet(parse_ion(name), "C3v").sticks(parameters)
    turn = quarter_turn()
    fields = {"ten_dq_along_c3": 1.2, "ds": 0.1, "dt": 0.04}
    field = turn @ sum(CRYSTAL_FIELDS[k] * value for k, value in fields.items()) @ turn.T
    along_x = Multiplet(parse_ion(name), "C3v").dense_sticks(Parameters(), field)
    assert_same_curve(along_z, along_x, broaden, 1e-6)
