"""Background, resampling and normalisation against closed forms."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from whiteline.errors import InputError
from whiteline.preprocessing.background import baseline_faults, fitted_background
from whiteline.preprocessing.continuum import fitted_continuum
from whiteline.preprocessing.edge import edge_onset, l3_centroid, l3_maximum
from whiteline.preprocessing.glitches import bridged, glitches
from whiteline.preprocessing.normalisation import normalise
from whiteline.preprocessing.resampling import resample
from whiteline.preprocessing.smoothing import smoothed

ENERGY = np.arange(620.0, 680.0, 0.1)
WINDOW = {"window": [-15.0, -5.0]}


def white_lines(energy, l3=640.0, width=1.5):
    return norm.pdf(energy, l3, width) + 0.5 * norm.pdf(energy, l3 + 11.0, width)


def onset(intensity, energy=ENERGY):
    return edge_onset(energy, intensity, 620.0, 680.0)


def test_the_onset_is_where_the_running_mean_reaches_a_fifth():
    def mean(centre):
        return norm.cdf(centre + 0.5, 640.0, 1.5) - norm.cdf(centre - 0.5, 640.0, 1.5)

    expected = brentq(lambda centre: mean(centre) - 0.2 * mean(640.0), 630.0, 640.0)
    # A point of the record, and the running mean over an even number of points is half a step off.
    assert onset(white_lines(ENERGY)) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_scale_and_sloping_background_do_not_move_the_onset(scale):
    line = white_lines(ENERGY)
    sloping = scale * (line + 0.02 * (680 - ENERGY) + 3)
    assert onset(sloping) == onset(line)


def test_the_onset_moves_with_the_axis():
    later = edge_onset(ENERGY + 3.7, white_lines(ENERGY), 623.7, 683.7)
    assert later == pytest.approx(onset(white_lines(ENERGY)) + 3.7)


def test_the_onset_is_that_of_l3_even_where_l2_is_higher():
    line = norm.pdf(ENERGY, 640.0, 1.0) + 1.5 * norm.pdf(ENERGY, 651.0, 1.0)
    assert 637 < onset(line) < 640


def test_noise_does_not_pass_for_an_edge(rng):
    line = white_lines(ENERGY) / white_lines(ENERGY).max()
    found = [onset(line + rng.normal(0, 0.1, len(line))) for _ in range(50)]
    # 40 points lie between the lowest and the highest fifth of the line's flank.
    assert np.abs(np.array(found) - onset(line)).max() < 1.5


def test_a_record_that_misses_the_edge_is_refused():
    with pytest.raises(InputError, match="miss the edge"):
        edge_onset(ENERGY, ENERGY, 840.0, 890.0)


@pytest.mark.parametrize(
    ("kind", "background"),
    [
        ("none", np.zeros_like(ENERGY)),
        ("constant", np.full_like(ENERGY, 5.0)),
        ("linear", 100 - 0.1 * ENERGY),
        ("power_law", 3e9 * ENERGY**-3.2),
    ],
)
def test_a_background_of_its_kind_vanishes(kind, background):
    line = np.where(ENERGY > 636, white_lines(ENERGY), 0)
    found = fitted_background(ENERGY, line + background, 638.0, {"kind": kind, **WINDOW})
    np.testing.assert_allclose(found, background, atol=1e-9 * max(background.max(), 1))


def test_a_background_needs_points_and_a_power_law_positive_ones():
    with pytest.raises(InputError, match="only 0 points before the edge"):
        fitted_background(ENERGY, ENERGY, 610.0, {"kind": "constant", **WINDOW})
    with pytest.raises(InputError, match="positive counts"):
        fitted_background(ENERGY, ENERGY - 630, 640.0, {"kind": "power_law", **WINDOW})


def test_the_continuum_has_two_steps_of_two_to_one():
    # Lines of little weight and great height put the steps where they belong.
    energy = np.arange(600.0, 1500.0, 0.1)
    record = 50 * norm.pdf(energy, 640.0, 0.1) + 3.0 * (energy > 640)
    removed = fitted_continuum(energy, record, 639.0, 100.0, "two_step")
    before, between, beyond = (removed[np.abs(energy - e).argmin()] for e in (600, 690, 1400))
    # An arctangent of half width 1 eV is 1 / (pi x) away from its end at a distance of x eV.
    tail = 3 / np.pi
    assert before == pytest.approx(0, abs=tail / 40)
    assert between == pytest.approx(2, abs=tail / 50)
    assert beyond == pytest.approx(3, abs=tail / 100)


def test_the_continuum_needs_a_record_that_goes_beyond_l2():
    with pytest.raises(InputError, match=r"needs points above 656\.0 eV"):
        fitted_continuum(ENERGY[ENERGY < 655], ENERGY[ENERGY < 655], 639.0, 11.0, "two_step")


def test_the_continuum_follows_a_post_edge_line():
    energy = np.arange(600.0, 760.0, 0.1)
    slope = 1 + 0.01 * (energy - 640)
    steps = sum(
        share * (0.5 + np.arctan(energy - centre) / np.pi)
        for share, centre in ((2 / 3, 640.0), (1 / 3, 651.0))
    )
    continuum = 3 * steps * slope
    # A line so high and sharp that it places the step and leaves nothing in the window.
    line = 50 * norm.pdf(energy, 640.0, 0.3)
    for window in (None, (20.0, 100.0)):
        found = fitted_continuum(energy, line + continuum, 639.0, 11.0, "two_step_line", window)
        np.testing.assert_allclose(found, continuum, atol=1e-6)
    level = fitted_continuum(energy, line + continuum, 639.0, 11.0, "two_step", (20.0, 22.0))
    assert level[-1] == pytest.approx(3 * slope[np.abs(energy - 660).argmin()], rel=0.02)


def test_a_window_beyond_the_record_is_refused():
    with pytest.raises(InputError, match=r"above 739\.0 eV and below 749\.0 eV; .* ends at 679"):
        fitted_continuum(ENERGY, ENERGY, 639.0, 11.0, "two_step_line", (100.0, 110.0))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("asls", {"lam": 1e7, "p": 0.001}),
        ("arpls", {"lam": 1e7}),
        ("snip", {"max_half_window": 60}),
        ("modpoly", {"poly_order": 1}),
    ],
)
def test_baselines_find_a_slope_under_the_lines(method, parameters, scale, rng):
    line = white_lines(ENERGY) / white_lines(ENERGY).max()
    slope = 2 - 0.01 * (ENERGY - 620)
    record = scale * (line + slope + rng.normal(0, 0.002, len(ENERGY)))
    settings = {"kind": "pybaselines", "method": method, "parameters": parameters}
    found = fitted_background(ENERGY, record, 638.0, settings)
    assert np.abs(found / scale - slope).max() < 0.05


def test_baselines_are_chosen_by_name_and_parameters():
    def fault(method=None, **parameters):
        settings = {"kind": "pybaselines", "parameters": parameters}
        return baseline_faults(settings | ({"method": method} if method else {}))

    assert fault("arpls", lam=1e5) == []
    assert "needs a 'method'" in fault()[0]
    for name in ("no_such", "_setup", "banded_solver"):
        assert f"has no {name!r}" in fault(name)[0]
    assert "snip takes no 'lam', only max_half_window" in fault("snip", lam=1)[0]


def test_a_baseline_that_fails_is_told():
    settings = {"kind": "pybaselines", "method": "asls", "parameters": {"p": 2.0}}
    with pytest.raises(InputError, match=r"background\.method asls: "):
        fitted_background(ENERGY, white_lines(ENERGY), 638.0, settings)


def test_maximum_and_centroid_are_of_l3():
    line = norm.pdf(ENERGY, 640.0, 0.8) + 2 * norm.pdf(ENERGY, 651.0, 0.8)
    assert l3_maximum(ENERGY, line, 637.0, 11.0) == pytest.approx(640.0, abs=0.05)
    assert l3_centroid(ENERGY, line, 637.25, 11.0) == pytest.approx(640.0, abs=0.05)
    # Two lines of 3 : 1.
    pair = 3 * norm.pdf(ENERGY, 639.0, 0.3) + norm.pdf(ENERGY, 641.0, 0.3)
    assert l3_maximum(ENERGY, pair, 637.0, 11.0) == pytest.approx(639.0, abs=0.05)
    assert l3_centroid(ENERGY, pair, 637.0, 11.0) == pytest.approx(639.5, abs=0.01)


def test_smoothing_keeps_polynomials_and_lessens_noise(rng):
    cubic = ((ENERGY - 650) / 10) ** 3
    noisy = cubic + rng.normal(0, 1.0, len(ENERGY))
    settings = {"window": 2.05, "order": 3}
    np.testing.assert_allclose(smoothed(ENERGY, cubic, settings), cubic, atol=1e-9)
    # The variance of a cubic fit's middle over 21 points.
    x = np.arange(-10, 11)
    share = np.linalg.pinv(np.vander(x, 4))[-1, 10]
    inside = (smoothed(ENERGY, noisy, settings) - cubic)[20:-20]
    assert inside.std() == pytest.approx(np.sqrt(share), rel=0.2)
    assert smoothed(ENERGY, noisy, None) is noisy


@pytest.mark.parametrize("window", [0.25, 100.0])
def test_a_window_that_does_not_fit_is_refused(window):
    with pytest.raises(InputError, match=r"smoothing\.window: .* are \d+ points of 0\.1 eV"):
        smoothed(ENERGY, ENERGY, {"window": window, "order": 3})


def test_single_glitches_are_found_and_bridged(rng):
    line = white_lines(ENERGY) / white_lines(ENERGY).max()
    record = line + rng.normal(0, 0.005, len(ENERGY))
    places = [50, 200, 215, 400]
    record[places] += [0.2, -0.15, 0.3, -0.15]
    masked = glitches(ENERGY, record, {"threshold": 8.0})
    np.testing.assert_array_equal(np.flatnonzero(masked), places)
    mended = bridged(ENERGY, record, masked)
    assert np.abs(mended - line).max() < 5 * 0.005
    np.testing.assert_array_equal(mended[~masked], record[~masked])


@pytest.mark.parametrize("noise", [0.0, 1e-4, 0.01, 0.1])
@pytest.mark.parametrize("width", [0.25, 0.5, 1.5])
def test_lines_and_noise_are_no_glitches(noise, width, rng):
    line = white_lines(ENERGY, width=width) / white_lines(ENERGY, width=width).max()
    record = line + rng.normal(0, noise, len(ENERGY))
    assert not glitches(ENERGY, record, {"threshold": 8.0}).any()


def test_ranges_are_masked_whatever_they_hold():
    record = np.where((ENERGY > 630.05) & (ENERGY < 631), 9.0, 1.0)
    masked = glitches(ENERGY, record, {"ranges": [[630.05, 631.05], [700.0, 710.0]]})
    np.testing.assert_array_equal(masked, (ENERGY > 630.05) & (ENERGY < 631.05))
    np.testing.assert_allclose(bridged(ENERGY, record, masked), 1.0)
    assert not glitches(ENERGY, record, {}).any()
    with pytest.raises(InputError, match=r"glitches\.ranges leave 0 of 600 points"):
        glitches(ENERGY, record, {"ranges": [[0.0, 1000.0]]})


def test_a_fine_record_is_averaged_over_each_step():
    energy, grid = np.arange(0.0, 10.0, 0.001), np.arange(1.0, 9.0, 0.1)
    found = resample(energy, energy**2, grid)
    # The mean of x^2 over a step; the trapezia of the record's own steps add 0.001^2 / 6.
    np.testing.assert_allclose(found, grid**2 + 0.1**2 / 12 + 0.001**2 / 6, atol=1e-9)


def test_averaging_uses_all_counts(rng):
    energy, grid = np.arange(0.0, 1000.0, 0.01), np.arange(0.5, 999.5, 0.1)
    found = resample(energy, rng.normal(size=len(energy)), grid)
    # Nine draws whole and two by half; a deviation's relative error is 1 / sqrt(2 n).
    expected = np.sqrt(9 + 2 / 4) / 10
    assert found.std() == pytest.approx(expected, rel=3 / np.sqrt(2 * len(grid)))


@pytest.mark.parametrize("step", [0.02, 0.1, 0.5])
def test_a_straight_line_stays_straight_and_ends_go_on(step):
    energy = np.append(np.arange(10.0, 20.0, step), 20.0)
    grid = np.arange(8.0, 22.0, 0.1)
    found = resample(energy, 3 * energy - 7, grid)
    inside = (grid > 10.1) & (grid < 19.9)
    np.testing.assert_allclose(found[inside], 3 * grid[inside] - 7)
    np.testing.assert_allclose(found[grid < 9.9], 23)
    np.testing.assert_allclose(found[grid > 20.1], 53)


@pytest.mark.parametrize(
    ("kind", "size"),
    [("area", np.sum), ("maximum", np.max), ("unit_norm", np.linalg.norm), ("snv", np.std)],
)
def test_normalised_spectra_have_size_one_whatever_their_scale(kind, size, rng):
    spectra = rng.uniform(size=(3, 20)) * [[1e-9], [1], [1e9]]
    found = normalise(spectra, kind)
    np.testing.assert_allclose([size(row) for row in found], 1)
    np.testing.assert_allclose(found, normalise(7 * spectra, kind))
    np.testing.assert_allclose(found[1], normalise(spectra[1], kind))
    if kind == "snv":
        np.testing.assert_allclose(found.mean(1), 0, atol=1e-12)


def test_what_has_no_signal_is_not_normalised():
    with pytest.raises(InputError, match="constant"):
        normalise(np.ones((2, 5)), "area")
    with pytest.raises(InputError, match="not positive"):
        normalise(np.array([1.0, -2.0, 0.5]), "area")
