"""Other programs' spectra on their way into a library: contract, energy axis, test spectra."""

import json

import numpy as np
import pytest
from parameter_tables import library_of

from build_library import build_library
from parse_outputs import parse_outputs
from select_map import select_map
from whiteline import contracts, estimators
from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.errors import InputError
from whiteline.evaluation.calibration import Evidence, calibrate
from whiteline.evaluation.from_files import References
from whiteline.grids import grid
from whiteline.library import axis_zero
from whiteline.multiplet import Multiplet, Parameters

WIDTHS = {"lorentzian_hwhm_l3": 0.3, "lorentzian_hwhm_l2": 0.4, "gaussian_sigma": 0.2}
GRID = {"start": 844.0, "stop": 884.0, "step": 0.1}
ION = parse_ion("Ni2+")
ZERO = axis_zero(ION, 0.8)


def simulated(energy, ten_dq):
    """A Ni2+ spectrum, energies from the difference of the configuration averages."""
    engine = Multiplet(ION, "Oh")
    sticks = engine.sticks(Parameters(ten_dq=ten_dq))
    boundary = engine.l3_l2_boundary
    return broaden(sticks.energy, sticks.intensity, boundary, [Broadening(**WIDTHS)], energy)[0]


def columns(offset=0.0, ten_dq=1.0):
    energy = np.arange(-15.0, 25.0, 0.1)
    rows = zip(energy + offset, simulated(energy, ten_dq), strict=True)
    return "".join(f"{e:.4f} {i:.8f}\n" for e, i in rows)


def sticks(ten_dq=1.0):
    found = Multiplet(ION, "Oh").sticks(Parameters(ten_dq=ten_dq))
    rows = "".join(
        f"{e:.6f} {i:.8f}\n" for e, i in zip(found.energy, found.intensity, strict=True)
    )
    return "".join(f"{name} Sticks\n{rows}" for name in "LRZ")


@pytest.fixture
def build(tmp_path):
    """Parses and builds a library of texts; labels beside the ion and 10Dq by file."""

    def made(texts, labels=(), on_error="stop", zero="auto", polarisation=("isotropic",)):
        entries = []
        for number, (name, text) in enumerate(texts.items()):
            (tmp_path / name).write_text(text)
            own = dict(labels).get(name, {"ten_dq": 1.0 + number / 10})
            values = {"where": f"table.csv, line {number + 2}", "ion": "Ni2+", "numbers": own}
            entries.append(values | {"path": str(tmp_path / name)})
        outputs, library = tmp_path / "outputs.nc", tmp_path / "library.nc"
        parse_outputs(
            files=[str(tmp_path / name) for name in texts],
            outputs=str(outputs),
            entries=entries,
            faults=[],
            on_error=on_error,
        )
        build_library(
            sticks=[],
            outputs=[str(outputs)],
            library=str(library),
            broadening=[WIDTHS, WIDTHS | {"gaussian_sigma": 0.5}],
            energy=GRID,
            chemical_shift=0.8,
            polarisation=list(polarisation),
            files={"energy_zero": zero, "on_error": on_error},
        )
        return contracts.read(library, "spectra")

    return made


def test_what_is_read_comes_back_from_the_file(build, tmp_path):
    build({"a.dat": columns(), "b_sticks.xy": sticks()})
    data = contracts.read(tmp_path / "outputs.nc", "outputs")
    assert data["kind"].values.astype(str).tolist() == ["columns", "ctm4xas"]
    assert data["curve_row_size"].values.tolist() == [400, 0]
    assert data["stick_row_size"].values[0] == 0
    (energy, intensity), (none, _) = contracts.split_rows(data, "curve_")
    np.testing.assert_allclose(energy, np.arange(-15.0, 25.0, 0.1), atol=1e-9)
    np.testing.assert_allclose(intensity, simulated(energy, 1.0), atol=1e-8)
    assert none.size == 0
    assert np.isnan(data["curve_components"]).all()
    assert np.isfinite(data["stick_components"]).all()
    assert data["curve_energy"].attrs["units"] == "eV"
    assert np.isnan(data["gaussian_sigma"]).all()


