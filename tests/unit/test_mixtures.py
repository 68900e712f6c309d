"""Mixtures of valences: fractions of simulated mixtures, and none seen where there is none."""

import numpy as np
import pandas as pd
import pytest

from fit_mixtures import fit_mixtures
from make_mixtures import make_mixtures
from whiteline import contracts, engines
from whiteline.alignment import extended
from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.errors import InputError
from whiteline.library import axis_zero
from whiteline.mixtures import (
    Components,
    Mixture,
    Stretch,
    Unmixing,
    p_value,
)
from whiteline.simulation import Parameters

ENERGY = np.round(np.arange(628.0, 660.0, 0.1), 9)
IONS = ("Mn2+", "Mn3+", "Mn4+")
MARGIN = 10
WIDTHS = {"lorentzian_hwhm_l3": 0.2, "lorentzian_hwhm_l2": 0.4}


@pytest.fixture(scope="module")
def simulate():
    programs = {name: engines.load("multiplet", parse_ion(name), "Oh") for name in IONS}

    def simulated(name, ten_dq, slater, sigma, energy=ENERGY):
        """Area in proportion to the ions."""
        sticks = programs[name].sticks(Parameters(ten_dq=ten_dq, slater_reduction=slater))
        zero = axis_zero(parse_ion(name), 0.8)
        (spectrum,) = broaden(
            sticks.energy,
            sticks.intensity,
            programs[name].l3_l2_boundary,
            [Broadening(**WIDTHS, gaussian_sigma=sigma)],
            energy - zero,
        )
        return spectrum

    return simulated


@pytest.fixture(scope="module")
def components(simulate):
    points = [
        (name, ten_dq, slater, sigma)
        for name in IONS
        for ten_dq in np.arange(0.4, 2.01, 0.2)
        for slater in (0.7, 0.8, 0.9)
        for sigma in (0.2, 0.4)
    ]
    spectra = np.stack([simulate(*point) for point in points])
    ions = [parse_ion(name) for name, *_ in points]
    return Components(
        intensity=spectra / spectra.sum(1, keepdims=True),
        valence=np.array([float(ion.valence) for ion in ions]),
        holes=np.array([10.0 - ion.d_count for ion in ions]),
        width=np.array([sigma for *_, sigma in points]),
        anywhere=np.zeros(len(points), dtype=bool),
    )


@pytest.fixture(scope="module")
def unmixing(components):
    return Unmixing(components)


@pytest.fixture(scope="module")
def mixed(simulate):
    """Queries of given ionic fractions, off the library's grid in 10Dq, 0.4 eV off in energy."""

    def make(count, snr, seed=0, **fractions):
        random = np.random.default_rng(seed)
        axis = extended(ENERGY, MARGIN)
        for _ in range(count):
            total = sum(
                share * simulate(name + "+", random.uniform(0.5, 1.9), 0.8, 0.2, axis + 0.4)
                for name, share in fractions.items()
            )
            noise = random.normal(0, total.max() / snr, len(total)) if np.isfinite(snr) else 0
            yield (total + noise) / total.sum()

    return make


def test_a_mixture_of_library_spectra_is_found_exactly(simulate, unmixing):
    axis = extended(ENERGY, MARGIN) - 0.3
    spectrum = 0.4 * simulate("Mn2+", 0.8, 0.8, 0.2, axis) + 0.6 * simulate(
        "Mn4+", 1.8, 0.7, 0.2, axis
    )
    found = unmixing.fit(spectrum + 0.5, MARGIN, seed=0)
    np.testing.assert_allclose(found.fraction, [0.4, 0.0, 0.6], atol=1e-3)
    assert found.steps == -3
    assert found.component[1] == -1
    assert found.amplitude[1] == 0
    assert found.background == pytest.approx(0.5, abs=1e-3 * spectrum.max())
    parts = unmixing.components.intensity[found.component] * found.amplitude[:, None]
    np.testing.assert_allclose(parts.sum(0) + found.background, spectrum[13:-7] + 0.5, rtol=1e-6)
    test = unmixing.test(spectrum + 0.5, MARGIN)
    assert test.chance < 1e-6
    assert test.residual < 1e-5 * test.single_residual


def test_fractions_of_ions_are_found_in_noise(unmixing, mixed):
    truth = np.array([0.3, 0.7, 0.0])
    spectra = [*mixed(8, 50, Mn2=0.3, Mn3=0.7)]
    found = [unmixing.fit(spectrum, MARGIN, seed=0) for spectrum in spectra]
    errors = np.abs([one.fraction - truth for one in found])
    assert errors.mean(0).max() < 0.05
    assert errors.max() < 0.12
    for one in found:
        assert one.fraction.sum() == pytest.approx(1)
        assert (one.fraction >= 0).all()
        assert (one.lower <= one.fraction[:, None]).all()
        assert (one.upper >= one.fraction[:, None]).all()
        # The interval of greater coverage holds the other.
        assert (one.lower[:, 1] <= one.lower[:, 0]).all()
        assert (one.upper[:, 1] >= one.upper[:, 0]).all()
    tests = [unmixing.test(spectrum, MARGIN) for spectrum in spectra]
    assert np.mean([test.chance < 0.05 for test in tests]) > 0.7


