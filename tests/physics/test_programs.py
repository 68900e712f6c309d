"""The engines that are other programs, run here, against the built-in one and the physics."""

import numpy as np
import pytest

from whiteline import engines
from whiteline.atomic import parse_ion
from whiteline.evaluation.crosscheck import compare
from whiteline.multiplet import Multiplet
from whiteline.multiplet.angular import gaunt
from whiteline.multiplet.determinants import one_body
from whiteline.multiplet.operators import d_shell, operators
from whiteline.simulation import BOHR_MAGNETON, Parameters, Sticks, merge, populate

# Of the peak. Quanty weighs the initial states with constants of its own, rounded otherwise.
AGREEMENT = {"edrixs": 1e-8, "quanty": 1e-6}
QUANTY_AS_PRINTED = 5e-4  # its curves, which it broadens on a grid

POINTS = {
    "Sc3+": ("Oh", {"ten_dq": 1.5}),
    "Sc2+": ("Oh", {"ten_dq": 0.0}),
    "Ti3+": ("D4h", {"ten_dq": 1.8, "ds": 0.1, "dt": -0.05}),
    "Mn4+": ("Oh", {"ten_dq": 2.4, "slater_reduction": 0.7, "slater_reduction_pd": 0.9}),
    "Mn3+": ("D4h", {"ten_dq": 1.5, "ds": 0.15, "dt": 0.05}),
    "Mn2+": ("Td", {"ten_dq": 0.6}),
    "Co2+": ("Oh", {"ten_dq": 1.0, "temperature": 600.0}),
    "Ni2+": ("Oh", {"ten_dq": 1.1, "zeta_3d_scale": 0.5, "temperature": 20.0}),
    "Cu2+": ("D4h", {"ten_dq": 1.2, "ds": 0.3, "dt": 0.1}),
}
TRIGONAL = {"ten_dq": 1.2, "dsigma": 0.2, "dtau": -0.1}
FIELDS = {"exchange_field": 0.1, "magnetic_field": 20.0, "temperature": 50.0}


@pytest.fixture(params=["edrixs", "quanty"])
def kind(request):
    if engines.version(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture
def quanty():
    if engines.version("quanty") is None:
        pytest.skip("quanty is not installed")
    return "quanty"


def polarised_sticks(ion, symmetry, parameters, field):
    """Sticks with components from dense operators and a (10, 10) field over m and spin."""
    ops = operators(ion.d_count)
    initial, final = (
        (h + one_body(d_shell(field), basis)).toarray()
        for h, basis in zip(
            Multiplet(ion, symmetry).hamiltonians(
                Parameters(**{n: parameters[n] for n in ("ten_dq", "ds") if n in parameters})
            ),
            (ops.initial_basis, ops.final_basis),
            strict=True,
        )
    )
    populated = populate(*np.linalg.eigh(initial), parameters["temperature"])
    energies, vectors = np.linalg.eigh(final)
    strengths = [
        np.square(vectors.T @ (dipole @ populated.vectors)) * populated.populations
        for dipole in ops.dipole
    ]
    energy = energies[:, None] - populated.energies
    return merge(energy.ravel(), np.stack(strengths, axis=-1).reshape(-1, 3))


def component(sticks, number):
    return Sticks(sticks.energy, sticks.components[:, number])


@pytest.mark.parametrize("ion", POINTS)
def test_spectra_are_those_of_the_built_in_engine(kind, ion):
    """Absolute energies and intensities: nothing is shifted or scaled."""
    symmetry, point = POINTS[ion]
    ours, theirs = (
        engines.load(k, parse_ion(ion), symmetry).sticks(Parameters(**point))
        for k in ("multiplet", kind)
    )
    found = compare(ours, theirs)
    assert found.largest < AGREEMENT[kind]
    assert abs(found.shift) < 1e-6
    assert found.area_ratio == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("ion", "holes"), [("Sc3+", 10), ("V3+", 8), ("Co2+", 3), ("Cu2+", 1)])
def test_sum_rule(kind, ion, holes):
    sticks = engines.load(kind, parse_ion(ion), "Oh").sticks(Parameters(ten_dq=1.0))
    assert sticks.intensity.sum() == pytest.approx(2 / 15 * holes, rel=1e-6)


@pytest.mark.parametrize(("ion", "symmetry"), [("Ni2+", "Oh"), ("Co2+", "D4h"), ("Cu2+", "Oh")])
def test_fields_and_polarisations(kind, ion, symmetry):
    """Both fields along z at once, each polarisation by itself."""
    point = {"ten_dq": 1.1, **FIELDS} | ({"ds": 0.1} if symmetry == "D4h" else {})
    orbital, spin = np.repeat(np.arange(-2, 3), 2), np.tile([-0.5, 0.5], 5)
    field = 0.1 * spin + 20.0 * BOHR_MAGNETON * (orbital + 2 * spin)
    ours = polarised_sticks(parse_ion(ion), symmetry, point, np.diag(field))
    engine = engines.load(kind, parse_ion(ion), symmetry)
    theirs = engine.sticks(Parameters(**point), polarised=True)
    for number in range(3):
        found = compare(component(ours, number), component(theirs, number))
        assert found.largest < AGREEMENT[kind]
    np.testing.assert_allclose(theirs.components.mean(axis=1), theirs.intensity, atol=1e-12)
    assert compare(component(ours, 0), component(ours, 2)).largest > 0.1
    assert engine.sticks(Parameters(**point)).components is None