@pytest.mark.parametrize(
    ("zero", "offset", "shift"),
    [("auto", 0.0, ZERO), ("relative", 0.0, ZERO), ("auto", 860.0, 0.0), ("absolute", 860.0, 0.0)],
)
def test_relative_and_absolute_axes_land_on_the_librarys(build, zero, offset, shift):
    library = build({"a.dat": columns(offset)}, zero=zero)
    assert library["energy_shift"].item() == pytest.approx(shift)
    energy = library["energy"].values
    expected = simulated(energy - shift - offset, 1.0)
    np.testing.assert_allclose(library["intensity"][0], expected, atol=0.01 * expected.max())


def test_an_axis_of_unknown_zero_is_laid_on_the_onset(build):
    known, unknown = (
        build({"a.dat": columns(offset)}, zero="onset")["intensity"].values[0]
        for offset in (0.0, 17.3)
    )
    np.testing.assert_allclose(unknown, known, atol=0.03 * known.max())
    peak = grid(GRID)[known.argmax()]
    assert peak == pytest.approx(ZERO + np.arange(-15, 25, 0.1)[
        simulated(np.arange(-15.0, 25.0, 0.1), 1.0).argmax()], abs=1.5)  # fmt: skip


def test_the_tables_shift_is_added_and_its_widths_are_labels(build):
    own = {"ten_dq": 1.0, "energy_shift": 0.7, **WIDTHS}
    library = build({"a.dat": columns()}, {"a.dat": own})
    assert library["energy_shift"].item() == pytest.approx(ZERO + 0.7)
    assert library["gaussian_sigma"].item() == 0.2


def test_curves_are_taken_as_they_are_and_sticks_are_broadened(build):
    library = build({"a.dat": columns(), "b_sticks.xy": sticks(1.2)})
    assert library["id"].values.astype(str).tolist() == [
        "00000_a",
        "00001_b_sticks_0",
        "00001_b_sticks_1",
    ]
    np.testing.assert_allclose(library["gaussian_sigma"], [np.nan, 0.2, 0.5])
    np.testing.assert_allclose(library["ten_dq"], [1.0, 1.1, 1.1])
    expected = simulated(library["energy"].values - ZERO, 1.2)
    np.testing.assert_allclose(
        library["intensity"].values[1], expected, atol=1e-4 * expected.max()
    )


def test_polarised_files_give_each_polarisation_and_others_isotropic_alone(build):
    text = "".join(f"{e} {i} {2 * i} {3 * i}\n" for e, i in np.array(
        [line.split() for line in columns().splitlines()], float))  # fmt: skip
    library = build(
        {"a.dat": "# energy right parallel left\n" + text, "b.dat": columns()},
        polarisation=("isotropic", "left", "perpendicular"),
    )
    assert library["polarisation"].values.astype(str).tolist() == [
        "isotropic",
        "left",
        "perpendicular",
        "isotropic",
    ]
    isotropic, left, perpendicular, _ = library["intensity"].values
    np.testing.assert_allclose(left, 1.5 * isotropic)
    np.testing.assert_allclose(perpendicular, isotropic)
    with pytest.raises(InputError, match="no file tells the polarisation left"):
        build({"b.dat": columns()}, polarisation=["left"])


