"""A copy of the project in a temporary folder, and a way to run its workflow there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.library import axis_zero
from whiteline.multiplet import Multiplet, Parameters

PROJECT = Path(__file__).parents[2]
COMPLETE = "every target of the study is up to date"  # the message of the target ``all``
PARTS = ("Snakefile", "rules", "scripts", "config", "resources", "profiles")


class Workspace:
    """A folder with the project in it, in which Snakemake runs."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.config = folder / "config" / "study.yaml"

    def study(self):
        return yaml.safe_load(self.config.read_text())

    def write(self, study):
        self.config.write_text(yaml.safe_dump(study, sort_keys=False))

    def run(self, *options, succeeds=True):
        """Run the study; returns all that is printed."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *options]
        done = subprocess.run(
            # Last, because --configfile takes every argument that follows.
            [*command, "--configfile", str(self.config)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            # The tests' own processes must not colour or crowd the output.
            env={**os.environ, "NO_COLOR": "1"},
        )
        output = done.stdout + done.stderr
        assert (done.returncode == 0) == succeeds, output
        return output

    def jobs(self, *options):
        """Messages of the jobs that run, without the target ``all``, sorted."""
        return messages(self.run(*options))

    def planned(self, *options):
        """Messages of the jobs that would run."""
        return self.jobs("--dry-run", *options)

    def write_spectrum(self, name, ten_dq):
        """A noisy Mn2+ spectrum as a beam line writes it: 1.5 eV off, descending in energy."""
        engine, zero = Multiplet(parse_ion("Mn2+"), "Oh"), axis_zero(parse_ion("Mn2+"), 0.8)
        energy = np.arange(625.0, 668.0, 0.13)
        sticks = engine.sticks(Parameters(ten_dq=ten_dq, slater_reduction=0.8))
        (intensity,) = broaden(
            sticks.energy,
            sticks.intensity,
            engine.l3_l2_boundary,
            [Broadening(0.2, 0.4, 0.2)],
            energy - zero,
        )
        noise = np.random.default_rng(5).normal(0, intensity.max() / 50, len(energy))
        rows = np.column_stack([energy + 1.5, 2.0 + intensity + noise])[::-1]
        np.savetxt(
            self.folder / name, rows, delimiter=";", header="Energy (eV);TEY", comments="# "
        )

    def copy(self, folder: Path):
        shutil.copytree(self.folder, folder, symlinks=True)
        return Workspace(folder)


def messages(output):
    """Messages of jobs, without the target ``all``, sorted."""
    found = re.findall(r"^Job \d+: (.*)$", output, flags=re.MULTILINE)
    return sorted(message for message in found if message != COMPLETE)


def fresh(folder: Path) -> Workspace:
    """A workspace in a new folder, with a record to look up, in which nothing has run yet."""
    folder.mkdir()
    for part in PARTS:
        source = PROJECT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "downloads")
            shutil.copytree(source, folder / part, ignore=ignored)
        else:
            shutil.copy2(source, folder)
    workspace = Workspace(folder)
    workspace.write_spectrum("oxide.csv", ten_dq=0.8)
    return workspace


@pytest.fixture
def new_workspace(tmp_path):
    """A workspace of the test's own in which nothing has run yet."""
    return fresh(tmp_path / "project")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A workspace whose small study has run to its end; copy it, don't change it."""
    workspace = fresh(tmp_path_factory.mktemp("workflow") / "project")
    study = yaml.safe_load((workspace.folder / "config" / "quick.yaml").read_text())
    study["queries"] = {"oxides": {"library": "mn", "files": ["oxide.csv"]}}
    study["measures"] = {
        "correlation": {"kind": "correlation"},
        "slope": {"kind": "cosine", "derivative": 1},
    }
    workspace.write(study)
    workspace.first_run = workspace.run()
    return workspace


@pytest.fixture
def workspace(finished, tmp_path):
    """A finished workspace of the test's own."""
    return finished.copy(tmp_path / "project")
