"""What is said where a program is missing or fails, and what its script is made of."""

import sys
from importlib import metadata

import pytest

from whiteline import engines
from whiteline.atomic import parse_ion
from whiteline.engines import quanty
from whiteline.errors import InputError
from whiteline.simulation import AXES, Parameters

NI = parse_ion("Ni2+")
SHELL = {"delta": 4.0, "v_eg": 2.0}


@pytest.fixture
def nothing_installed(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    monkeypatch.setattr(metadata, "distribution", absent)


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """Puts a shell script in place of Quanty, and a text in place of its template."""

    def put(script, template="$NElectrons_3d $10Dq(3d)_i_value $10Dq(3d)_f_value"):
        (tmp_path / "Quanty").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "Quanty").chmod(0o755)
        (tmp_path / "template.lua").write_text(template)
        names = {True: "Quanty", False: "template.lua"}
        monkeypatch.setattr(quanty, "_crispy", lambda name: tmp_path / names["bin" in name])

    return put


@pytest.fixture
def crispy():
    if engines.version("quanty") is None:
        pytest.skip("crispy is not installed")


@pytest.mark.parametrize("kind", ["edrixs", "quanty"])
def test_a_missing_program(nothing_installed, kind):
    assert engines.version(kind) is None
    assert kind not in engines.installed()
    with pytest.raises(InputError, match=f"'{kind}' is not installed; .*pip install"):
        engines.load(kind, NI, "Oh")


def test_quanty_elsewhere_than_on_linux(monkeypatch, crispy):
    monkeypatch.setattr(quanty.platform, "system", lambda: "Darwin")
    with pytest.raises(InputError, match="Linux"):
        engines.load("quanty", NI, "Oh")


@pytest.mark.parametrize("kind", ["edrixs", "quanty"])
def test_facts(kind):
    facts = engines.facts(kind)
    assert set(facts.parameters) <= set(AXES)
    assert {"Oh", "Td", "D4h"} <= set(facts.symmetries)
    if engines.version(kind) is not None:
        assert kind in engines.installed()
        assert any(character.isdigit() for character in engines.version(kind))


def test_which_engine_knows_what():
    assert engines.knows("quanty", "C3v", ["ten_dq", "dsigma"])
    assert engines.knows("quanty", "Oh", ["ten_dq", "delta"])
    assert not engines.knows("edrixs", "C3v", ["ten_dq"])
    assert not engines.knows("edrixs", "Oh", ["ten_dq", "delta"])


@pytest.mark.parametrize(
    ("kind", "symmetry", "point", "expected"),
    [
        ("edrixs", "Oh", {"ds": 0.1}, "needs the symmetry D4h"),
        ("edrixs", "Oh", {"delta": 3.0}, "'edrixs' has no delta"),
        ("quanty", "D4h", {"delta": 3.0}, "needs the symmetry Oh or Td"),
        ("quanty", "Oh", {"v_eg": 1.0}, "v_eg has no meaning without a ligand shell"),
    ],
)
def test_a_parameter_without_meaning(kind, symmetry, point, expected):
    if engines.version(kind) is None:
        pytest.skip(f"{kind} is not installed")
    with pytest.raises(InputError, match=expected):
        engines.load(kind, NI, symmetry).sticks(Parameters(**point))


def test_qt_is_not_imported(crispy):
    engines.load("quanty", NI, "Oh").sticks(Parameters(ten_dq=1.0))
    assert not [name for name in sys.modules if name.startswith(("crispy", "silx", "PyQt"))]


@pytest.mark.parametrize("symmetry", ["Oh", "Td", "D4h", "C3v"])
@pytest.mark.parametrize("shell", [{}, SHELL])
def test_every_place_of_the_template_is_filled(crispy, symmetry, shell):
    if shell and symmetry not in AXES["delta"].symmetries:
        pytest.skip("no ligands in this symmetry")
    text = quanty.script(NI, symmetry, Parameters(ten_dq=1.25, **shell), 2)
    assert "$" not in text
    assert "NElectrons_3d = 8" in text
    assert f"LmctLigandsHybridizationTerm = {'true' if shell else 'false'}" in text or not shell


def test_a_failure_is_one_sentence(fake):
    fake("echo 'input.lua:3: no such' >&2; echo function >&2; exit 1")
    with pytest.raises(
        InputError, match=r"^Quanty failed on Ni2\+ in Oh: input.lua:3: no such function$"
    ):
        quanty.run("", str(quanty.program().parent), "Ni2+ in Oh")


def test_a_silent_failure(fake):
    fake("exit 7")
    with pytest.raises(InputError, match="it ended with code 7"):
        quanty.run("", str(quanty.program().parent), "Ni2+")


def test_a_run_without_end(fake, monkeypatch):
    fake("exec sleep 30")
    monkeypatch.setattr(quanty, "PATIENCE", 0.2)
    with pytest.raises(InputError, match=r"Quanty on Ni2\+ was ended after 0.2 s"):
        quanty.run("", str(quanty.program().parent), "Ni2+")


def test_a_program_that_does_not_run(fake):
    fake("")
    quanty.program().chmod(0o644)
    with pytest.raises(InputError, match="does not run"):
        quanty.run("", str(quanty.program().parent), "Ni2+")


def test_a_template_of_another_version(fake):
    fake("", template="$Surprise")
    with pytest.raises(InputError, match="asks for 'Surprise'"):
        quanty.script(NI, "Oh", Parameters())
    fake("", template="$NElectrons_3d")
    with pytest.raises(InputError, match=r"has no place for F2\(3d,3d\)_i_value"):
        quanty.script(NI, "Oh", Parameters())