BROKEN = {
    "empty.xy": ("", "empty.xy: the file is empty"),
    "cut_data.xy": ("1e+000 2 3 4\n2e+000 2", "cut_data.xy, line 2: "),
    "elsewhere.dat": (columns(600.0), "elsewhere.dat: on the library's axis its energies are"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_stops_or_is_left_out_and_told(build, name):
    text, expected = BROKEN[name]
    texts = {"a.dat": columns(), name: text}
    with pytest.raises(InputError) as caught:
        build(texts)
    assert expected in str(caught.value)
    library = build(texts, on_error="skip")
    assert library["id"].values.astype(str).tolist() == ["00000_a"]
    (sentence,) = json.loads(library.attrs["skipped"])
    assert expected in sentence


def test_nothing_left_is_an_error(build):
    with pytest.raises(InputError, match="none of the 1 files could be read; the first: "):
        build({"empty.xy": ""}, on_error="skip")


def test_a_file_that_says_another_ion_is_refused(build, monkeypatch):
    from whiteline import outputs

    found = outputs.Calculated("quanty", ion="Co2+")
    monkeypatch.setattr(outputs, "read", lambda *_, **__: found)
    with pytest.raises(InputError, match=r"is of Co2\+, but table.csv, line 2 says Ni2\+"):
        build({"a.dat": columns()})


def test_test_spectra_lie_where_the_librarys_do(build):
    """A program's own zero is found: here 3.2 eV off, as Quanty's may be."""
    library = build(
        {"a.dat": columns(3.2, 0.8), "b.dat": columns(3.2, 1.4)},
        {"a.dat": {"ten_dq": 0.8}, "b.dat": {"ten_dq": 1.4, "temperature": 77.0}},
    )
    references = References(library, 0.8, WIDTHS)
    truths = [references.draw("c", np.random.default_rng(seed)) for seed in range(20)]
    for truth in truths:
        assert 0.8 <= truth.parameters["ten_dq"] <= 1.4
        assert truth.zero == pytest.approx(ZERO + 3.2, abs=0.02)
        near = truth.parameters["ten_dq"] > 1.1
        assert truth.parameters["temperature"] == (77.0 if near else 300.0)
    on_grid = {references.draw("a", np.random.default_rng(seed)).parameters["ten_dq"]
               for seed in range(20)}  # fmt: skip
    assert on_grid == {0.8, 1.4}


def test_test_spectra_need_a_known_10dq(build):
    library = build({"a.dat": columns()}, {"a.dat": {}})
    assert np.isnan(library["ten_dq"]).all()
    with pytest.raises(InputError, match="test spectra need files of known 10Dq"):
        References(library, 0.8, WIDTHS)


@pytest.mark.parametrize("kind", ["nearest", "k_nearest", "profile"])
def test_valence_counts_where_10dq_is_not_known(kind):
    table = {"valence": [2, 2, 2, 3, 4, 4], "ten_dq": [1.0, 1.2, np.nan, np.nan, 0.5, 0.7]}
    estimator = estimators.load(kind).fit(library_of(table), order=1)
    # Nearest: the unknown one of valence 2, the one of 3, a known one of 4, a known one of 2.
    distance = np.array(
        [
            [0.3, 0.2, 0.1, 0.8, 0.9, 0.9],
            [0.8, 0.8, 0.8, 0.1, 0.9, 0.9],
            [0.8, 0.8, 0.8, 0.9, 0.1, 0.2],
            [0.1, 0.3, 0.5, 0.8, 0.9, 0.9],
        ]
    )
    found = estimator.predict(estimators.Comparison(distance))
    if kind != "k_nearest":
        assert found.valence.tolist() == [2, 3, 4, 2]
    assert np.isfinite(found.parameters["ten_dq"][:, 2]).all()
    assert np.isnan(found.parameters["ten_dq"][:, 1]).all()
    assert np.isfinite(found.parameters["ten_dq"][:, 0]).tolist() == [False, True, True, True]


def test_the_unknown_width_is_a_group_of_its_own_and_no_estimate_no_success():
    error = np.concatenate([np.full(20, 0.1), np.full(20, 0.3), [np.nan]])
    width = np.concatenate([np.full(20, 0.2), np.full(21, np.nan)])

    def of_widths(width):
        one = np.ones(len(width))
        return Evidence(one[:, None], width, np.nan * one, 0 * one, one)

    calibration = calibrate(of_widths(width), error, np.zeros(41, dtype=int))
    radius = calibration.radius(of_widths(np.array([0.2, np.nan, 0.5])))
    np.testing.assert_allclose(radius[:2, 0], [0.1, 0.3])
    assert np.isinf(radius[2]).all()


def test_a_map_of_files_that_are_no_grid_is_not_empty(build, tmp_path):
    build(
        {"a.dat": columns(), "b.dat": columns(), "c.dat": columns()},
        {
            "a.dat": {"slater_reduction": 0.9, "gaussian_sigma": 0.2},
            "b.dat": {"slater_reduction": 0.8, "gaussian_sigma": 0.7},
            "c.dat": {},
        },
    )
    select_map(
        library=str(tmp_path / "library.nc"),
        spectra=str(tmp_path / "map.nc"),
        sample=None,
        slater_reduction=None,
        broadening=[WIDTHS],
        energy_uncertainty=1.0,
        seed=0,
    )
    shown = contracts.read(tmp_path / "map.nc", "spectra")
    assert shown["id"].values.astype(str).tolist() == ["00001_b", "00002_c"]
