"""Changing one thing reruns exactly what depends on it, by the names of the jobs."""

import csv
from pathlib import Path

import pytest

MAPS = ["collecting the scores of the maps", "mn: scoring the maps"]
END = ["collecting the scores", "mn: scoring the estimates", "writing the report"]


def of_measure(name):
    """All jobs that a measure's distances feed."""
    return [
        *(f"mn: {name} distances of {part}" for part in ("oxides", "scenarios")),
        f"mn: {name} distances to the map, block 1 of 1",
        f"mn: mds map of {name} distances",
        f"mn: estimates from {name}",
        *MAPS,
    ]


def test_a_finished_study_has_nothing_to_do(workspace):
    assert workspace.planned() == []


def test_touching_every_file_reruns_nothing(workspace):
    for path in workspace.folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts and "results" not in path.parts:
            path.touch()
    assert workspace.planned() == []


def test_a_parameter_of_one_measure(workspace):
    study = workspace.study()
    study["measures"]["slope"]["derivative_window"] = 1.5
    workspace.write(study)
    assert workspace.jobs() == sorted([*of_measure("slope"), *END])
    assert workspace.planned() == []


def test_adding_a_measure(workspace):
    study = workspace.study()
    study["measures"]["warped"] = {"kind": "dtw"}
    workspace.write(study)
    assert workspace.planned() == sorted([*of_measure("warped"), *END])


def test_adding_a_measure_of_the_users_own(workspace):
    source = workspace.folder / "scripts/whiteline/measures/euclidean.py"
    (workspace.folder / "mine.py").write_text(source.read_text())
    study = workspace.study()
    study["measures"]["mine"] = {"kind": "mine.py"}
    workspace.write(study)
    assert workspace.jobs() == sorted([*of_measure("mine"), *END])
    (workspace.folder / "mine.py").write_text(source.read_text() + "\n# edited\n")
    assert workspace.planned() == sorted([*of_measure("mine"), *END])


PLAIN = "def distance(a, b, energy):\n    return abs(a / a.max() - b / b.max()).max()\n"


def test_a_file_with_nothing_but_a_distance_is_ranked(workspace):
    (workspace.folder / "mine.py").write_text(PLAIN)
    study = workspace.study()
    study["measures"]["mine"] = {"kind": "mine.py"}
    workspace.write(study)
    assert workspace.jobs() == sorted([*of_measure("mine"), *END])
    with (workspace.folder / "results/scores.csv").open() as file:
        scores = [row for row in csv.DictReader(file) if row["measure"] == "mine"]
    assert {row["estimator"] for row in scores} == {"nearest", "profile"}
    # Undisturbed spectra, so that it must do much better than chance (about 0.8 eV).
    clean = [float(row["ten_dq_mae"]) for row in scores if row["level"] == "inf"]
    assert 0 < max(clean) < 0.2
    assert "mine" in (workspace.folder / "results/report.html").read_text()