def test_more_noise_makes_wider_intervals(unmixing, mixed):
    def width(snr):
        found = [unmixing.fit(one, MARGIN, seed=0) for one in mixed(4, snr, Mn2=0.5, Mn3=0.5)]
        return np.mean([(one.upper - one.lower)[:2, 1] for one in found])

    assert 2 * width(200) < width(8)


def test_one_valence_is_not_taken_for_a_mixture(unmixing, mixed):
    pure = [
        spectrum
        for number, name in enumerate(("Mn2", "Mn3", "Mn4"))
        for spectrum in mixed(7, 30, seed=number + 1, **{name: 1.0})
    ]
    tests = [unmixing.test(spectrum, MARGIN) for spectrum in pure]
    assert np.mean([test.chance <= 0.05 for test in tests]) <= 0.05
    assert [test.single for test in tests] == [0] * 7 + [1] * 7 + [2] * 7
    fractions = np.stack(
        [unmixing.fit(spectrum, MARGIN, seed=0).fraction for spectrum in pure[::3]]
    )
    assert np.median(fractions.max(1)) > 0.95


def test_all_components_have_one_width(unmixing, simulate):
    axis = extended(ENERGY, MARGIN)
    spectrum = simulate("Mn2+", 0.8, 0.8, 0.2, axis) + simulate("Mn3+", 1.2, 0.8, 0.4, axis)
    found = unmixing.fit(spectrum, MARGIN, seed=0)
    assert len({*unmixing.components.width[found.component[found.component >= 0]]}) == 1


def test_the_area_of_an_ion_goes_with_its_holes(components, simulate):
    # Equal areas: more of the ion with fewer holes.
    two, four = (
        simulate(name, 0.8, 0.8, 0.2, extended(ENERGY, MARGIN)) for name in ("Mn2+", "Mn4+")
    )
    found = Unmixing(components).fit(two / two.sum() + four / four.sum(), MARGIN, seed=0)
    np.testing.assert_allclose(found.fraction, [7 / 12, 0, 5 / 12], atol=0.01)


