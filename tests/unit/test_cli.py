"""The command line: what it writes against the package, ranges, faults."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whiteline import contracts, engines
from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.cli import main
from whiteline.cli.base import grid_of
from whiteline.formats import read_spectrum
from whiteline.grids import grid
from whiteline.library import axis_zero
from whiteline.simulation import AXES, Parameters, Sticks

SCRIPTS = Path(__file__).parents[2] / "scripts"
NI = ("simulate", "Ni2+", "--ten-dq", "1.1")


def expected(energy, zero, widths=(0.2, 0.4, 0.1), ion="Ni2+", **parameters):
    """A spectrum made by the engine and the broadening themselves."""
    engine = engines.load("multiplet", parse_ion(ion), "Oh")
    sticks = engine.sticks(Parameters(**parameters))
    boundary = engine.l3_l2_boundary
    (spectrum,) = broaden(
        sticks.energy, sticks.intensity, boundary, [Broadening(*widths)], energy - zero
    )
    return spectrum


@pytest.fixture
def run(capsys):
    """Runs the command and returns what it prints to stdout."""

    def command(*arguments):
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return printed.out

    return command


@pytest.fixture
def fault(capsys):
    """Runs a command that must fail, and returns its one sentence."""

    def command(*arguments):
        assert main([str(argument) for argument in arguments]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        return printed.err

    return command


def table(text):
    return pd.read_csv(io.StringIO(text), comment="#")


def test_stdout_holds_the_spectrum_and_nothing_else(run):
    found = table(run(*NI))
    assert [*found.columns] == ["energy (eV)", "intensity (1/eV)"]
    energy = found["energy (eV)"].values
    # From 10 eV below L3 to 15 eV above L2, about the place that a library has for the edge.
    zero = axis_zero(parse_ion("Ni2+"), 0.8)
    assert energy[0] < zero - 15
    assert energy[-1] > zero + 26
    assert energy[np.argmax(found["intensity (1/eV)"])] == pytest.approx(853.8, abs=0.5)
    np.testing.assert_allclose(
        found["intensity (1/eV)"], expected(energy, zero, ten_dq=1.1), rtol=1e-4, atol=1e-9
    )


def test_every_option_reaches_the_spectrum(run):
    text = run(
        *("simulate", "Mn3+", "--ten-dq", 1.5, "--slater", 0.7, "--slater-pd", 0.75),
        *("--zeta-3d-scale", 0.9, "--temperature", 77, "--lorentzian-hwhm", 0.3),
        *("--gaussian-sigma", 0.25, "--chemical-shift", 0.5, "--energy", "630:660:0.2"),
    )
    found = table(text)
    parameters = Parameters(
        ten_dq=1.5,
        slater_reduction=0.7,
        slater_reduction_pd=0.75,
        zeta_3d_scale=0.9,
        temperature=77,
    )
    zero = axis_zero(parse_ion("Mn3+"), 0.5)
    energy = grid({"start": 630, "stop": 660, "step": 0.2})
    np.testing.assert_allclose(found["energy (eV)"], energy)
    own = expected(energy, zero, (0.3, 0.3, 0.25), "Mn3+", **parameters.as_dict())
    np.testing.assert_allclose(found.iloc[:, 1], own, rtol=1e-4, atol=1e-9)
    for line in ("slater_reduction_pd: 0.75", "temperature: 77 K", "lorentzian_hwhm_l2: 0.3 eV"):
        assert f"# {line}\n" in text


def test_relative_energies_have_their_zero_between_the_configurations(run):
    absolute = table(run(*NI, "--energy", "843:885:0.1"))
    zero = axis_zero(parse_ion("Ni2+"), 0.8)
    relative = table(run(*NI, "--relative", "--energy", f"{843 - zero}:{885 - zero}:0.1"))
    np.testing.assert_allclose(relative.iloc[:, 0] + zero, absolute.iloc[:, 0], atol=1e-4)
    np.testing.assert_allclose(relative.iloc[:, 1], absolute.iloc[:, 1], rtol=1e-4, atol=1e-9)


def test_ranges_make_their_product(run):
    found = table(run(*NI[:2], "--ten-dq", "0.9:1.1:0.1", "--slater", "0.7,0.8"))
    names = [f"ten_dq={t:g} slater_reduction={s:g}" for t in (0.9, 1, 1.1) for s in (0.7, 0.8)]
    assert [*found.columns] == ["energy (eV)", *names]
    own = expected(
        found["energy (eV)"].values,
        axis_zero(parse_ion("Ni2+"), 0.8),
        ten_dq=1.0,
        slater_reduction=0.7,
    )
    np.testing.assert_allclose(found[names[2]], own, rtol=1e-4, atol=1e-9)


def test_negative_numbers_are_values(run):
    found = table(run(*NI, "--symmetry", "D4h", "--ds", "-0.1:0.1:0.1", "--dt", "-.05"))
    assert [*found.columns[1:]] == ["ds=-0.1", "ds=0", "ds=0.1"]


def test_the_csv_file_is_what_stdout_shows_and_is_read_as_a_measured_spectrum(run, tmp_path):
    path = tmp_path / "new" / "ni.csv"
    assert run(*NI, "--output", path) == ""
    text = path.read_text()
    assert text == run(*NI)
    record = read_spectrum(path)
    np.testing.assert_allclose(record.intensity, table(text).iloc[:, 1])


def test_netcdf_spectra_keep_the_contract(run, tmp_path):
    path = tmp_path / "ni.nc"
    run(*NI[:2], "--ten-dq", "1.0,1.1", "--output", path)
    data = contracts.read(path, "spectra")
    np.testing.assert_array_equal(data["ten_dq"], [1.0, 1.1])
    assert data["valence"].values.tolist() == [2, 2]
    assert data.attrs["engine"] == "multiplet"
    zero = axis_zero(parse_ion("Ni2+"), 0.8)
    assert data["energy_shift"].values.tolist() == [zero, zero]
    own = expected(data["energy"].values, zero, ten_dq=1.1)
    np.testing.assert_allclose(data["intensity"][1], own, rtol=1e-5, atol=1e-10)


def test_netcdf_sticks_are_those_of_the_engine(run, tmp_path):
    path = tmp_path / "ni.nc"
    run(*NI, "--sticks", "--output", path)
    data = contracts.read(path, "sticks")
    engine = engines.load("multiplet", parse_ion("Ni2+"), "Oh")
    sticks = engine.sticks(Parameters(ten_dq=1.1))
    np.testing.assert_allclose(data["energy"], sticks.energy, atol=1e-5)
    np.testing.assert_allclose(data["intensity"], sticks.intensity, rtol=1e-6)
    assert data.attrs["l3_l2_boundary"] == engine.l3_l2_boundary


def test_sticks_as_a_table_lie_on_the_axis_and_have_their_point_beside_them(run):
    found = table(run(*NI[:2], "--ten-dq", "1.0,1.1", "--sticks"))
    assert [*found.columns] == ["ten_dq (eV)", "energy (eV)", "intensity"]
    sticks = engines.load("multiplet", parse_ion("Ni2+"), "Oh").sticks(Parameters(ten_dq=1.1))
    own = found[found["ten_dq (eV)"] == 1.1]
    zero = axis_zero(parse_ion("Ni2+"), 0.8)
    np.testing.assert_allclose(own["energy (eV)"], sticks.energy + zero, atol=1e-4)
    np.testing.assert_allclose(own["intensity"], sticks.intensity, rtol=1e-5)


@pytest.mark.parametrize("options", [(), ("--sticks",), ("--ten-dq", "0:1:0.1")])
def test_figures_are_drawn(options, run, tmp_path):
    png, svg = tmp_path / "ni.png", tmp_path / "ni.svg"
    for path in (png, svg):
        run("simulate", "Ni2+", *options, "--output", path)
    assert png.read_bytes().startswith(b"\x89PNG")
    text = svg.read_text()
    assert "energy (eV)" in text
    assert "Ni²⁺ in Oh" in text
    assert ("10Dq (eV)" in text) == ("--ten-dq" in options)
    assert sorted(tmp_path.iterdir()) == [png, svg]


class Polarised(engines.Engine):
    """An engine of one stick that tells its polarisations, right 0.3, parallel 0.6, left 0."""

    l3_l2_boundary = 1.0

    def sticks(self, parameters, *, polarised=False):
        parts = np.array([[0.3, 0.6, 0.0]])
        return Sticks(np.array([0.0]), parts.mean(1), parts if polarised else None)


def test_polarisations_and_dichroism(run, monkeypatch):
    monkeypatch.setattr(engines, "load", lambda kind, ion, symmetry: Polarised(ion, symmetry))
    kinds = {
        "isotropic": 0.3,
        "parallel": 0.6,
        "perpendicular": 0.15,
        "right": 0.3,
        "left": 0.0,
        "linear_dichroism": 0.45,
        "circular_dichroism": 0.3,
    }
    found = table(run(*NI, "--sticks", "--polarisation", *kinds))
    assert found[[*kinds]].iloc[0].to_dict() == pytest.approx(kinds)
    spectra = table(run(*NI, "--polarisation", *kinds))
    assert [*spectra.columns[1:]] == [*kinds]
    areas = spectra[[*kinds]].sum() * 0.05
    # The tails beyond the window hold the rest.
    assert areas.to_dict() == pytest.approx(kinds, rel=0.02)
    assert "polarisation: circular_dichroism\n" in run(*NI, "--polarisation", "circular_dichroism")


FAULTS = {
    ("simulate",): "ion",
    ("simulat", "Ni2+"): "invalid choice: 'simulat'",
    ("simulate", "Ni9+"): "'Ni9+' is not in the table",
    (*NI, "--symmetry", "D3h"): "does not know the symmetry 'D3h'",
    (*NI, "--ds", "0.1"): "ds must be 0 in Oh",
    (*NI, "--engine", "multiplt"): "did you mean 'multiplet'",
    (*NI, "--configurations", "2"): "no parameter 'configurations'",
    (*NI, "--slater", "much"): "--slater: 'much' is not a number",
    (*NI, "--slater", "0.7:0.9"): "is not start:stop:step",
    (*NI, "--slater", "0.7:0.9:0"): "step must be above 0",
    (*NI, "--slater", "0.9:0.7:0.1"): "swap them",
    (*NI, "--slater", "0.8,0.8"): "names a value twice",
    (*NI, "--slater", "nan"): "is not a number",
    (*NI, "--temperature", "0"): "temperature must be above 0 K",
    (*NI, "--lorentzian-hwhm", "0"): "--lorentzian-hwhm: 0 is not above 0",
    (*NI, "--lorentzian-hwhm", "1", "2", "3"): "one value, or two",
    (*NI, "--gaussian-sigma", "-0.1"): "--gaussian-sigma: -0.1 is not 0 to 20",
    (*NI, "--energy", "850"): "is not start:stop:step",
    (*NI, "--energy", "850:850:1"): "one point is no axis",
    (*NI, "--sticks", "--gaussian-sigma", "0"): "leave out --gaussian-sigma",
    (*NI, "--relative", "--chemical-shift", "1"): "not allowed with",
    (*NI, "--polarisation", "up"): "invalid choice: 'up'",
    (*NI, "--output", "ni.dat"): "the ending tells the format",
}


@pytest.mark.parametrize("arguments", FAULTS, ids=lambda a: " ".join(a[2:]) or a[-1])
def test_faults_are_one_sentence(arguments, fault):
    assert FAULTS[arguments] in fault(*arguments)


@pytest.mark.parametrize("ending", ["csv", "nc", "png"])
def test_nothing_is_half_written(ending, fault, run, tmp_path, monkeypatch):
    path = tmp_path / f"ni.{ending}"
    fault(*NI, "--ds", 1, "--output", path)
    assert [*tmp_path.iterdir()] == []
    run(*NI, "--output", path)
    before = path.read_bytes()

    def full(self, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    assert "No space left" in fault(*NI[:2], "--ten-dq", 2, "--output", path)
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_bytes() == before


def test_a_folder_is_no_output(fault, tmp_path):
    folder = tmp_path / "x.csv"
    folder.mkdir()
    assert "is a folder" in fault(*NI, "--output", folder)


def test_every_parameter_has_its_option_with_the_unit(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for axis in AXES.values():
        assert axis.long_name in text
    assert "cubic crystal field 10Dq (eV, default 0)" in text
    assert "magnetic field along z (T, default 0)" in text


@pytest.mark.parametrize(
    ("text", "values"),
    [("0.9", [0.9]), ("-1,2", [-1, 2]), ("-0.1:0.1:0.1", [-0.1, 0, 0.1]), ("1e-1", [0.1])],
)
def test_grids_of_the_command_line(text, values):
    np.testing.assert_allclose(grid(grid_of(text)), values)


def test_the_module_runs_and_a_closed_pipe_is_no_fault(tmp_path):
    command = f"{sys.executable} -m whiteline simulate Ni2+ --ten-dq 0:0.5:0.05 | head -1"
    done = subprocess.run(
        command, shell=True, cwd=SCRIPTS, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("# Whiteline ")
    assert done.stderr == ""


def test_the_help_imports_nothing_heavy():
    code = (
        "import sys; from whiteline.cli import parser; parser();"
        "print([m for m in ('xarray', 'pandas', 'scipy', 'plotly', 'numba') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
