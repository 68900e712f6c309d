"""A measured reference in the library of the quick study, through the whole workflow."""

import numpy as np
import pytest
import yaml

from whiteline import contracts
from whiteline.formats import read_spectrum

TARGET = "results/mn/standard/correlation/estimates/profile/oxides.nc"


@pytest.fixture(scope="module")
def referenced(finished, tmp_path_factory):
    """The study whose library holds the spectrum of the query, with other noise, as a reference.

    The query is far from all simulations: a second line stands 5 eV above L3.
    """
    workspace = finished.copy(tmp_path_factory.mktemp("referenced") / "project")
    record = read_spectrum(workspace.folder / "oxide.csv")
    energy = record.energy
    line = 0.15 * np.exp(-(((energy - 647.0) / 0.6) ** 2))
    for name, seed in (("query", 1), ("known", 2)):
        noise = np.random.default_rng(seed).normal(0, 0.004, len(energy))
        np.savetxt(
            workspace.folder / f"{name}.csv",
            np.column_stack([energy, record.intensity + line + noise]),
            delimiter=",",
        )
    study = workspace.study()
    study["queries"]["oxides"]["files"] = ["query.csv"]
    study["libraries"]["mn"]["references"] = {"known": {"file": "known.csv", "ion": "Mn3+"}}
    workspace.write(study)
    workspace.first_run = workspace.run()
    return workspace


@pytest.fixture
def workspace(referenced, tmp_path):
    return referenced.copy(tmp_path / "project")


def test_nothing_is_simulated_for_a_reference(referenced):
    assert "mn: reading the references" in referenced.first_run
    for job in ("simulating", "broadening"):
        assert f"mn: {job}" not in referenced.first_run


def test_the_reference_is_the_match_of_the_same_spectrum(referenced):
    estimates = contracts.read(referenced.folder / TARGET, "estimates")
    library = contracts.read(referenced.folder / "results/mn/standard/library.nc", "spectra")
    assert estimates["valence"].item() == 3
    column = estimates["candidate"].values.tolist().index(3)
    match = int(estimates["candidate_match"].values[0, column])
    assert str(library["id"].values[match]) == "known"
    # No simulation of this ion is in the library, so nobody knows its 10Dq.
    assert np.isnan(estimates["ten_dq"].item())
    assert np.isnan(estimates["ten_dq_lower"].values).all()
    others = np.delete(estimates["candidate_distance"].values[0], column)
    assert estimates["distance"].item() < 0.3 * others.min()


def test_the_report_names_the_reference(referenced):
    page = (referenced.folder / "results/report.html").read_text()
    assert "the reference known" in page
    assert ">nan<" not in page


def test_a_changed_reference_is_read_again_and_nothing_is_simulated(workspace):
    assert workspace.planned() == []
    path = workspace.folder / "known.csv"
    path.write_text(path.read_text() + "668.10,2.0\n")
    planned = workspace.planned()
    for job in ("reading the references", "preparing the library", "aligning oxides"):
        assert f"mn: {job}" in planned
    kept = ("simulating", "broadening", "reading 1 spectra")
    assert not [job for job in planned if job.startswith(tuple(f"mn: {name}" for name in kept))]


def test_its_preparation_alone_does_not_read_it_again(workspace):
    study = workspace.study()
    study["libraries"]["mn"]["references"]["known"]["energy_shift"] = -1.5
    workspace.write(study)
    planned = workspace.planned()
    assert "mn: preparing the library" in planned
    assert "mn: reading the references" not in planned


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ion": "Co2+"}, "libraries.mn.references.known.ion: Co2+ is not of Mn"),
        ({"ion": "Mn9+"}, "libraries.mn.references.known.ion: 'Mn9+' is not in the table"),
        ({"file": "gone.csv"}, "libraries.mn.references.known.file: gone.csv: no such file"),
        ({"gaussian_sigma": 1}, "unknown key 'gaussian_sigma'"),
    ],
)
def test_faults_of_a_reference(workspace, change, expected):
    study = workspace.study()
    study["libraries"]["mn"]["references"]["known"].update(change)
    workspace.config.write_text(yaml.safe_dump(study))
    assert expected in workspace.run(succeeds=False)
