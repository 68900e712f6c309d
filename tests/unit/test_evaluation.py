"""Test spectra, intervals, scores and ranks against statistics and sums done by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare, norm

from whiteline import contracts, engines
from whiteline.evaluation.calibration import (
    COVERAGE,
    LEAST_ERROR,
    SET_COVERAGE,
    Evidence,
    calibrate,
)
from whiteline.evaluation.disturbances import FWHM_OVER_SIGMA, disturb
from whiteline.evaluation.ranking import loss, rank
from whiteline.evaluation.scenarios import generator
from whiteline.evaluation.scores import baselines, errors, score
from whiteline.grids import grid

ENERGY = np.arange(630.0, 680.0, 0.05)
LINE = norm.pdf(ENERGY, 650.0, 1.0)
WIDTHS = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")


def moments(energy, intensity):
    mean = np.average(energy, weights=intensity)
    return mean, np.sqrt(np.average((energy - mean) ** 2, weights=intensity))


# Disturbances


def test_nothing_is_disturbed_without_strengths(rng):
    energy, intensity = disturb(ENERGY, 7 * LINE, {"snr": np.inf}, rng)
    np.testing.assert_allclose(energy, ENERGY)
    np.testing.assert_allclose(intensity, LINE / LINE.max())


def test_a_shift_is_an_axis_that_reads_too_high(rng):
    mean, _ = moments(*disturb(ENERGY, LINE, {"energy_shift": 1.5}, rng))
    assert mean == pytest.approx(651.5)


def test_a_dispersion_error_stretches_the_axis_about_its_middle(rng):
    energy, _ = disturb(ENERGY, LINE, {"dispersion_error": 0.01}, rng)
    assert np.ptp(energy) == pytest.approx(1.01 * np.ptp(ENERGY))
    assert energy.mean() == pytest.approx(ENERGY.mean())


@pytest.mark.parametrize("fwhm", [0.3, 1.0, 2.5])
def test_widths_add_in_quadrature(fwhm, rng):
    energy, intensity = disturb(ENERGY, LINE, {"gaussian_fwhm": fwhm}, rng)
    mean, width = moments(energy, intensity)
    assert mean == pytest.approx(650.0)
    assert width == pytest.approx(np.hypot(1.0, fwhm / np.sqrt(8 * np.log(2))), rel=1e-4)
    assert intensity.max() == pytest.approx(1)


def test_a_gaussian_of_this_fwhm_falls_to_half():
    assert norm.pdf(FWHM_OVER_SIGMA / 2) == pytest.approx(norm.pdf(0) / 2)


@pytest.mark.parametrize("height", [0.3, -0.1])
def test_the_background_is_a_line_of_given_height(height, rng):
    _, intensity = disturb(ENERGY, LINE, {"background": height}, rng)
    added = intensity - LINE / LINE.max()
    np.testing.assert_allclose(added, np.linspace(0, height, len(ENERGY)), atol=1e-12)


def test_gaussian_noise_has_the_stated_ratio(rng):
    energy = np.arange(0.0, 2000.0, 0.05)
    flat = np.ones_like(energy)
    noise = disturb(energy, flat, {"snr": 20.0}, rng)[1] - 1
    # Three standard errors of mean and deviation of n draws.
    error = 3 / np.sqrt(len(noise))
    assert noise.mean() == pytest.approx(0, abs=error / 20)
    assert noise.std() == pytest.approx(1 / 20, rel=error / np.sqrt(2))


def test_counts_are_poisson_distributed_with_the_stated_peak(rng):
    energy = np.arange(0.0, 2000.0, 0.05)
    halves = np.where(energy < 1000, 1.0, 0.25)
    counts = 40 * disturb(energy, halves, {"counts": 40}, rng)[1]
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    for part, expected in ((counts[energy < 1000], 40), (counts[energy > 1000], 10)):
        error = 3 / np.sqrt(len(part))
        assert part.mean() == pytest.approx(expected, abs=error * np.sqrt(expected))
        # The variance of a Poisson variance is (2 + 1 / mean) mean^2 / n.
        assert part.var() == pytest.approx(expected, rel=error * np.sqrt(2 + 1 / expected))


def test_a_falling_background_has_no_negative_counts(rng):
    _, intensity = disturb(ENERGY, LINE, {"counts": 100, "background": -0.5}, rng)
    assert (intensity >= 0).all()


# Scenarios


def test_draws_are_reproducible_and_independent_of_other_scenarios(record):
    noisy = {"vary": {"snr": [np.inf, 10.0]}, "draw": {"gaussian_sigma": [0.1, 0.3]}}
    alone, again = record(seed=3, noisy=noisy), record(seed=3, noisy=noisy)
    np.testing.assert_array_equal(alone["intensity"], again["intensity"])
    beside = record(seed=3, first={"spectra": 2}, noisy=noisy)
    chosen = beside["scenario"].values == "noisy"
    rows = [row for row, own in zip(contracts.split_rows(beside), chosen, strict=True) if own]
    for (energy, intensity), (own_energy, own) in zip(
        rows, contracts.split_rows(alone), strict=True
    ):
        np.testing.assert_array_equal(energy, own_energy)
        np.testing.assert_array_equal(intensity, own)


def test_seed_library_and_scenario_each_make_other_draws(configuration):
    first = {generator(1, "ni", "noise").random() for _ in range(3)}
    assert len(first) == 1
    others = (generator(2, "ni", "noise"), generator(1, "co", "noise"), generator(1, "ni", "x"))
    assert len(first | {other.random() for other in others}) == 4


def test_levels_repeat_the_spectrum_with_other_noise(record):
    recorded = record(noisy={"vary": {"snr": [np.inf, 50.0, 10.0]}, "spectra": 3})
    assert recorded["level"].values.tolist() == [np.inf, 50.0, 10.0] * 3
    for name in ("ten_dq", "slater_reduction", "valence", "gaussian_sigma"):
        values = recorded[name].values.reshape(3, 3)
        assert (values == values[:, :1]).all()
    rows = contracts.split_rows(recorded)
    assert len({energy[0] for energy, _ in rows}) == 9
    noise = [np.std(np.diff(intensity[:60])) for _, intensity in rows[:3]]
    assert noise[0] < noise[1] < noise[2]


def test_the_tiers(record, library):
    a, b, c = (
        record(spectra={"tier": tier, "spectra": 30, "draw": draw})
        for tier, draw in (("a", {}), ("b", {}), ("c", {"gaussian_sigma": [0.25, 0.35]}))
    )
    on_grid = set(library["ten_dq"].values)
    assert set(a["ten_dq"].values) < on_grid
    assert (a["leave_out"] == 1).all()
    for off_grid in (b, c):
        assert not set(off_grid["ten_dq"].values) & on_grid
        assert (off_grid["ten_dq"] >= 0.6).all()
        assert (off_grid["ten_dq"] <= 1.8).all()
        assert (off_grid["leave_out"] == 0).all()
    sets = [set(zip(*(d[n].values for n in WIDTHS), strict=True)) for d in (a, b, c, library)]
    assert sets[0] == sets[1] == sets[3]
    assert not sets[2] & sets[3]
    assert ((c["gaussian_sigma"] >= 0.25) & (c["gaussian_sigma"] <= 0.35)).all()
    assert set(a["ion"].values) == {"Ni2+", "Ni3+"}


def test_points_serve_several_spectra_each_with_widths_and_noise_of_its_own(record):
    shared = {"spectra": 7, "points": 3, "draw": {"gaussian_sigma": [0.1, 0.3]}}
    some = record(x={**shared, "disturb": {"snr": 20}})
    alone = record(x={**shared, "points": 7, "disturb": {"snr": 20}})
    for name in ("ten_dq", "slater_reduction", "ion"):
        values = some[name].values
        assert values.tolist() == [alone[name].values[number % 3] for number in range(7)]
    assert len(set(some["gaussian_sigma"].values)) == 7
    np.testing.assert_array_equal(some["gaussian_sigma"], alone["gaussian_sigma"])
    assert len({energy[0] for energy, _ in contracts.split_rows(some)}) == 7


@pytest.mark.skipif(engines.version("edrixs") is None, reason="EDRIXS is not installed")
def test_tier_d_is_the_same_physics_by_another_program(record):
    clean = {"tier": "d", "spectra": 1}
    ours, theirs = (record(x=clean | other) for other in ({}, {"engine": "edrixs"}))
    np.testing.assert_array_equal(ours["energy"], theirs["energy"])
    difference = np.abs(ours["intensity"].values - theirs["intensity"].values)
    # The peak is 1. Two programs do not agree to the last digit, as one with itself would.
    assert 0 < difference.max() < 2e-3


def test_records_do_not_share_the_librarys_grid(record, library):
    starts = [energy[0] for energy, _ in contracts.split_rows(record(x={"spectra": 40}))]
    offsets = (np.array(starts) - library["energy"].values[0]) % 0.1
    assert 0.03 < offsets.mean() < 0.07
    assert len(set(offsets)) == 40


def test_a_clean_record_is_the_library_spectrum(configuration, record, library):
    recorded = record(x={"tier": "a", "spectra": 1})
    ((energy, intensity),) = contracts.split_rows(recorded)
    names = ("valence", "ten_dq", "slater_reduction", *WIDTHS)
    same = np.all([library[n].values == recorded[n].values for n in names], axis=0)
    (own,) = library["intensity"].values[same]
    points = grid(configuration["energy"])
    found = np.interp(points, energy, intensity)
    # The library's background, a constant, and its scale are what differs.
    slope, offset = np.polyfit(found, own, 1)
    np.testing.assert_allclose(slope * found + offset, own, atol=0.01 * own.max())


# Calibration


def evidence(distance, width=0.2, bound=0.0, uncertainty=1.0):
    """Of spectra with these least distances, (n, c)."""
    distance = np.asarray(distance, dtype=float)
    full = [np.broadcast_to(np.asarray(v, float), len(distance)) for v in (width, bound)]
    nothing = np.zeros(len(distance))
    return Evidence(distance, *full, nothing, np.full(len(distance), uncertainty))


def of_errors(error, width=0.2, bound=0.0):
    """Calibration by spectra that had these errors, and a single valence."""
    error = np.asarray(error, dtype=float)
    distance = np.abs(error)[:, None]
    return calibrate(evidence(distance, width, bound), error, np.zeros(len(error), dtype=int))


def radius(calibration, **known):
    return calibration.radius(evidence(np.ones((1, 1)), **known))[0]


@pytest.mark.parametrize("count", [19, 20, 50])
def test_intervals_hold_the_truth_as_often_as_they_say(rng, count):
    held = []
    for _ in range(2000):
        bound = rng.uniform(0.01, 1, count + 1)
        draws = bound * rng.standard_t(3, count + 1)
        calibration = of_errors(draws[:count], bound=bound[:count])
        held.append(np.abs(draws[count]) <= radius(calibration, bound=bound[count]))
    # For exchangeable draws the probability is the rank over n + 1.
    exact = np.ceil((count + 1) * np.array(COVERAGE) - 1e-9) / (count + 1)
    error = 3 * np.sqrt(exact * (1 - exact) / 2000)
    assert (exact >= COVERAGE).all()
    assert (np.abs(np.mean(held, axis=0) - exact) < error).all()


def test_the_radius_is_a_rank_of_the_errors():
    calibration = of_errors(-np.arange(1.0, 100.0))
    # Of 99 errors 1 .. 99: the ranks 68 and 95 of 100; the distance of rank 99.
    np.testing.assert_allclose(radius(calibration), [68.0, 95.0])
    assert calibration.distance_limit == 99.0


def test_intervals_are_longer_where_the_bound_is():
    bound = np.tile([0.05, 0.35], 30)
    calibration = of_errors(0.5 * (bound + LEAST_ERROR), bound=bound)
    np.testing.assert_allclose(radius(calibration, bound=0.05), 0.05)
    np.testing.assert_allclose(radius(calibration, bound=0.35), 0.2)
    # An infinite bound gives no infinite interval, and an unknown one none of its own.
    assert np.isfinite(radius(calibration, bound=np.inf)).all()
    np.testing.assert_allclose(radius(calibration, bound=np.nan), 0.5 * LEAST_ERROR)


@pytest.mark.parametrize(("count", "finite"), [(18, False), (19, True)])
def test_too_few_spectra_promise_nothing(count, finite):
    calibration = of_errors(np.arange(count))
    assert np.isfinite(radius(calibration)[1]) == finite
    assert calibration.distance_limit == count - 1
    assert calibration.fits(evidence([[1.0, 1e6]])).tolist() == [[True, not finite]]


def test_each_width_is_calibrated_by_its_own_spectra():
    error = np.concatenate([np.full(30, 0.1), np.full(30, 0.7)])
    calibration = of_errors(error, width=np.repeat([0.1, 0.4], 30))
    np.testing.assert_allclose(radius(calibration, width=0.4), 0.7)
    np.testing.assert_allclose(radius(calibration, width=0.1), 0.1)
    # Nothing is claimed for the width that no test spectrum matched.
    assert np.isinf(radius(calibration, width=1.2)).all()
    assert calibration.fits(evidence([[1.0, 1e6]], width=1.2)).all()


def test_an_axis_known_less_well_than_that_of_the_calibration_is_promised_nothing():
    calibration = of_errors(np.ones(40))
    open_axis, known_axis = (evidence([[1.0, 1e6]], uncertainty=u) for u in (4.0, 0.5))
    assert np.isinf(calibration.radius(open_axis)).all()
    assert calibration.fits(open_axis).all()
    assert np.isfinite(calibration.radius(known_axis)).all()
    assert calibration.fits(known_axis).tolist() == [[True, False]]


@pytest.mark.parametrize("count", [19, 100])
def test_sets_hold_the_true_valence_as_often_as_they_say(rng, count):
    held = []
    for _ in range(2000):
        distance = rng.exponential(size=(count + 1, 3)) + np.array([0.0, 0.5, 0.5])
        calibration = calibrate(
            evidence(distance[:count]), np.ones(count), np.zeros(count, dtype=int)
        )
        held.append(calibration.fits(evidence(distance[count:]))[0, 0])
    assert np.mean(held) >= SET_COVERAGE - 3 * np.sqrt(0.05 * 0.95 / 2000)
    # No larger than need be, but by what a rank of so few can't resolve.
    assert np.mean(held) <= SET_COVERAGE + 1 / (count + 1) + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_valences_fit_up_to_the_usual_excess_of_the_true_one():
    # The true valence is at 1.01, 1.02 ... times the least distance.
    excess = 1 + np.arange(1, 100) / 100
    distance = np.stack([excess, np.ones(99)], axis=1)
    calibration = calibrate(evidence(distance), np.ones(99), np.zeros(99, dtype=int))
    fits = calibration.fits(evidence([[1.0, 1.94], [1.0, 1.97], [3.0, 1.0]]))
    assert fits.tolist() == [[True, True], [True, False], [False, True]]


def test_an_exact_match_leaves_only_its_like():
    calibration = of_errors(np.ones(40))
    assert calibration.fits(evidence([[0.0, 0.0, 1e-9]])).tolist() == [[True, True, False]]


# Scores


def test_errors_and_scores_by_hand(record, prepare):
    queries = prepare(record(x={"spectra": 4}))
    truth, valence = queries["ten_dq"].values, queries["valence"].values
    off = np.array([0.1, -0.2, 0.4, 0.0])
    estimates = made_estimates(queries, truth + off, [*valence[:3], 9.0], [0.15, 0.3])
    table = errors(estimates, queries)
    np.testing.assert_allclose(table["ten_dq_error"], off)
    assert table["valence_correct"].tolist() == [True, True, True, False]
    assert table["covered_68%"].tolist() == [True, False, False, True]
    assert table["covered_95%"].tolist() == [True, True, False, True]
    (row,) = score(table).to_dict("records")
    assert row["spectra"] == 4
    assert row["valence_accuracy"] == 0.75
    assert row["ten_dq_mae"] == pytest.approx(0.175)
    assert row["ten_dq_median"] == pytest.approx(0.15)
    # Linear between the third and fourth of four: 0.2 + 0.85 * 0.2.
    assert row["ten_dq_p95"] == pytest.approx(0.37)
    assert row["ten_dq_failure_rate"] == 0.25
    assert row["coverage_68%"] == 0.5
    assert row["coverage_95%"] == 0.75
    assert row["width_95%"] == pytest.approx(0.6)
    assert row["outside_library"] == 0.25
    # The only candidate, 2+, fits but the first.
    assert row["coverage_valence"] == (valence[1:] == 2).sum() / 4
    assert row["valences_that_fit"] == 0.75


def test_without_intervals_their_coverage_is_unknown_not_zero(record, prepare):
    queries = prepare(record(x={"spectra": 2}))
    estimates = made_estimates(queries, queries["ten_dq"].values, [2.0, 2.0], [np.nan] * 2)
    (row,) = score(errors(estimates, queries)).to_dict("records")
    assert np.isnan([row["coverage_68%"], row["width_68%"], row["coverage_95%"]]).all()
    assert np.isnan([row["coverage_valence"], row["valences_that_fit"]]).all()


def made_estimates(queries, ten_dq, valence, radius):
    count = len(ten_dq)
    bounds = np.asarray(ten_dq)[:, None] + np.multiply.outer([-1, 1], [radius])
    return contracts.dataset(
        "estimates",
        {
            "query_id": queries["id"].values,
            "valence": valence,
            "ten_dq": ten_dq,
            "distance": np.zeros(count),
            "energy_shift": np.zeros(count),
            "outside_library": np.arange(count) == 1,
            "coverage": COVERAGE,
            "ten_dq_lower": bounds[0],
            "ten_dq_upper": bounds[1],
            "candidate": [2.0],
            "candidate_ten_dq": np.zeros((count, 1)),
            "candidate_distance": np.zeros((count, 1)),
            "candidate_match": np.zeros((count, 1)),
            "candidate_fits": np.arange(count)[:, None] > 0,
        },
        distance_limit=np.inf if np.isnan(radius).any() else 1.0,
    )


def test_each_scenario_and_level_is_scored_by_itself():
    table = pd.DataFrame(
        {
            "scenario": ["a", "a", "b", "b", "b"],
            "level": [np.nan, np.nan, np.inf, 10.0, 10.0],
            "valence_correct": [True, False, True, True, True],
            "ten_dq_error": [0.1, 0.3, 0.0, -0.5, 0.1],
        }
    )
    scores = score(table)
    assert scores["scenario"].tolist() == ["a", "b", "b"]
    np.testing.assert_array_equal(scores["level"], [np.nan, np.inf, 10.0])
    np.testing.assert_allclose(scores["ten_dq_mae"], [0.2, 0.0, 0.3])
    assert scores["valence_accuracy"].tolist() == [0.5, 1.0, 1.0]


def test_baselines_look_at_no_spectrum(record, prepare, library):
    queries = prepare(record(x={"spectra": 6}))
    tables = baselines(queries, library, 0)
    mean = tables["library_mean"]["ten_dq_error"] + queries["ten_dq"].values
    np.testing.assert_allclose(mean, library["ten_dq"].values.mean())
    guessed = tables["random"]["ten_dq_error"] + queries["ten_dq"].values
    assert set(np.round(guessed, 6)) <= set(library["ten_dq"].values)
    pd.testing.assert_frame_equal(tables["random"], baselines(queries, library, 0)["random"])


# Ranking


@pytest.mark.parametrize(
    ("measures", "quantile"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)]
)
def test_the_critical_difference_is_nemenyis(measures, quantile, rng):
    # Quantiles from table 5 of Demsar, J. Mach. Learn. Res. 7, 1 (2006).
    found = rank(pd.DataFrame(rng.uniform(size=(14, measures)))).critical_difference
    expected = quantile * np.sqrt(measures * (measures + 1) / (6 * 14))
    assert found == pytest.approx(expected, rel=5e-4)


def test_ranks_by_hand():
    losses = pd.DataFrame({"x": [3.0, 2.0, 5.0], "y": [1.0, 2.0, 4.0], "z": [2.0, 9.0, 6.0]})
    found = rank(losses)
    # By rows: x 3, 1.5, 2; y 1, 1.5, 1; z 2, 3, 3.
    assert found.mean_rank.to_dict() == pytest.approx({"x": 6.5 / 3, "y": 3.5 / 3, "z": 8 / 3})
    assert found.mean_rank.index[0] == "y"
    assert found.p_value == friedmanchisquare(*losses.values.T).pvalue


def test_two_measures_have_no_friedman_test():
    found = rank(pd.DataFrame({"x": [1.0, 1.0], "y": [2.0, 2.0]}))
    assert np.isnan(found.p_value)
    assert found.mean_rank.to_dict() == {"x": 1.0, "y": 2.0}


def test_a_wrong_valence_is_worse_than_any_error():
    table = pd.DataFrame({"ten_dq_error": [-2.4, 0.0], "valence_correct": [True, False]})
    assert loss(table).tolist() == [2.4, 100.0]


def test_a_spectrum_without_ten_dq_counts_as_beyond_all_bounds():
    error = np.full(60, 0.1)
    error[:15] = np.nan
    distance = np.ones((60, 1))
    calibration = calibrate(evidence(distance), error, np.zeros(60, dtype=int))
    # A quarter told nothing: 68 % are still within 0.1 eV, 95 % are within no bound.
    np.testing.assert_allclose(radius(calibration), [0.1, np.inf])