def test_a_measure_of_an_installed_package(workspace, tmp_path, monkeypatch):
    """Its module is an input, and so is its metadata, which a new version changes."""
    package = tmp_path / "package"
    info = package / "theirs-1.0.dist-info"
    info.mkdir(parents=True)
    (package / "their_measure.py").write_text(PLAIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[whiteline.measures]\ntheirs = their_measure\n")
    (info / "RECORD").write_text(f"their_measure.py,,\n{info.name}/METADATA,,\n")
    monkeypatch.setenv("PYTHONPATH", str(package))
    study = workspace.study()
    study["measures"]["theirs"] = {"kind": "theirs"}
    workspace.write(study)
    rerun = sorted([*of_measure("theirs"), *END])
    assert workspace.jobs() == rerun
    assert workspace.planned() == []
    edit(package / "their_measure.py")
    assert workspace.planned() == rerun
    (package / "their_measure.py").write_text(PLAIN)
    assert workspace.planned() == []
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.1\n")
    assert workspace.planned() == rerun


def test_editing_a_member_reruns_the_ensemble(workspace):
    study = workspace.study()
    study["measures"]["together"] = {"kind": "ensemble", "members": ["wasserstein", "spearman"]}
    workspace.write(study)
    assert workspace.jobs() == sorted([*of_measure("together"), *END])
    edit(workspace.folder / "scripts/whiteline/measures/wasserstein.py")
    assert workspace.planned() == sorted([*of_measure("together"), *END])


def test_removing_a_measure(workspace):
    study = workspace.study()
    del study["measures"]["slope"]
    workspace.write(study)
    assert workspace.planned() == sorted([*MAPS, *END])


@pytest.mark.parametrize(
    ("module", "name"),
    [("measures/correlation.py", "correlation"), ("measures/cosine.py", "slope")],
)
def test_editing_the_module_of_one_measure(workspace, module, name):
    edit(workspace.folder / "scripts" / "whiteline" / module)
    assert workspace.planned() == sorted([*of_measure(name), *END])


def test_editing_one_estimator(workspace):
    edit(workspace.folder / "scripts/whiteline/estimators/nearest.py")
    estimates = [f"mn: estimates from {name}" for name in ("correlation", "slope")]
    # The report shows the profile; it reruns because the scores do.
    assert workspace.planned() == sorted([*estimates, *END])


def test_editing_the_report_reruns_only_the_report(workspace):
    edit(workspace.folder / "scripts/whiteline/plotting/maps.py")
    assert workspace.planned() == ["writing the report"]


def test_adding_a_query(workspace):
    workspace.write_spectrum("second.csv", ten_dq=1.1)
    study = workspace.study()
    study["queries"]["new"] = {"library": "mn", "files": ["second.csv"]}
    workspace.write(study)
    per_measure = [
        job
        for name in ("correlation", "slope")
        for job in (
            f"mn: {name} distances of new",
            f"mn: {name} distances to the map, block 1 of 1",
            f"mn: mds map of {name} distances",
            f"mn: estimates from {name}",
        )
    ]
    expected = [
        "mn: reading 1 files of new",
        "mn: preparing the spectra of new",
        "mn: aligning new",
        *per_measure,
        *MAPS,
        *END,
    ]
    assert workspace.planned() == sorted(expected)


def test_editing_one_embedding(workspace):
    edit(workspace.folder / "scripts/whiteline/embeddings/classical_mds.py")
    maps = [f"mn: mds map of {name} distances" for name in ("correlation", "slope")]
    assert workspace.planned() == sorted([*maps, *MAPS, "writing the report"])


def test_a_map_of_a_large_sample_is_computed_in_blocks(workspace):
    study = workspace.study()
    study["libraries"]["mn"] |= {"map": {"sample": 5000}, "samples": 4000}
    study["libraries"]["mn"]["ten_dq"] = {"low": 0.0, "high": 2.4}
    workspace.write(study)
    jobs = [job for job in workspace.planned() if "correlation distances to the map" in job]
    assert jobs == [
        f"mn: correlation distances to the map, block {block} of 4" for block in (1, 2, 3, 4)
    ]


def test_a_broadening_needs_no_new_simulation(workspace):
    study = workspace.study()
    study["libraries"]["mn"]["broadening"][0]["gaussian_sigma"] = 0.25
    workspace.write(study)
    planned = workspace.planned()
    assert "mn: broadening the library" in planned
    assert not [job for job in planned if job.startswith("mn: simulating Mn")]


def test_a_grid_simulates_again(workspace):
    study = workspace.study()
    study["libraries"]["mn"]["ten_dq"]["stop"] = 2.7
    workspace.write(study)
    simulations = [job for job in workspace.planned() if job.startswith("mn: simulating Mn")]
    assert simulations == [
        "mn: simulating Mn2+ in Oh, batch 1 of 1",
        "mn: simulating Mn4+ in Oh, batch 1 of 1",
    ]


def test_a_finer_grid_simulates_only_its_new_points(workspace):
    study = workspace.study()
    study["libraries"]["mn"]["ten_dq"]["step"] = 0.15  # twice as fine: 17 values in place of 9
    workspace.write(study)
    target = "results/mn/sticks/Oh/Mn2+/1_of_1.nc"
    workspace.run(target)
    log = workspace.folder / "results/logs/simulate_sticks/mn_Oh_Mn2+_1_of_1.log"
    assert log.read_text().startswith("24 of 51 points to simulate")
    grown = (workspace.folder / target).read_bytes()
    (workspace.folder / target).unlink()
    workspace.run(target)
    assert log.read_text().startswith("51 of 51 points to simulate")
    assert (workspace.folder / target).read_bytes() == grown


def test_an_edited_engine_simulates_everything_again(workspace):
    edit(workspace.folder / "scripts/whiteline/multiplet/spectrum.py")
    workspace.run("results/mn/sticks/Oh/Mn2+/1_of_1.nc")
    log = workspace.folder / "results/logs/simulate_sticks/mn_Oh_Mn2+_1_of_1.log"
    assert log.read_text().startswith("27 of 27 points to simulate")


def test_the_same_configuration_gives_the_same_bytes(workspace):
    def contents():
        return {
            path.relative_to(workspace.folder): path.read_bytes()
            for path in sorted((workspace.folder / "results").rglob("*.nc"))
        }

    before = contents()
    assert len(before) > 20
    (workspace.folder / "results").rename(workspace.folder / "old")
    workspace.run()
    after = contents()
    assert [path for path in before if before[path] != after.get(path)] == []
    assert set(after) == set(before)


def edit(path: Path):
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
