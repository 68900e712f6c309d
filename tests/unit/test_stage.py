"""A stage's function as a Snakemake job, with Snakemake's own lists of names."""

import sys
from types import SimpleNamespace

import pytest
from snakemake.iocontainers import Namedlist

from whiteline import stage
from whiteline.errors import InputError


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
