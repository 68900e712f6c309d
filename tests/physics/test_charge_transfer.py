"""What a ligand shell must do, whatever the program."""

from dataclasses import replace

import numpy as np
import pytest

from whiteline import engines
from whiteline.atomic import atomic_parameters, ions, parse_ion
from whiteline.errors import InputError
from whiteline.impurity import Impurity, integrals
from whiteline.impurity.integrals import configuration_integrals
from whiteline.impurity.krylov import lowest, spectral_function
from whiteline.multiplet import Multiplet, Parameters
from whiteline.simulation import Sticks

AXIS = np.arange(-25.0, 40.0, 0.05)
# Parameters as for NiO; van der Laan et al., Phys. Rev. B 33, 4253 (1986).
NIO = Parameters(ten_dq=0.6, delta=4.5, u_dd=7.0, u_pd=8.0, v_eg=2.2, v_t2g=1.1)
ONE_ION_PER_COUNT = {ion.d_count: ion for ion in ions()}


def difference(first, second, broaden, hwhm=0.2):
    """Largest difference of two curves over the peak of the second."""
    first, second = (broaden(AXIS, sticks, hwhm) for sticks in (first, second))
    return np.abs(first - second).max() / second.max()


def dense_sticks(impurity, parameters):
    """The spectrum by full diagonalisation of every sector, all initial states populated."""
    initial, final = (
        impurity.initial_coefficients(parameters),
        impurity.final_coefficients(parameters),
    )
    energies, strengths, weights = [], [], []
    ground = min(state.energy for state in impurity.initial_states(parameters))
    for sector in impurity.sectors:
        start, vectors = np.linalg.eigh(sector.initial(*initial).toarray())
        end, final_vectors = np.linalg.eigh(sector.final(*final).toarray())
        weight = sector.multiplicity * np.exp(
            (ground - start) / (8.617333262e-5 * parameters.temperature)
        )
        amplitude = final_vectors.T @ (sector.dipole @ vectors)
        energies.append((end[:, None] - start).ravel())
        strengths.append((amplitude**2 * weight).ravel())
        weights.append(weight.sum())
    strength = np.concatenate(strengths) / sum(weights)
    return Sticks(np.concatenate(energies)[strength > 1e-15], strength[strength > 1e-15])


@pytest.mark.parametrize("symmetry", ["Oh", "Td"])
@pytest.mark.parametrize("d_count", range(10))
def test_one_configuration_is_the_crystal_field(d_count, symmetry, broaden):
    """Also as the engine, whose only further inaccuracies are steps and population."""
    ion = ONE_ION_PER_COUNT[d_count]
    parameters = Parameters(ten_dq=1.1, slater_reduction_pd=0.7, zeta_3d_scale=0.9)
    engine = engines.load("charge_transfer", ion, symmetry, configurations=1)
    crystal_field = Multiplet(ion, symmetry).sticks(parameters)
    assert difference(engine.sticks(parameters), crystal_field, broaden) < 5e-6


@pytest.mark.parametrize("d_count", range(10))
def test_without_hopping_it_is_the_crystal_field(d_count, broaden):
    ion = ONE_ION_PER_COUNT[d_count]
    sticks = Impurity(ion, "Oh").sticks(Parameters(ten_dq=1.1, delta=8.0, u_dd=6.0, u_pd=7.0))
    crystal_field = Multiplet(ion, "Oh").sticks(Parameters(ten_dq=1.1))
    assert difference(sticks, crystal_field, broaden) < 5e-6


@pytest.mark.parametrize("name", ["Ti4+", "Ni2+", "Co2+"])
def test_far_ligands_approach_the_crystal_field(name, broaden):
    """Hopping adds 10Dq and a shift in second order, V^2 / Delta, that vanish with it."""
    ion = parse_ion(name)
    crystal_field = Multiplet(ion, "Oh").sticks(Parameters(ten_dq=1.1))
    found = [
        difference(
            Impurity(ion, "Oh").sticks(Parameters(ten_dq=1.1, delta=delta, v_eg=1.0, v_t2g=0.5)),
            crystal_field,
            broaden,
        )
        for delta in (100.0, 1000.0, 10000.0)
    ]
    assert found[2] < 2e-3
    assert found[1] / found[2] == pytest.approx(10.0, rel=0.2)
    assert found[0] > 5 * found[1]


