"""Background, resampling and normalisation against closed forms."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from whiteline.errors import InputError
from whiteline.preprocessing import (
    edge_onset,
    normalise,
    resample,
    subtract_background,
    subtract_continuum,
)

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
    found = subtract_background(ENERGY, line + background, 638.0, {"kind": kind, **WINDOW})
    np.testing.assert_allclose(found, line, atol=1e-9 * max(background.max(), 1))


def test_a_background_needs_points_and_a_power_law_positive_ones():
    with pytest.raises(InputError, match="only 0 points before the edge"):
        subtract_background(ENERGY, ENERGY, 610.0, {"kind": "constant", **WINDOW})
    with pytest.raises(InputError, match="positive counts"):
        subtract_background(ENERGY, ENERGY - 630, 640.0, {"kind": "power_law", **WINDOW})


def test_the_continuum_has_two_steps_of_two_to_one():
    # Lines of little weight and great height put the steps where they belong.
    energy = np.arange(600.0, 1500.0, 0.1)
    record = 50 * norm.pdf(energy, 640.0, 0.1) + 3.0 * (energy > 640)
    removed = record - subtract_continuum(energy, record, 639.0, 100.0)
    before, between, beyond = (removed[np.abs(energy - e).argmin()] for e in (600, 690, 1400))
    # An arctangent of half width 1 eV is 1 / (pi x) away from its end at a distance of x eV.
    tail = 3 / np.pi
    assert before == pytest.approx(0, abs=tail / 40)
    assert between == pytest.approx(2, abs=tail / 50)
    assert beyond == pytest.approx(3, abs=tail / 100)


def test_the_continuum_needs_a_record_that_goes_beyond_l2():
    with pytest.raises(InputError, match=r"needs points above 656\.0 eV"):
        subtract_continuum(ENERGY[ENERGY < 655], ENERGY[ENERGY < 655], 639.0, 11.0)


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
