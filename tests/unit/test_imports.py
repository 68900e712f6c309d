"""A job imports what it needs: start-up is most of the time of most jobs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from align_queries import align_queries
from compute_distances import compute_distances
from compute_map_distances import compute_map_distances
from select_map import select_map
from whiteline import contracts, stage

SCRIPTS = Path(stage.__file__).parents[1]
# Each takes as long to import as the rest of a job, or longer.
HEAVY = {"dask.array", "numba", "pint", "plotly", "scipy", "sklearn"}
COSINE = {"kind": "cosine", "parameters": {}, "seed": 0}
MAP = {**COSINE, "neighbors": 10, "landmarks": 20, "block": 1, "of": 1, "queries": []}
# A stage as Snakemake runs it, with plain dictionaries for its lists of files.
JOB = """
import json, sys
from types import SimpleNamespace
import {script}
from whiteline import stage

arguments = json.loads(sys.argv[1])
job = SimpleNamespace(input={{**arguments, "modules": []}}, output={{}}, params={{}}, log=["log"])
stage.run({script}.{function}, job)
print(json.dumps(list(sys.modules)))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory, library_path, record, prepare):
    """What the stages of a measure read, by the name that they give it."""
    folder = tmp_path_factory.mktemp("imports")
    names = ("queries", "shifts", "distances", "map", "map_distances")
    paths = {name: str(folder / f"{name}.nc") for name in names}
    contracts.write(prepare(record(known={"energy_uncertainty": 1.0})), paths["queries"])
    common = {"library": str(library_path), "queries": paths["queries"]}
    align_queries(shifts=paths["shifts"], **common)
    files = {**common, "shifts": paths["shifts"], "distances": paths["distances"]}
    compute_distances(**files, **COSINE)
    select_map(
        library=str(library_path),
        spectra=paths["map"],
        sample=20,
        slater_reduction=None,
        broadening=[],
        energy_uncertainty=1.0,
        seed=0,
    )
    mapped = {"library": str(library_path), "map_spectra": paths["map"]}
    compute_map_distances(**mapped, distances=paths["map_distances"], **MAP)
    return paths | common


def imported(folder, script, function, **arguments):
    """Names of the modules that are loaded when a stage has run."""
    code = JOB.format(script=script, function=function)
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments)],
        cwd=folder,
        env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("stage", "inputs", "settings"),
    [
        ("compute_distances", {"queries": "queries", "shifts": "shifts"}, COSINE),
        ("compute_map_distances", {"map_spectra": "map"}, MAP),
    ],
)
def test_distances_by_cosine(stage, inputs, settings, files, tmp_path):
    paths = {name: files[file] for name, file in inputs.items()} | {"library": files["library"]}
    found = imported(tmp_path, stage, stage, **paths, distances="distances.nc", **settings)
    assert {"xarray", "whiteline.measures.cosine"} <= found
    assert not HEAVY & found


def test_distances_by_a_kernel(files, tmp_path):
    """numba does without the linear algebra of scipy."""
    inputs = {name: files[name] for name in ("queries", "library", "shifts")}
    settings = COSINE | {"kind": "cityblock"}
    found = imported(
        tmp_path, "compute_distances", "compute_distances", **inputs, distances="d.nc", **settings
    )
    assert {"numba", "whiteline.measures.kernels.tiles"} <= found
    assert not (HEAVY - {"numba", "scipy"} | {"scipy.linalg"}) & found


def test_a_map(files, tmp_path):
    found = imported(
        tmp_path,
        "embed_spectra",
        "embed_spectra",
        map_spectra=files["map"],
        queries=[],
        distances=[files["map_distances"]],
        embedding="map.nc",
        kind="classical_mds",
        parameters={},
        seed=0,
    )
    assert {"xarray", "whiteline.embeddings.classical_mds"} <= found
    # Its eigenvectors are scipy's.
    assert not (HEAVY - {"scipy"}) & found


@pytest.mark.parametrize("calibrated", [False, True])
def test_estimates(calibrated, files, tmp_path):
    """Intervals are made by crepes, but without all that it imports for other purposes."""
    inputs = {name: [files[name]] for name in ("queries", "shifts", "distances")}
    found = imported(
        tmp_path,
        "estimate_parameters",
        "estimate_parameters",
        **inputs,
        library=files["library"],
        **{f"calibration_{name}": paths if calibrated else [] for name, paths in inputs.items()},
        estimates=["nearest.nc", "k_nearest.nc"],
        kinds=[{"kind": kind, "parameters": {}} for kind in ("nearest", "k_nearest")],
        calibration="known" if calibrated else None,
    )
    assert {"xarray", "whiteline.estimators.k_nearest"} <= found
    assert ("crepes" in found) == calibrated
    assert not HEAVY & found
    assert {path.name for path in tmp_path.glob("*.nc")} == {"nearest.nc", "k_nearest.nc"}