@pytest.mark.parametrize("configurations", [1, 2, 3])
@pytest.mark.parametrize("symmetry", ["Oh", "Td"])
@pytest.mark.parametrize("d_count", range(10))
def test_dipole_sum_rule(d_count, symmetry, configurations):
    """2/15 per 3d hole of the initial states, of which each ligand hole has filled one."""
    impurity = Impurity(ONE_ION_PER_COUNT[d_count], symmetry, configurations)
    parameters = replace(NIO, ten_dq_ligand=0.4, temperature=30.0)
    states = impurity.initial_states(parameters)
    assert sum(state.population for state in states) == pytest.approx(1.0)
    filled = sum(state.population * state.ligand_holes for state in states)
    sticks = impurity.sticks(parameters, negligible=0.0, steps=5)
    assert sticks.intensity.sum() == pytest.approx(2 / 15 * (10 - d_count - filled), rel=1e-10)


@pytest.mark.parametrize("name", ["V3+", "Mn4+", "Mn3+", "Mn2+", "Fe2+", "Co2+"])
def test_initial_states_complete_their_levels(name):
    """All partners of a level have the same energy and the same share."""
    states = Impurity(parse_ion(name), "Oh").initial_states(NIO)
    energies = np.array([state.energy for state in states])
    count = np.array([state.sector.multiplicity for state in states])
    share = np.array([state.population for state in states]) / count
    for energy in energies:
        level = np.abs(energies - energy) < 1e-7
        assert count[level].sum() in (1, 2, 3, 4)
        assert np.ptp(share[level]) < 1e-7


def test_states_of_equal_energy_are_found():
    """Without crystal field 6S holds its six states: two of them share a sector."""
    isotropic = replace(NIO, ten_dq=0.0, v_eg=1.5, v_t2g=1.5)
    for ion in ("Mn2+", "Fe3+"):
        states = Impurity(parse_ion(ion), "Oh").initial_states(isotropic)
        assert sum(state.sector.multiplicity for state in states) == 6
        assert np.ptp([state.energy for state in states]) < 1e-8
        vectors = np.column_stack([s.vector for s in states if s.sector is states[-1].sector])
        overlaps = vectors.T @ vectors
        assert overlaps == pytest.approx(np.eye(vectors.shape[1]), abs=1e-8)


def test_lowest_against_dense():
    """Sparse search against full diagonalisation where levels are degenerate on purpose."""
    impurity = Impurity(parse_ion("Mn3+"), "Oh")
    parameters = replace(NIO, ten_dq=0.0, v_eg=1.5, v_t2g=1.5, zeta_3d_scale=0.0)
    for sector in impurity.sectors:
        hamiltonian = sector.initial(*impurity.initial_coefficients(parameters))
        energies, vectors = lowest(hamiltonian, 1.0)
        exact = np.linalg.eigvalsh(hamiltonian.toarray())
        assert energies == pytest.approx(exact[exact <= exact[0] + 1.0], abs=1e-8)
        assert hamiltonian @ vectors == pytest.approx(vectors * energies, abs=1e-6)


@pytest.mark.parametrize(("name", "configurations"), [("Co2+", 2), ("Ni2+", 3), ("Fe2+", 2)])
def test_lanczos_equals_dense(name, configurations, broaden):
    """Lost orthogonality does no harm, even with more steps than a sector has states."""
    impurity = Impurity(parse_ion(name), "Oh", configurations)
    sticks = impurity.sticks(NIO, negligible=0.0)
    assert difference(sticks, dense_sticks(impurity, NIO), broaden, 0.1) < 2e-5


@pytest.mark.parametrize(("name", "configurations"), [("Mn4+", 2), ("Mn2+", 2), ("Mn4+", 3)])
def test_steps_suffice(name, configurations, broaden):
    """Curves of HWHM 0.2 eV are converged far below 1e-4 of the peak for large spaces."""
    impurity = Impurity(parse_ion(name), "Oh", configurations)
    sticks, more = (impurity.sticks(NIO, steps=steps) for steps in (None, 800))
    assert difference(sticks, more, broaden) < 3e-5


