"""Grids of the configuration, and library spectra against closed line shapes."""

import numpy as np
import pytest
from scipy.special import voigt_profile

from whiteline import contracts
from whiteline.atomic import parse_ion
from whiteline.errors import InputError
from whiteline.grids import grid
from whiteline.library import axis_zero, library_spectra
from whiteline.simulation import AXES

WIDTHS = [
    {"lorentzian_hwhm_l3": 0.2, "lorentzian_hwhm_l2": 0.4, "gaussian_sigma": 0.3},
    {"lorentzian_hwhm_l3": 0.3, "lorentzian_hwhm_l2": 0.6, "gaussian_sigma": 0.4},
]
ENERGY = grid({"start": 630.0, "stop": 670.0, "step": 0.1})


@pytest.fixture
def sticks():
    """Two points of Mn3+: one line at L3 and one at L2 each."""
    return contracts.dataset(
        "sticks",
        {
            "energy": [-4.0, 7.0, -3.0, 8.0],
            "intensity": [2.0, 1.0, 1.0, 3.0],
            "row_size": [2, 2],
            "ten_dq": [0.9, 1.1],
            "slater_reduction": [0.7, 0.8],
        },
        ion="Mn3+",
        symmetry="Td",
        l3_l2_boundary=3.0,
    )


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        (0.8, [0.8]),
        ([0.9, 0.7], [0.9, 0.7]),
        ({"start": 0.0, "stop": 0.3, "step": 0.1}, [0.0, 0.1, 0.2, 0.3]),
        ({"start": -0.2, "stop": 0.2, "step": 0.15}, [-0.2, -0.05, 0.1]),
        ({"start": 1, "stop": 1, "step": 1}, [1.0]),
    ],
)
def test_grids(spec, values):
    assert grid(spec).tolist() == values


def test_a_long_grid_ends_on_its_stop():
    assert len(ENERGY) == 401
    assert ENERGY[-1] == 670.0


def test_an_empty_grid_is_refused():
    with pytest.raises(InputError, match="start 2 lies above stop 1"):
        grid({"start": 2, "stop": 1, "step": 0.1})


def test_the_axis_moves_with_the_valence():
    low, high = (axis_zero(parse_ion(ion), 0.8) for ion in ("Mn2+", "Mn4+"))
    assert high - low == pytest.approx(1.6)
    # The weighted mean of the binding energies 649.9 and 638.7 eV.
    assert low == pytest.approx((649.9 + 2 * 638.7) / 3, abs=0.01)


def test_spectra_are_voigt_lines_on_the_librarys_axis(sticks):
    found = library_spectra(sticks, WIDTHS, ENERGY, 0.8)
    zero = axis_zero(parse_ion("Mn3+"), 0.8)
    expected = [
        l3 * voigt_profile(ENERGY - zero - e3, w["gaussian_sigma"], w["lorentzian_hwhm_l3"])
        + l2 * voigt_profile(ENERGY - zero - e2, w["gaussian_sigma"], w["lorentzian_hwhm_l2"])
        for e3, l3, e2, l2 in ((-4.0, 2.0, 7.0, 1.0), (-3.0, 1.0, 8.0, 3.0))
        for w in WIDTHS
    ]
    np.testing.assert_allclose(found["intensity"], expected, atol=5e-4 * np.max(expected))
    np.testing.assert_allclose(found["energy_shift"], zero)


def test_every_row_is_labelled_with_what_made_it(sticks):
    found = library_spectra(sticks, WIDTHS, ENERGY, 0.8)
    assert found["ten_dq"].tolist() == [0.9, 0.9, 1.1, 1.1]
    assert found["slater_reduction"].tolist() == [0.7, 0.7, 0.8, 0.8]
    assert found["gaussian_sigma"].tolist() == [0.3, 0.4, 0.3, 0.4]
    assert set(found["ion"]) == {"Mn3+"}
    assert set(found["symmetry"]) == {"Td"}
    assert set(found["valence"]) == {3.0}
    assert len(set(found["id"])) == 4
    assert set(AXES) <= set(found)
    contracts.dataset("spectra", {**found, "energy": ENERGY})
