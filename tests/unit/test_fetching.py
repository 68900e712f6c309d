"""Fetching measured spectra, without a network."""

import hashlib
import io
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from whiteline import fetching, measured
from whiteline.errors import InputError
from whiteline.formats import read_spectrum

DATA = Path(__file__).parents[2].parent / "shared" / "data"
MEMBERS = {"pack/one.txt": b"1 2\n", "pack/two.txt": b"3 4\n"}
PYPI, URL = "pypi:pack==1.0", "https://example.org/data/one.txt"


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """The module, with an empty folder of downloads and neither pip nor network."""
    monkeypatch.setattr(fetching, "DOWNLOADS", tmp_path / "downloads")
    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    return fetching


def refuse(*arguments, **options):
    raise AssertionError("nothing should be downloaded")


def wheel():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def pip_that_gives(data, calls):
    def run(command, **options):
        calls.append(command)
        Path(command[command.index("--dest") + 1], "pack-1.0-py3-none-any.whl").write_bytes(data)
        return subprocess.CompletedProcess(command, 0, "", "")

    return run


def fetch(stage, folder, source, sha256, members=tuple(MEMBERS), doi="", local=None, count=None):
    names = [f"out/{number}.txt" for number in range(count or len(members))]
    paths = [folder / name for name in names]
    stage.fetch(
        source=source,
        sha256=sha256,
        members=list(members),
        doi=doi,
        local=local,
        spectra=[str(path) for path in paths],
    )
    assert {path.name for path in (folder / "out").iterdir()} == {path.name for path in paths}
    return [path.read_bytes() for path in paths]


def test_wheel_from_pip(stage, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(subprocess, "run", pip_that_gives(wheel(), calls))
    assert fetch(stage, tmp_path, PYPI, digest(wheel())) == [*MEMBERS.values()]
    (command,) = calls
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "pack==1.0"} <= set(command)


def test_wheel_with_another_sum_is_refused(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", pip_that_gives(wheel(), []))
    with pytest.raises(InputError) as error:
        fetch(stage, tmp_path, PYPI, "0" * 64)
    assert digest(wheel()) in str(error.value)
    assert "0" * 64 in str(error.value)
    assert not (tmp_path / "out").exists()


def test_without_network_the_sentence_says_what_to_put_where(stage, tmp_path, monkeypatch):
    messages = "WARNING: Retrying\nERROR: No matching distribution found for pack==1.0\nnotice\n"
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **_: subprocess.CompletedProcess(command, 1, "", messages),
    )
    with pytest.raises(InputError) as error:
        fetch(stage, tmp_path, PYPI, "0" * 64, doi="10.1/x")
    message = str(error.value)
    for part in ("No matching distribution", "pack==1.0", "0" * 64, "10.1/x", "downloads"):
        assert part in message
    assert "\n" not in message


def test_a_file_placed_by_hand_goes_before_the_network(stage, tmp_path):
    stage.DOWNLOADS.mkdir()
    (stage.DOWNLOADS / "a_wrong_one.whl").write_bytes(b"other")
    (stage.DOWNLOADS / "any_name.whl").write_bytes(wheel())
    assert fetch(stage, tmp_path, PYPI, digest(wheel())) == [*MEMBERS.values()]


def test_member_that_is_not_in_the_wheel(stage, tmp_path):
    stage.DOWNLOADS.mkdir()
    (stage.DOWNLOADS / "pack.whl").write_bytes(wheel())
    with pytest.raises(InputError, match=r"pack/three\.txt"):
        fetch(stage, tmp_path, PYPI, digest(wheel()), members=["pack/one.txt", "pack/three.txt"])
    assert not (tmp_path / "out").exists()


def test_file_that_is_no_wheel(stage, tmp_path):
    stage.DOWNLOADS.mkdir()
    (stage.DOWNLOADS / "pack.whl").write_bytes(b"text")
    with pytest.raises(InputError, match="not a wheel"):
        fetch(stage, tmp_path, PYPI, digest(b"text"))


def test_file_from_an_address(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: io.BytesIO(b"1 2\n"))
    assert fetch(stage, tmp_path, URL, digest(b"1 2\n"), members=[""]) == [b"1 2\n"]
    with pytest.raises(InputError, match=digest(b"1 2\n")):
        fetch(stage, tmp_path, URL, "0" * 64, members=[""])


@pytest.mark.parametrize("error", [urllib.error.URLError("no route"), TimeoutError("no route")])
def test_address_out_of_reach(stage, tmp_path, monkeypatch, error):
    def urlopen(url, timeout):
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(InputError, match=r"no route.*one\.txt.*SHA-256 0000.*downloads"):
        fetch(stage, tmp_path, URL, "0" * 64, members=[""])


def test_source_that_is_no_https_address(stage, tmp_path):
    with pytest.raises(InputError, match="https address"):
        fetch(stage, tmp_path, "file:///etc/hostname", "0" * 64, members=[""])


def test_local_file(stage, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes(b"1 2\n")
    sha256 = digest(b"1 2\n")
    assert fetch(stage, tmp_path, URL, sha256, members=[], local=str(path), count=1) == [b"1 2\n"]
    path.write_bytes(b"1 3\n")
    with pytest.raises(InputError, match=f"{digest(b'1 3' + bytes([10]))}.*{sha256}"):
        fetch(stage, tmp_path, URL, sha256, members=[], local=str(path), count=1)
    with pytest.raises(InputError, match=r"absent\.txt: can't be read"):
        fetch(
            stage, tmp_path, URL, sha256, members=[], local=str(tmp_path / "absent.txt"), count=1
        )


def test_an_interrupted_write_leaves_nothing(stage, tmp_path, monkeypatch):
    path = tmp_path / "mine.txt"
    path.write_bytes(b"1 2\n")

    def replace(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        fetch(stage, tmp_path, URL, digest(b"1 2\n"), members=[], local=str(path), count=1)
    assert [*(tmp_path / "out").iterdir()] == []


def test_measured_manganese_oxide(stage, tmp_path):
    local = DATA / "measured" / "mnedgenet" / "Data2_MnO.csv"
    if not local.is_file():
        pytest.skip("the measured spectra of ../shared/data are not here")
    entry = measured.entry("MnO")
    output = tmp_path / entry.filename
    stage.fetch(
        source=entry.source,
        sha256=entry.sha256,
        members=[entry.member],
        doi=entry.doi,
        local=str(local),
        spectra=[str(output)],
    )
    spectrum = read_spectrum(
        output, energy_column=entry.energy_column, intensity_column=entry.intensity_column
    )
    assert spectrum.energy[spectrum.intensity.argmax()] == pytest.approx(640.5, abs=0.1)