def test_spectral_function_of_an_eigenvector():
    hamiltonian = Impurity(parse_ion("Cu2+"), "Oh").sectors[0].initial
    matrix = hamiltonian(dict.fromkeys(hamiltonian.names, 1.0))
    energies, vectors = np.linalg.eigh(matrix.toarray())
    poles, weights = spectral_function(matrix, 2.0 * vectors[:, 0], 50)
    assert poles == pytest.approx(energies[:1])
    assert weights == pytest.approx([4.0])
    assert len(spectral_function(matrix, np.zeros(len(energies)), 50)[0]) == 0


@pytest.mark.parametrize("d_count", [0, 1, 3, 5, 7, 8, 9])
def test_tetrahedral_is_octahedral_turned(d_count, broaden):
    ion = ONE_ION_PER_COUNT[d_count]
    parameters = replace(NIO, ten_dq=0.7, ten_dq_ligand=0.5, v_eg=0.8, v_t2g=1.6)
    td = Impurity(ion, "Td").sticks(parameters)
    oh = Impurity(ion, "Oh").sticks(replace(parameters, ten_dq=-0.7, ten_dq_ligand=-0.5))
    assert difference(td, oh, broaden) < 1e-10


def test_nio():
    """Its ground state holds 10 to 20 % of d9 L; satellites lie above the main line of L3."""
    parameters = replace(NIO, delta=4.6, v_eg=2.0, v_t2g=1.0)
    impurity = Impurity(parse_ion("Ni2+"), "Oh")
    ground = impurity.initial_states(parameters)[0]
    assert 0.10 < ground.ligand_holes < 0.20
    sticks = impurity.sticks(parameters)
    main = sticks.energy[sticks.intensity.argmax()]
    crystal_field = Multiplet(parse_ion("Ni2+"), "Oh").sticks(Parameters(ten_dq=1.1))
    last_line = crystal_field.energy[crystal_field.energy < 0.0].max()

    def satellites(sticks):
        beyond = (sticks.energy > last_line + 1.0) & (sticks.energy < main + 9.0)
        return sticks.intensity[beyond].sum() / sticks.intensity.sum()

    assert satellites(crystal_field) < 1e-3
    assert 0.01 < satellites(sticks) < 0.2
    assert sticks.intensity[sticks.energy < main - 1.0].sum() < 1e-2 * sticks.intensity.sum()


def test_ground_state_of_one_hole():
    """d9: two levels of each symmetry, with one hole; v_e mixes 3d9 e hole and d10 L."""
    parameters = Parameters(ten_dq=1.0, delta=3.0, v_eg=2.0, zeta_3d_scale=0.0)
    ground = Impurity(parse_ion("Cu2+"), "Oh").initial_states(parameters)[0]
    two_levels = np.array([[-0.6, 2.0], [2.0, 3.0]])
    energies, vectors = np.linalg.eigh(two_levels)
    assert ground.energy == pytest.approx(energies[0], abs=1e-9)
    assert ground.ligand_holes == pytest.approx(vectors[1, 0] ** 2, abs=1e-9)


def test_empty_shell():
    """d0: the 4 e and 6 t2 spin-orbitals of the ligands each give one electron to 3d."""
    parameters = Parameters(ten_dq=1.8, delta=3.0, v_eg=2.0, v_t2g=1.0, zeta_3d_scale=0.0)
    ground = Impurity(parse_ion("Ti4+"), "Oh").initial_states(parameters)[0]
    e, t2 = 2.0 * np.sqrt(4), np.sqrt(6)
    levels = np.array([[0.0, e, t2], [e, 3.0 + 1.08, 0.0], [t2, 0.0, 3.0 - 0.72]])
    energies, vectors = np.linalg.eigh(levels)
    assert ground.energy == pytest.approx(energies[0], abs=1e-9)
    assert ground.ligand_holes == pytest.approx(1 - vectors[0, 0] ** 2, abs=1e-9)


