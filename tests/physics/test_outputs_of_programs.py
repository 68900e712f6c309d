"""Real files of Quanty, Crispy and TTMULT, read, against ours and against one another."""

import numpy as np
import pytest

from whiteline import outputs
from whiteline.atomic import parse_ion
from whiteline.errors import InputError
from whiteline.multiplet import Multiplet, Parameters
from whiteline.outputs.entries import listing


def test_quantys_names_tell_ion_symmetry_and_10dq(calculated):
    pattern = "{element}_d{d_count}_{symmetry}_10Dq{ten_dq}_iso"
    paths = [str(calculated / "quanty" / "Mn*.spec")]
    found = listing({"paths": paths, "pattern": pattern, "on_error": "stop"})
    assert found.ions == ["Mn2+", "Mn3+", "Mn4+"]
    assert found.symmetries == ["Oh", "Td"]
    assert [entry.value("ten_dq") for entry in found.entries] == [2.4, 1.5, 0.0, 0.9, 0.6]


def test_every_quanty_and_crispy_file_is_read(calculated):
    folders = ("quanty", "quanty_charge_transfer", "crispy")
    files = [path for name in folders for path in (calculated / name).glob("*.spec")]
    assert len(files) >= 18
    for path in files:
        found = outputs.read(path)
        assert found.kind == "quanty"
        assert found.curve.intensity.max() > 20 * np.median(found.curve.intensity)
        assert found.curve.intensity.min() >= 0


def test_quantys_curve_is_ours(calculated, broaden):
    found = outputs.read(calculated / "quanty" / "Mn_d5_Oh_10Dq0.9_iso.spec").curve
    sticks = Multiplet(parse_ion("Mn2+"), "Oh").dense_sticks(
        Parameters(ten_dq=0.9), quanty_zero=True
    )
    ours = broaden(found.energy, sticks, 0.205)
    ours *= found.intensity.sum() / ours.sum()
    assert np.abs(ours - found.intensity).max() < 5e-4 * found.intensity.max()


def test_polarisations_from_quantys_files_side_by_side(calculated, broaden):
    """Crispy's template halves absorption but not differences; the third one is positive."""
    stem = calculated / "quanty_field" / "Ni_d8_Oh_10Dq1.1_Hz0.1"
    found = outputs.read(f"{stem}_iso.spec").curve
    right, parallel, left = found.components.T
    difference = np.loadtxt(f"{stem}_cd.spec", skiprows=5)[:, 2]
    np.testing.assert_allclose(right - left, difference / 2, atol=1e-6)
    assert parallel.min() > -1e-3 * parallel.max()
    # The field is weak beside the lines' widths: the areas differ by little.
    assert parallel.sum() == pytest.approx(found.intensity.sum(), rel=0.1)
    for part in ("cd", "r", "l"):
        with pytest.raises(InputError, match="going by its name"):
            outputs.read(f"{stem}_{part}.spec")


@pytest.mark.parametrize(
    "name", ["001/input-3iso", "001/input-3iso2K", "002/input-3iso2K", "002/input-3iso300K"]
)
def test_ttmults_sticks_make_its_curve(name, calculated, broaden):
    """Half width 0.25 eV below 720 eV and 0.5 above, deviation 0.1; both sums are of the same."""
    found = outputs.read(calculated / "ttmult" / f"{name}.xy")
    assert found.kind == "ttmult"
    energy, theirs = found.curve.energy, found.curve.intensity
    hwhm = np.where(found.sticks.energy < 720.0, 0.25, 0.5)
    ours = broaden(energy, found.sticks, hwhm, 0.1)
    inner = (energy > energy[0] + 0.6) & (energy < energy[-1] - 0.6)
    # The sticks of the file are sorted into the points of its axis, 0.035 or 0.05 eV apart.
    assert np.abs(ours - theirs)[inner].max() < 0.05 * theirs.max()


@pytest.mark.parametrize("name", ["ti4_d0_oh", "mn2_d5_oh", "ni2_d8_oh"])
def test_banders_transitions_make_the_curve_beside_them(name, calculated, broaden):
    """Squares of its matrix elements do (correlation above 0.99), their sizes do not."""
    folder = calculated / "multitorch" / name
    sticks = outputs.read(folder / f"{name}.ban_out").sticks
    curve = outputs.read(folder / f"{name}.xy").curve

    def agreement(intensity):
        shown = type(sticks)(sticks.energy, intensity)
        return np.corrcoef(broaden(curve.energy, shown, 0.1, 0.1), curve.intensity)[0, 1]

    assert agreement(sticks.intensity) > 0.99
    assert agreement(np.sqrt(sticks.intensity)) < 0.96
