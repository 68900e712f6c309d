"""A library of other programs' files, end to end: from their files to estimates and report."""

import json

import numpy as np
import pytest
import yaml

from whiteline import contracts
from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.library import axis_zero
from whiteline.multiplet import Multiplet, Parameters

IONS = ("Mn2+", "Mn4+")
TEN_DQ = (0.3, 0.8, 1.3, 1.8, 2.3, 2.8)
ENERGY = np.arange(-16.0, 24.0, 0.1)
BROKEN = "Mn2+ Oh 10Dq 9.9_data.xy"


def spectrum(ion, ten_dq):
    engine = Multiplet(parse_ion(ion), "Oh")
    sticks = engine.sticks(Parameters(ten_dq=ten_dq))
    boundary, width = engine.l3_l2_boundary, [Broadening(0.2, 0.4, 0.2)]
    return broaden(sticks.energy, sticks.intensity, boundary, width, ENERGY)[0]


def ctm4xas(ion, intensity):
    """Absolute energies, three polarisations."""
    energy = ENERGY + axis_zero(parse_ion(ion), 0.8)
    rows = zip(energy, intensity, strict=True)
    return "".join(f"  {e:.7e}  {i:.7e}  {i:.7e}  {i:.7e}\n" for e, i in rows)


def quanty(ion, intensity):
    """From an initial state's own zero, 2.5 eV off here, and with the sign of -Im G."""
    energy = ENERGY + 2.5
    head = (
        f"#Spectra: 1\nEmin______Emax {energy[0]:.8E} {energy[-1]:.8E}\n"
        "EminPole__EmaxPole -3.0E+00 2.0E+01\ndE________Gamma 1.0E-01 4.0E-01\n"
        "Energy  Re[0]  Im[0]\n"
    )
    rows = zip(energy, intensity, strict=True)
    return head + "".join(f"{e:.8E} 0.0E+00 {-i:.8E}\n" for e, i in rows)


def plain(ion, intensity):
    return "# energy xas\n" + "".join(
        f"{e:.6f} {i:.8f}\n" for e, i in zip(ENERGY, intensity, strict=True)
    )


FORMATS = (("_data.xy", ctm4xas), (".spec", quanty), (".dat", plain))


@pytest.fixture
def files_study(new_workspace):
    """Twelve files in three formats and an empty one, and the study that uses them."""
    workspace = new_workspace
    folder = workspace.folder / "calculated"
    folder.mkdir()
    for ion in IONS:
        for number, ten_dq in enumerate(TEN_DQ):
            ending, written = FORMATS[number % len(FORMATS)]
            path = folder / f"{ion} Oh 10Dq {ten_dq}{ending}"
            path.write_text(written(ion, spectrum(ion, ten_dq)))
    (folder / BROKEN).touch()
    study = yaml.safe_load((workspace.folder / "config" / "quick.yaml").read_text())
    study["libraries"] = {
        "mn": {
            "engine": "files",
            "files": {
                "paths": ["calculated/*"],
                "pattern": "{ion} {symmetry} 10Dq {ten_dq}*",
                "on_error": "skip",
            },
            "broadening": study["libraries"]["mn"]["broadening"],
            "energy": study["libraries"]["mn"]["energy"],
        }
    }
    study["queries"] = {"oxides": {"library": "mn", "files": ["oxide.csv"]}}
    study["measures"] = {"correlation": {"kind": "correlation"}}
    study["estimators"] = {"nearest": {"kind": "nearest"}}
    study["report"] = {"measure": "correlation", "estimator": "nearest"}
    # Quanty's zero is not the others', so the axis of the test spectra counts as little known.
    for scenario in study["scenarios"].values():
        scenario |= {"energy_uncertainty": 3.0}
    workspace.write(study)
    return workspace


def test_files_become_a_library_with_estimates_and_a_report(files_study):
    files_study.run()
    results = files_study.folder / "results"
    library = contracts.read(results / "mn" / "library.nc", "spectra")
    assert library.sizes["spectrum"] == 12
    assert set(library["ion"].values.astype(str)) == set(IONS)
    (sentence,) = json.loads(library.attrs["skipped"])
    assert BROKEN in sentence
    assert "the file is empty" in sentence
    log = (results / "logs" / "parse_outputs" / "mn.log").read_text()
    assert f"skipped: calculated/{BROKEN}: the file is empty" in log

    # The record is Mn2+ with 10Dq 0.8, its axis 1.5 eV off.
    name = "standard/correlation/estimates/nearest/oxides.nc"
    estimates = contracts.read(results / "mn" / name, "estimates")
    assert estimates["valence"].item() == 2
    assert estimates["ten_dq"].item() == pytest.approx(0.8)

    report = (results / "report.html").read_text()
    assert "1 file of calculated spectra left out" in report
    assert BROKEN in report
    assert "from files" in report
    scores = (results / "scores.csv").read_text()
    assert "noise" in scores


def test_a_broken_file_stops_by_its_name(files_study):
    study = files_study.study()
    study["libraries"]["mn"]["files"]["on_error"] = "stop"
    files_study.write(study)
    output = files_study.run("results/mn/outputs.nc", succeeds=False)
    expected = f"calculated/{BROKEN}: the file is empty (0 bytes); calculate it again"
    assert expected in output.splitlines()
    assert not (files_study.folder / "results" / "mn" / "outputs.nc").exists()


def test_editing_a_file_reads_the_files_again(files_study):
    files_study.run("results/mn/outputs.nc")
    assert files_study.planned("results/mn/outputs.nc") == []
    path = files_study.folder / "calculated" / f"Mn2+ Oh 10Dq {TEN_DQ[2]}.dat"
    path.write_text(path.read_text() + "30.0 0.0\n")
    assert files_study.planned("results/mn/outputs.nc") == ["mn: reading calculated spectra"]
