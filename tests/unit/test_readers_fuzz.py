"""Whatever is in a file, readers give good spectra or one sentence, soon and in little memory."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spectrum_files import WRITERS

from whiteline.errors import InputError
from whiteline.formats import Recorded, guarded, read_spectra

HDF5 = (".h5", ".nxs", ".hspy", ".emd", ".nc")
STARTS = [b"", b"# XDI/1.0\n", b"#FORMAT      : EMSA/MAS\n", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"]
STARTS += [b"\0\0\0\3\0\0\1\0\0\0\0\1", b"\0\0\0\4\0\0\0\0\0\0\1\0\0\0\0\1", b"\x1f\x8b", b"CDF\1"]
fuzzed = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
few = settings(fuzzed, max_examples=12)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The HDF5 library hangs often when it is fuzzed; the guard must end that."""
    monkeypatch.setattr(guarded, "PATIENCE", 1.0)


def read_or_refuse(path, content):
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    try:
        for collection in read_spectra(path):
            assert (np.diff(collection.energy) > 0).all()
            for _, found in collection.records():
                if isinstance(found, Recorded):
                    assert np.isfinite(found.intensity).all()
                else:
                    assert isinstance(found, InputError)
    except InputError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message


@fuzzed
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=600))
def test_random_bytes(tmp_path, start, rest):
    read_or_refuse(tmp_path / "spectrum.dat", start + rest)


@fuzzed
@given(text=st.text("0123456789.,;eE+-# \t\n\rnaif\"'", max_size=400))
def test_random_tables(tmp_path, text):
    read_or_refuse(tmp_path / "spectrum.txt", text.encode())


def damage(content, draw):
    """Some bytes changed, most of them at the beginning where the structure is, or the end cut."""
    content = bytearray(content)
    for _ in range(draw(st.integers(0, 6))):
        end = draw(st.sampled_from([len(content), min(len(content), 4000)]))
        content[draw(st.integers(0, end - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))])


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    for name, writer in WRITERS.items():
        writer(folder / name)
    return {name: (folder / name).read_bytes() for name in WRITERS}


@pytest.mark.parametrize("name", [name for name in WRITERS if not name.endswith(HDF5)])
@fuzzed
@given(data=st.data())
def test_damaged_files(tmp_path, good, name, data):
    read_or_refuse(tmp_path / name, damage(good[name], data.draw))


@pytest.mark.parametrize("name", [name for name in WRITERS if name.endswith(HDF5)])
@few
@given(data=st.data())
def test_damaged_hdf5_files(tmp_path, good, name, data):
    read_or_refuse(tmp_path / name, damage(good[name], data.draw))