def test_the_boundary_of_the_edges_is_the_built_in_engine_s(kind):
    boundaries = {
        engines.load(k, parse_ion("Fe2+"), "Oh").l3_l2_boundary for k in ("multiplet", kind)
    }
    assert len(boundaries) == 1


def test_trigonal_field(quanty):
    """C3 along z, written with Wybourne's coefficients of C^4 and C^2."""
    m = range(-2, 3)

    def harmonic(k, q):
        return np.array([[gaunt(k, q, 2, a, 2, b) for b in m] for a in m])

    dq, dsigma, dtau = 0.1 * TRIGONAL["ten_dq"], TRIGONAL["dsigma"], TRIGONAL["dtau"]
    around = 2 * np.sqrt(70) * (harmonic(4, -3) - harmonic(4, 3))
    cubic = around - 14 * harmonic(4, 0)
    np.testing.assert_allclose(np.linalg.eigvalsh(cubic), [-4, -4, -4, 6, 6], atol=1e-12)
    field = dq * cubic - 7 * dsigma * harmonic(2, 0) - 21 * dtau * harmonic(4, 0)
    ion = parse_ion("Ni2+")
    ours = Multiplet(ion, "Oh").dense_sticks(Parameters(), field)
    theirs = engines.load(quanty, ion, "C3v").sticks(Parameters(**TRIGONAL))
    assert compare(ours, theirs).largest < AGREEMENT[quanty]


@pytest.mark.parametrize("configurations", [2, 3])
def test_charge_transfer(quanty, configurations, calculated, broaden):
    """Ni2+ with ligands as Quanty itself broadened it; its zero is another, found here."""
    folder = calculated / "quanty_charge_transfer"
    path = folder / f"Ni_d8_Oh_LMCT_nconf{configurations}_iso.spec"
    energy, _, theirs = np.loadtxt(path, skiprows=5).T
    engine = engines.load(quanty, parse_ion("Ni2+"), "Oh", configurations=configurations)
    sticks = engine.sticks(
        Parameters(ten_dq=0.6, delta=4.0, u_dd=6.0, u_pd=7.2, v_eg=2.0, v_t2g=1.0)
    )
    ours = [broaden(energy - shift, sticks, 0.205) for shift in np.arange(0.0, 0.15, 0.001)]
    ours = [curve * theirs.sum() / curve.sum() for curve in ours]
    assert min(np.abs(curve - theirs).max() for curve in ours) < QUANTY_AS_PRINTED * theirs.max()


def test_charge_transfer_in_td_is_that_of_oh_with_the_sign_turned(quanty):
    shell = {"delta": 3.0, "u_dd": 6.0, "u_pd": 7.0, "v_eg": 1.0, "v_t2g": 1.5}
    tetrahedral, octahedral = (
        engines.load(quanty, parse_ion("Ni2+"), symmetry).sticks(
            Parameters(ten_dq=sign * 0.6, ten_dq_ligand=sign * 0.4, **shell)
        )
        for symmetry, sign in (("Td", 1), ("Oh", -1))
    )
    assert compare(tetrahedral, octahedral).largest < 1e-12


@pytest.mark.parametrize("ion", ["Ti4+", "Ni2+"])
def test_charge_transfer_is_that_of_the_built_in_engine(quanty, ion):
    """Absolute energies and intensities; the built-in engine ends its Lanczos early."""
    shell = {"delta": 4.0, "u_dd": 6.0, "u_pd": 7.2, "v_eg": 2.0, "v_t2g": 1.0}
    ours, theirs = (
        engines.load(kind, parse_ion(ion), "Oh", configurations=2).sticks(
            Parameters(ten_dq=0.6, **shell)
        )
        for kind in ("charge_transfer", quanty)
    )
    assert compare(ours, theirs).largest < 1e-4


def test_without_hopping_ligands_change_nothing(quanty):
    ion = parse_ion("Ni2+")
    bare = engines.load("multiplet", ion, "Oh").sticks(Parameters(ten_dq=1.0))
    shell = engines.load(quanty, ion, "Oh").sticks(
        Parameters(ten_dq=1.0, delta=6.0, u_dd=6.0, u_pd=7.0)
    )
    assert compare(bare, shell).largest < AGREEMENT[quanty]


def test_all_states_populated(quanty):
    """Its template would search without end for a state that is not populated."""
    point = Parameters(ten_dq=0.1, slater_reduction=0.1, temperature=3000.0)
    ours, theirs = (
        engines.load(k, parse_ion("Ni2+"), "Oh").sticks(point) for k in ("multiplet", quanty)
    )
    assert compare(ours, theirs).largest < AGREEMENT[quanty]


def test_the_same_again(kind):
    first, second = (
        engines.load(kind, parse_ion("Ni2+"), "Oh").sticks(Parameters(ten_dq=1.0))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.energy, second.energy)
    np.testing.assert_array_equal(first.intensity, second.intensity)