@pytest.mark.parametrize("whose", ["shared", "own"])
def test_average_of_each_configuration(whose):
    """Traces give d^n at 0, then Delta, then 2 Delta + Udd; with the core hole as documented."""
    impurity = Impurity(parse_ion("Mn2+"), "Oh", 3, whose)
    parameters = replace(NIO, ten_dq_ligand=0.5)
    delta, u_dd, u_pd = parameters.delta, parameters.u_dd, parameters.u_pd
    for side, step in (("initial", delta), ("final", delta + u_dd - u_pd)):
        coefficients = getattr(impurity, f"{side}_coefficients")(parameters)
        sums, counts = np.zeros(3), np.zeros(3)
        for sector in impurity.sectors:
            operator = getattr(sector, side)
            holes = operator(dict.fromkeys(operator.names, 0.0) | {"ligand_holes": 1.0})
            holes = np.rint(holes.diagonal()).astype(int)
            diagonal = operator(*coefficients).diagonal() * sector.multiplicity
            sums += np.bincount(holes, diagonal, 3)
            counts += sector.multiplicity * np.bincount(holes, minlength=3)
        assert sums / counts == pytest.approx([0.0, step, 2 * step + u_dd], abs=1e-9)


def test_polarised_components_are_equal():
    engine = engines.load("charge_transfer", parse_ion("Ni2+"), "Td")
    sticks = engine.sticks(NIO, polarised=True)
    assert sticks.components.shape == (len(sticks.energy), 3)
    assert np.array_equal(sticks.components, np.repeat(sticks.intensity[:, None], 3, axis=1))
    assert engine.sticks(NIO).components is None


def test_same_bytes():
    first, second = (Impurity(parse_ion("Mn3+"), "Oh").sticks(NIO) for _ in range(2))
    assert first.energy.tobytes() == second.energy.tobytes()
    assert first.intensity.tobytes() == second.intensity.tobytes()


def test_refuses_what_it_does_not_know():
    nickel = parse_ion("Ni2+")
    with pytest.raises(InputError, match="symmetry 'D4h'"):
        Impurity(nickel, "D4h")
    with pytest.raises(InputError, match="configurations must be 1, 2 or 3, not 4"):
        Impurity(nickel, "Oh", 4)
    with pytest.raises(InputError, match="delta is missing"):
        Impurity(nickel, "Oh").sticks(Parameters(v_eg=1.0))
    with pytest.raises(InputError, match="has no magnetic_field"):
        engines.load("charge_transfer", nickel, "Oh").sticks(replace(NIO, magnetic_field=1.0))


def test_own_integrals_are_those_of_more_electrons():
    ionic, with_hole, with_two = configuration_integrals(parse_ion("Mn4+"), 3, "own")
    assert ionic == atomic_parameters(parse_ion("Mn4+"))
    assert with_hole == atomic_parameters(parse_ion("Mn3+"))
    assert with_two == atomic_parameters(parse_ion("Mn2+"))


def test_extrapolation_gives_back_an_ion_of_the_table(monkeypatch):
    """Fe2+ from Fe3+ to Fe6+, as Mn+ is from Mn2+ to Mn5+.

    Spin-orbit constants of 3d are given to 0.1 meV, which the cubic multiplies by up to 15.
    """
    known = atomic_parameters(parse_ion("Fe2+"))
    others = tuple(ion for ion in ions() if ion.name != "Fe2+")
    monkeypatch.setattr(integrals, "ions", lambda: others)
    found = configuration_integrals(parse_ion("Fe3+"), 2, "own")[1]
    for name, value in vars(known).items():
        assert getattr(found, name) == pytest.approx(value, rel=2e-3, abs=1.5e-3), name


def test_own_integrals_that_nothing_tells():
    with pytest.raises(InputError, match=r"needs f2_dd_initial of Ti1\+.*integrals: shared"):
        configuration_integrals(parse_ion("Ti2+"), 2, "own")
    with pytest.raises(InputError, match="'shared' or 'own', not 'mine'"):
        configuration_integrals(parse_ion("Ti2+"), 2, "mine")


def test_own_integrals_change_nothing_without_ligands():
    """One configuration has no ligand holes."""
    parameters = Parameters(ten_dq=1.0)
    shared, own = (
        Impurity(parse_ion("Ni2+"), "Oh", 1, kind).sticks(parameters) for kind in ("shared", "own")
    )
    np.testing.assert_array_equal(shared.energy, own.energy)
    np.testing.assert_array_equal(shared.intensity, own.intensity)
