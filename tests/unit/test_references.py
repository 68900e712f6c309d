"""Measured references: laid on the library's axis, prepared as queries are, NaN where unknown."""

import numpy as np
import pytest

from preprocess_library import preprocess_library
from select_map import select_map
from whiteline import contracts
from whiteline.errors import InputError
from whiteline.references import with_references

BACKGROUND = {"kind": "constant", "window": [-6.0, -3.0]}
SETTING = {"background": BACKGROUND, "continuum": "none", "energy_shift": None}
# A library spectrum's own axis is met within this, eV: a twentieth of the library's step.
AXIS = 0.005


@pytest.fixture
def recorded(record):
    """One library spectrum as if measured, on an axis that is 1.53 eV off."""
    disturb = {"energy_shift": 1.53}
    return record(measured={"tier": "a", "spectra": 1, "disturb": disturb})


def unknown(recorded):
    """The same record with nothing known but its ion."""
    names = [name for name, v in recorded.coords.items() if v.dtype.kind == "f"]
    return recorded.assign_coords(
        {n: recorded[n] * np.nan for n in names if n not in ("valence", "leave_out")}
    )


def truth(library, recorded):
    """The library spectrum that was recorded."""
    names = ("ten_dq", "slater_reduction", "gaussian_sigma", "valence")
    same = np.all([np.isclose(library[n].values, recorded[n].values[0]) for n in names], axis=0)
    (spectrum,) = library["intensity"].values[same]
    return spectrum


def test_a_reference_is_laid_on_the_simulations_of_its_ion(library, recorded):
    found = with_references(library, unknown(recorded), [SETTING], "area")
    assert found.sizes["spectrum"] == library.sizes["spectrum"] + 1
    assert found["energy_shift"].values[-1] == pytest.approx(-1.53, abs=AXIS)
    own = found["intensity"].values[-1]
    assert np.corrcoef(own, truth(library, recorded))[0, 1] > 0.9995
    assert own.sum() == pytest.approx(1)
    np.testing.assert_array_equal(found["intensity"].values[:-1], library["intensity"])


def test_a_shift_that_is_given_is_taken(library, recorded):
    setting = SETTING | {"energy_shift": -1.2}
    found = with_references(library, recorded, [setting], "area")
    assert found["energy_shift"].values[-1] == -1.2


def test_an_ion_that_is_not_simulated_is_laid_on_the_onset(library, recorded):
    spectrum = library["ion"].values != recorded["ion"].values[0]
    found = with_references(library.isel(spectrum=spectrum), recorded, [SETTING], "area")
    # The library's onset is the usual one of all its spectra, whose onsets differ by 2 eV.
    assert found["energy_shift"].values[-1] == pytest.approx(-1.53, abs=2.0)
    assert abs(found["energy_shift"].values[-1] + 1.53) > AXIS


def test_what_is_not_known_is_nan_and_the_valence_is(library, recorded, tmp_path):
    found = with_references(library, unknown(recorded), [SETTING], "area")
    contracts.write(found, tmp_path / "library.nc")
    read = contracts.read(tmp_path / "library.nc", "spectra")
    assert contracts.is_reference(read).nonzero()[0].tolist() == [library.sizes["spectrum"]]
    last = read.isel(spectrum=-1)
    assert last["ion"] == recorded["ion"].values[0]
    assert last["valence"] == recorded["valence"].values[0]
    for name in ("ten_dq", "slater_reduction", "lorentzian_hwhm_l3", "gaussian_sigma"):
        assert np.isnan(last[name])
    assert read.attrs["onset"] == library.attrs["onset"]


def test_a_reference_that_cannot_be_prepared_is_named(library, recorded):
    moved = recorded["energy"].values + 300
    with pytest.raises(InputError, match=r"'measured_000': the energies .* miss the edge"):
        with_references(library, recorded.assign(energy=("sample", moved)), [SETTING], "area")
    with pytest.raises(InputError, match=r"'measured_000': its energies .* cover"):
        with_references(library, recorded, [SETTING | {"energy_shift": 30.0}], "area")


def test_the_stage_adds_them(library_path, recorded, library, tmp_path):
    contracts.write(recorded, tmp_path / "references.nc")
    settings = {"background": BACKGROUND, "normalisation": "area"}
    preprocess_library(
        library=str(library_path.with_name("library_raw.nc")),
        references=[str(tmp_path / "references.nc")],
        prepared=str(tmp_path / "library.nc"),
        reference_settings=[SETTING],
        **settings,
    )
    found = contracts.read(tmp_path / "library.nc", "spectra")
    assert found["id"].values[-1] == "measured_000"
    assert found.sizes["spectrum"] == library.sizes["spectrum"] + 1
    np.testing.assert_array_equal(found["intensity"].values[:-1], library["intensity"])


@pytest.mark.parametrize(("sample", "count"), [(None, 26), (1000, 156)])
def test_a_map_shows_simulations_only(sample, count, library, recorded, tmp_path):
    # The reference has all that a map asks for, and an unusual temperature nearer to the usual.
    known = recorded.assign_coords(temperature=("spectrum", [299.0]))
    cold = library.assign_coords(temperature=library["temperature"] * 0 + 77.0)
    contracts.write(with_references(cold, known, [SETTING], "area"), tmp_path / "library.nc")
    select_map(
        library=str(tmp_path / "library.nc"),
        spectra=str(tmp_path / "map.nc"),
        sample=sample,
        slater_reduction=None,
        broadening=[{"gaussian_sigma": 0.2}],
        energy_uncertainty=1.0,
        seed=0,
    )
    shown = contracts.read(tmp_path / "map.nc", "spectra")
    assert "measured_000" not in shown["id"].values
    # Two ions at 13 values of 10Dq; in a sample also other reductions and widths.
    assert shown.sizes["spectrum"] == count
