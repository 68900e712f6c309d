"""Bad input ends with one clear sentence, a non-zero exit, and nothing half-written."""

import numpy as np
import pytest

ENERGY = np.arange(630.0, 660.0, 0.1)


def peak(energy):
    return np.exp(-((energy - 640.0) ** 2))


def table(energy, intensity):
    return "\n".join(f"{e:.2f},{i:.5f}" for e, i in zip(energy, intensity, strict=True)).encode()


SPECTRA = {
    "empty": (b"", "the file is empty"),
    "image": (bytes(range(256)) * 4, "binary"),
    "few": (table(ENERGY[:5], peak(ENERGY[:5])), "at least 10"),
    "nan": (table(ENERGY, peak(ENERGY)) + b"\n660.0,nan", "line 301"),
    "flat": (table(ENERGY, np.ones_like(ENERGY)), "the signal is 1 everywhere"),
    "elsewhere": (table(ENERGY + 200, peak(ENERGY)), "no edge of Mn in range"),
    "beside": (table(ENERGY[:90], peak(ENERGY[:90])), "of the library's"),
    "words": (b"energy,intensity\n630,1\nhello,there\n632,2", "csv, line 3: 'hello' is not"),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_a_bad_spectrum_file(workspace, name):
    content, expected = SPECTRA[name]
    (workspace.folder / f"{name}.csv").write_bytes(content)
    study = workspace.study()
    study["queries"]["bad"] = {"library": "mn", "files": [f"{name}.csv"], "energy_uncertainty": 1}
    workspace.write(study)
    target = "results/mn/standard/bad.nc"
    output = workspace.run(target, succeeds=False)
    (sentence,) = [line for line in output.splitlines() if expected in line]
    assert name in sentence
    assert not (workspace.folder / target).exists()
    assert not list((workspace.folder / "results" / "mn").rglob(".*"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sed": 1}, "unknown key 'sed'; did you mean 'seed'?"),
        ({"seed": "one"}, "seed: 'one' should be of type integer"),
        ({"libraries": {}}, "libraries: is empty"),
    ],
)
def test_a_bad_configuration_stops_before_any_job(workspace, change, expected):
    workspace.write({**workspace.study(), **change})
    output = workspace.run(succeeds=False)
    (sentence,) = [line for line in output.splitlines() if expected in line]
    assert "config/study.yaml: " in sentence
    assert "Job" not in output


def test_an_impossible_ion(workspace):
    study = workspace.study()
    study["libraries"]["mn"]["ions"] = ["Mn9+"]
    workspace.write(study)
    output = workspace.run(succeeds=False)
    assert "libraries.mn.ions: 'Mn9+' is not in the table" in output


def test_a_measure_that_breaks_its_contract(workspace):
    (workspace.folder / "mine.py").write_text("def prepare(intensity, energy):\n    return 1\n")
    study = workspace.study()
    study["measures"]["mine"] = {"kind": "mine.py"}
    workspace.write(study)
    output = workspace.run(succeeds=False)
    assert "measures.mine: " in output
    assert "mine.py" in output
    assert "lacks 'pairwise' or 'distance'" in output
