"""Broadening against the closed line shapes."""

import numpy as np
import pytest
from scipy.special import voigt_profile

from whiteline.broadening import Broadening, broaden

GRID = np.arange(-20.0, 25.0, 0.1)
ENERGY = np.array([-3.3, -3.21234, 2.05, 9.0])
INTENSITY = np.array([1.0, 0.5, 0.2, 0.7])
BOUNDARY = 3.0


def closed_form(width):
    hwhm = np.where(ENERGY < BOUNDARY, width.lorentzian_hwhm_l3, width.lorentzian_hwhm_l2)
    lines = voigt_profile(GRID[:, None] - ENERGY, width.gaussian_sigma, hwhm)
    return lines @ INTENSITY


@pytest.mark.parametrize(
    "width", [Broadening(0.1, 0.3, 0.0), Broadening(0.2, 0.4, 0.2), Broadening(0.3, 0.6, 1.2)]
)
def test_sticks_become_voigt_lines(width):
    (found,) = broaden(ENERGY, INTENSITY, BOUNDARY, [width], GRID)
    expected = closed_form(width)
    assert np.abs(found - expected).max() < 5e-4 * expected.max()


def test_several_widths_at_once_are_the_same_as_one_by_one():
    widths = [Broadening(0.2, 0.4, 0.2), Broadening(0.3, 0.6, 0.4)]
    together = broaden(ENERGY, INTENSITY, BOUNDARY, widths, GRID)
    single = [broaden(ENERGY, INTENSITY, BOUNDARY, [width], GRID)[0] for width in widths]
    np.testing.assert_allclose(together, single)


def test_area_is_the_sum_of_the_sticks():
    wide = np.arange(-2000.0, 2000.0, 0.1)
    (found,) = broaden(ENERGY, INTENSITY, BOUNDARY, [Broadening(0.2, 0.4, 0.2)], wide)
    assert found.sum() * 0.1 == pytest.approx(INTENSITY.sum(), rel=5e-4)