def test_the_same_seed_gives_the_same_fractions(unmixing, mixed):
    (spectrum,) = mixed(1, 20, Mn2=0.5, Mn3=0.5)
    one, two, other = (unmixing.fit(spectrum, MARGIN, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.fraction, two.fraction)
    assert (one.fraction != other.fraction).any()


def test_libraries_that_can_not_be_mixed_are_refused(components):
    of_two = components.valence == 2
    names = ("intensity", "valence", "holes", "width", "anywhere")
    with pytest.raises(InputError, match="needs at least two valences"):
        Unmixing(Components(**{name: getattr(components, name)[of_two] for name in names}))
    centred = components.intensity - components.intensity.mean(1, keepdims=True)
    rest = {name: getattr(components, name) for name in names[1:]}
    own = rest | {"width": components.valence}
    with pytest.raises(InputError, match="no Gaussian width of the library"):
        Unmixing(Components(components.intensity, **own))
    with pytest.raises(InputError, match="need spectra with an area"):
        Unmixing(Components(centred, **rest))


def test_the_p_value_is_the_larger_of_two():
    pure = np.linspace(-1, 0.95, 40)
    assert p_value(2.0, 0.001, pure) == pytest.approx(1 / 41)
    assert p_value(2.0, 0.2, pure) == 0.2
    assert p_value(-2.0, 0.001, pure) == 1.0
    assert p_value(0.3, 0.001, np.array([])) == 0.001


def simulated_mixtures(folder, library, count, tier="c", snr=np.inf):
    """Records of mixtures of a library's ions, their fractions in truth.csv."""
    scenario = {
        "tier": tier,
        "energy_uncertainty": 0.5,
        "draw": {},
        "disturb": {"snr": snr},
        "vary": {},
    }
    make_mixtures(
        recorded=str(folder / "mixtures.nc"),
        truth=str(folder / "truth.csv"),
        library=library,
        name="ni",
        scenario=scenario,
        size=count,
        seed=0,
    )
    return contracts.read(folder / "mixtures.nc", "recorded")


def test_simulated_mixtures_have_the_fractions_they_claim(
    tmp_path, prepare, configuration, library
):
    clean = simulated_mixtures(tmp_path, configuration, 12, tier="b")
    truth = pd.read_csv(tmp_path / "truth.csv", index_col="id")
    assert truth.columns.tolist() == ["2.0", "3.0"]
    np.testing.assert_allclose(truth.sum(axis=1), 1)
    assert truth["2.0"].std() > 0.2
    assert clean["id"].values.tolist() == truth.index.tolist()
    ions = [parse_ion(ion) for ion in library["ion"].values.astype(str)]
    unmixing = Unmixing(
        Components(
            intensity=library["intensity"].values,
            valence=library["valence"].values,
            holes=np.array([10.0 - ion.d_count for ion in ions]),
            width=library["gaussian_sigma"].values,
            anywhere=np.zeros(len(ions), dtype=bool),
        )
    )
    queries = prepare(clean)
    found = [unmixing.fit(query, 5, 0).fraction for query in queries["intensity"].values]
    # 10Dq is off the library's grid.
    np.testing.assert_allclose(found, truth, atol=0.05)


def test_intervals_are_stretched_by_what_was_missed():
    ends = np.array([[0.2, 0.4], [0.3, 0.8]])
    fit = Mixture(
        fraction=np.array([0.3, 0.6]),
        lower=np.repeat(ends[:, :1], 2, axis=1),
        upper=np.repeat(ends[:, 1:], 2, axis=1),
        component=np.array([0, 1]),
        amplitude=np.ones(2),
        background=0.0,
        steps=0,
    )
    # Of 19 mixtures the first valence lies at most 0.19 above its interval, the second within.
    truth = np.stack([0.4 + 0.01 * np.arange(1, 20), np.full(19, 0.55)], axis=1)
    stretch = Stretch.learn([fit] * 19, truth)
    # Ranks 14 and 19 of 20; the length is 0.2 and the least one 0.01.
    np.testing.assert_allclose(stretch.factor[0, 0], [0.14 / 0.21, 0.19 / 0.21])
    np.testing.assert_allclose(stretch.factor[1, 0], -0.25 / 0.51)
    found = stretch(fit)
    np.testing.assert_allclose(found.upper[0], [0.54, 0.59])
    np.testing.assert_allclose(found.lower[0], [0.06, 0.01])
    # An interval never leaves its estimate out.
    np.testing.assert_allclose(found.lower[1], 0.55)
    np.testing.assert_allclose(found.upper[1], 0.6)
    few = Stretch.learn([fit] * 18, truth[:18])(fit)
    np.testing.assert_array_equal(few.upper[:, 1], 1)


def test_stretched_intervals_hold_what_they_say(rng):
    """Short intervals that miss more often than long ones are stretched more."""

    def made(count):
        fits, truth = [], []
        for half in rng.choice([0.01, 0.05, 0.2], count) * rng.uniform(1, 1.01, count):
            centre = rng.uniform(0.3, 0.7)
            ends = np.array([[half / 2, half]] * 2)
            fraction = np.array([centre, 1 - centre])
            low, high = fraction[:, None] - ends, fraction[:, None] + ends
            fits.append(Mixture(fraction, low, high, np.arange(2), np.ones(2), 0.0, 0))
            error = rng.normal(0, max(half / 2, 0.03))
            truth.append([centre + error, 1 - centre - error])
        return fits, np.array(truth)

    stretch = Stretch.learn(*made(600))
    fits, truth = made(2000)
    short = np.array([fit.upper[0, 1] - fit.lower[0, 1] < 0.05 for fit in fits])
    found = [stretch(fit) for fit in fits]
    inside = [
        (fit.lower[0] <= true) & (true <= fit.upper[0])
        for fit, true in zip(found, truth[:, 0], strict=True)
    ]
    for of_group in (short, ~short):
        # Three deviations of a share among the 200 of a group.
        np.testing.assert_allclose(
            np.mean(inside, axis=0, where=of_group[:, None]), [0.68, 0.95], atol=0.1
        )


@pytest.mark.parametrize("calibration", [None, "pure"])
def test_the_stage_writes_what_the_contract_says(
    calibration, library_path, prepare, record, configuration, tmp_path
):
    known = prepare(record(pure={"spectra": 20, "disturb": {"snr": 30}}))
    contracts.write(known, tmp_path / "queries.nc")
    contracts.write(
        prepare(simulated_mixtures(tmp_path, configuration, 9, snr=30)), tmp_path / "known.nc"
    )
    fit_mixtures(
        queries=str(tmp_path / "queries.nc"),
        library=str(library_path),
        calibration_queries=[str(tmp_path / "queries.nc")] if calibration else [],
        calibration_mixtures=[str(tmp_path / "known.nc")] if calibration else [],
        calibration_truth=[str(tmp_path / "truth.csv")] if calibration else [],
        mixtures=str(tmp_path / "mixtures.nc"),
        calibration=calibration,
        seed=0,
    )
    found = contracts.read(tmp_path / "mixtures.nc", "mixtures")
    assert found.attrs["calibrated"] == (20 if calibration else 0)
    assert found["candidate"].values.tolist() == [2, 3]
    np.testing.assert_allclose(found["fraction"].sum("candidate"), 1)
    assert (found["single_valence"].values == known["valence"].values).mean() > 0.9
    assert found["mixture_needed"].values.mean() <= 0.1
    if calibration:
        # Nine mixtures are too few for an interval of 95 %.
        np.testing.assert_array_equal(found["fraction_lower"].values[..., 1], 0)
        np.testing.assert_array_equal(found["fraction_upper"].values[..., 1], 1)
        assert (found["fraction_upper"] - found["fraction_lower"]).values[..., 0].mean() < 0.5
    valence = contracts.read(library_path, "spectra")["valence"].values
    for column, candidate in enumerate((2, 3)):
        rows = found["component"].values[:, column]
        assert (valence[rows[rows >= 0]] == candidate).all()
