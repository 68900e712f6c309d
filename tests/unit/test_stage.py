"""A stage's function as a Snakemake job, with Snakemake's own lists of names."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.iocontainers import Namedlist

from whiteline import stage
from whiteline.errors import InputError

SCRIPTS = Path(stage.__file__).parents[1]


@pytest.fixture
def job(tmp_path):
    """A job with one file in, a list of files in, one out, two parameters and a log."""
    return SimpleNamespace(
        input=Namedlist(
            fromdict={"modules": ["m.py"], "queries": "q.nc", "parts": ["a.csv", "b.csv"]}
        ),
        output=Namedlist(fromdict={"scores": "s.csv"}),
        params=Namedlist(fromdict={"kind": "cosine", "parameters": {"k": 1}}),
        log=Namedlist(toclone=[str(tmp_path / "logs" / "stage.log")]),
    )


def test_named_inputs_outputs_and_parameters_are_passed(job):
    given = {}
    stage.run(lambda **arguments: given.update(arguments), job)
    assert given == {
        "queries": "q.nc",
        "parts": ["a.csv", "b.csv"],
        "scores": "s.csv",
        "kind": "cosine",
        "parameters": {"k": 1},
    }


def test_what_is_printed_goes_to_the_log(job, tmp_path, capfd):
    def function(**_):
        print("to stdout")
        print("to stderr", file=sys.stderr)

    stage.run(function, job)
    assert (tmp_path / "logs/stage.log").read_text() == "to stdout\nto stderr\n"
    assert capfd.readouterr() == ("", "")


def test_bad_input_is_one_line_in_the_log_and_exit_1(job, tmp_path):
    def function(**_):
        raise InputError("x.csv, line 3: 'abc' is no number")

    with pytest.raises(SystemExit) as exit_:
        stage.run(function, job)
    assert exit_.value.code == 1
    assert (tmp_path / "logs/stage.log").read_text() == "x.csv, line 3: 'abc' is no number\n"


def test_a_fault_of_the_program_is_not_hidden(job):
    def function(**_):
        raise KeyError("x")

    with pytest.raises(KeyError):
        stage.run(function, job)


def test_stdout_is_given_back(job):
    before = sys.stdout, sys.stderr
    stage.run(lambda **_: None, job)
    assert (sys.stdout, sys.stderr) == before


def test_a_job_with_arrays_of_numpy_does_not_wait_for_those_of_others(tmp_path):
    code = f"""
import sys
from types import SimpleNamespace
import xarray as xr
from snakemake.iocontainers import Namedlist
from whiteline import stage

def function():
    xr.Dataset({{"a": ("x", [1.0])}}, {{"x": [2.0]}}).to_netcdf({str(tmp_path / "a.nc")!r})
    xr.open_dataset({str(tmp_path / "a.nc")!r}).load()
    assert not {{"dask.array", "pint", "scipy"}} & set(sys.modules)
    # A reader of large files finds it as ever.
    from dask.array import from_array

files = SimpleNamespace(
    input=Namedlist(fromdict={{"modules": []}}),
    output=Namedlist(),
    params=Namedlist(),
    log=[{str(tmp_path / "log")!r}],
)
stage.run(function, files)
"""
    subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, check=True)
