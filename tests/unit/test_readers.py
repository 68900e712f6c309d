"""Every format gives the spectra that were written into it, and a clear sentence for bad files."""

import gzip
import sys

import h5py
import numpy as np
import pytest
from spectrum_files import ENERGY, IMAGE, SHAPE, SIGNAL, WRITERS, dm, emd, hspy, nexus, npz, xdi

from whiteline.errors import InputError
from whiteline.formats import Recorded, guarded, hdf5, read_spectra, read_spectrum
from whiteline.formats import npz as npz_reader

IMAGES = {"image.hspy": hspy, "image.emd": emd, "image.dm4": dm}


@pytest.fixture(params=WRITERS)
def file(request, tmp_path):
    path = tmp_path / request.param
    WRITERS[request.param](path)
    return path


def fails(path, *words, **columns):
    with pytest.raises(InputError) as error:
        read_spectra(path, **columns)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_every_format_gives_what_was_written(file):
    first = read_spectra(file)[0]
    spectrum = first.spectrum()
    np.testing.assert_allclose(spectrum.energy, ENERGY)
    np.testing.assert_allclose(spectrum.intensity, SIGNAL, rtol=1e-6)
    assert file.suffix[1:] not in " ".join(first.notes)


def test_every_format_is_known_by_its_content(file):
    path = file.rename(file.with_suffix(".jpg"))
    # NCEM's format differs from HDF5 in its attributes alone, and these are read.
    first = read_spectra(path)[0]
    np.testing.assert_allclose(first.spectrum().intensity, SIGNAL, rtol=1e-6)
    assert f"the file is {first.format}, whatever its ending '.jpg'" in first.notes


def test_every_truncated_file_is_refused(file):
    content = file.read_bytes()
    if file.suffix in (".csv", ".xdi"):
        pytest.skip("text that ends after a row is a shorter table")
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError) as error:
        [collection.mean() for collection in read_spectra(file)]
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", WRITERS)
def test_empty_and_other_files(tmp_path, name):
    path = tmp_path / name
    path.touch()
    fails(path, "empty")
    path.write_bytes(b"%PDF-1.7\n\0\1\2")
    fails(path, "PDF")
    path.write_bytes(bytes(range(256)) * 4)
    fails(path, "binary file of no known format")


def test_a_text_file_needs_no_other_library(tmp_path):
    import subprocess

    path = tmp_path / "columns.csv"
    WRITERS[path.name](path)
    code = (
        "import sys; from whiteline.formats import read_spectrum; "
        f"read_spectrum({str(path)!r}); "
        "print([m for m in ('h5py', 'rsciio', 'xarray', 'dask', 'larch') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "scripts"},
    )
    assert done.stdout == "[]\n"


# Files of many spectra


@pytest.mark.parametrize("name", IMAGES)
def test_images_keep_their_shape_and_the_place_of_each_pixel(tmp_path, name):
    IMAGES[name](tmp_path / name)
    (image,) = read_spectra(tmp_path / name)
    assert (image.shape, len(image)) == (SHAPE, 12)
    assert [image.id(row) for row in (0, 5, 11)] == ["image[0,0]", "image[1,1]", "image[2,3]"]
    np.testing.assert_allclose(image.spectrum(5).intensity, IMAGE[1, 1], rtol=1e-6)
    np.testing.assert_allclose(image.mean().intensity, IMAGE.mean((0, 1)), rtol=1e-6)
    starts, chunks = zip(*image.chunks(5), strict=True)
    assert starts == (0, 5, 10)
    np.testing.assert_allclose(np.concatenate(chunks), IMAGE.reshape(12, -1), rtol=1e-6)
    with pytest.raises(InputError, match=r"holds 12 spectra, such as 'image\[0,0\]'"):
        read_spectrum(tmp_path / name)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_energy_axis_is_found_wherever_it_is(tmp_path, place):
    from rsciio.hspy import file_writer
    from spectrum_files import signal

    path = tmp_path / "image.hspy"
    file_writer(str(path), signal(IMAGE, place))
    (image,) = read_spectra(path)
    assert image.shape == SHAPE
    np.testing.assert_allclose(image.spectrum(7).intensity, IMAGE.reshape(12, -1)[7])


def test_an_image_in_kilovolts_and_one_without_energy(tmp_path):
    from rsciio.hspy import file_writer
    from spectrum_files import signal

    content = signal(IMAGE, units="keV")
    content["axes"][2].update(scale=0.25e-3, offset=0.63)
    path = tmp_path / "image.hspy"
    file_writer(str(path), content)
    (image,) = read_spectra(path)
    np.testing.assert_allclose(image.energy, ENERGY)
    assert image.notes == ("energies were converted from keV",)
    path = tmp_path / "other.hspy"
    file_writer(str(path), signal(IMAGE, units="nm"))
    fails(path, "no axis has units of eV")


def test_a_bad_pixel_is_reported_and_the_rest_goes_on(tmp_path):
    data = IMAGE.copy()
    data[1, 0, 3], data[2, 2] = np.nan, 0.0
    dm(tmp_path / "image.dm4", data=data)
    (image,) = read_spectra(tmp_path / "image.dm4")
    outcomes = dict(image.records())
    bad = {id: str(found) for id, found in outcomes.items() if not isinstance(found, Recorded)}
    assert list(bad) == ["image[1,0]", "image[2,2]"]
    assert "signal of point 4 is nan" in bad["image[1,0]"]
    assert "0 everywhere" in bad["image[2,2]"]
    ((_, signals),) = image.chunks()
    assert np.isnan(signals).all(1).tolist() == [row in (4, 10) for row in range(12)]


def test_a_map_has_one_sign(tmp_path):
    dm(tmp_path / "image.dm4", data=-IMAGE)
    (image,) = read_spectra(tmp_path / "image.dm4")
    np.testing.assert_allclose(image.spectrum(3).intensity, IMAGE[0, 3], rtol=1e-6)
    assert image.mean().notes == ("the signal was negative-going and its sign was changed",)


def test_an_image_stays_in_the_file_until_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "IN_MEMORY", 100)
    path = tmp_path / "stack.h5"
    with h5py.File(path, "w") as file:
        file["energy"], file["data"] = ENERGY, np.moveaxis(IMAGE, -1, 0)
    (image,) = read_spectra(path)
    assert not isinstance(image._recording.intensity, np.ndarray)
    np.testing.assert_allclose(image.spectrum(6).intensity, IMAGE[1, 2])


def test_stacks_of_columns(tmp_path):
    path = tmp_path / "stack.csv"
    rows = [f"{e},{y},{2 * y},{-y},4" for e, y in zip(ENERGY, SIGNAL, strict=True)]
    path.write_text("\n".join(["energy,a,b,c,i0", *rows]))
    (every,) = read_spectra(path, intensity_column=["a", "b", "c"])
    assert [every.id(row) for row in range(3)] == ["stack#a", "stack#b", "stack#c"]
    assert len(read_spectra(path, intensity_column="all")[0]) == 4
    np.testing.assert_allclose(every.spectrum(2).intensity, SIGNAL)
    (two,) = read_spectra(path, intensity_column=["b", 3])
    assert [two.id(row) for row in range(2)] == ["stack#b", "stack#c"]
    divided = read_spectrum(path, intensity_column="a", i0_column="i0")
    np.testing.assert_allclose(divided.intensity, SIGNAL / 4)
    assert divided.notes == ("the signal was divided by i0",)


# Columns with units


@pytest.mark.parametrize("head", [["Energy (keV),signal"], ["E,y", "keV,counts"], ["keV,y"]])
def test_energies_in_kilovolts(tmp_path, head):
    path = tmp_path / "scan.csv"
    rows = [f"{e / 1000:.6f},{y}" for e, y in zip(ENERGY, SIGNAL, strict=True)]
    path.write_text("\n".join([*head, *rows]))
    found = read_spectrum(path)
    np.testing.assert_allclose(found.energy, ENERGY)
    assert found.notes == ("energies were converted from keV",)


def test_incident_intensity_of_zero(tmp_path):
    path = tmp_path / "scan.csv"
    rows = [f"{e},{y},{number}" for number, (e, y) in enumerate(zip(ENERGY, SIGNAL, strict=True))]
    path.write_text("\n".join(["energy,signal,i0", *rows]))
    fails(path, "'i0' of the incident intensity is 0 in point 1", i0_column="i0")


def test_an_incident_intensity_of_either_sign_but_not_both(tmp_path):
    path = tmp_path / "drain.csv"
    for sign in (1, -1):
        current = sign * np.linspace(3, 5, len(ENERGY))
        rows = [f"{e},{s * i},{i}" for e, s, i in zip(ENERGY, SIGNAL, current, strict=True)]
        path.write_text("\n".join(["energy,signal,i0", *rows]))
        found = read_spectrum(path, i0_column="i0")
        np.testing.assert_allclose(found.intensity, SIGNAL, rtol=1e-6, atol=1e-9)
    rows[6] = f"{ENERGY[6]},1.0,2.5"
    path.write_text("\n".join(["energy,signal,i0", *rows]))
    fails(path, "is 2.5 in point 7, but of the other sign elsewhere", i0_column="i0")


# XDI


def test_xdi_divides_and_takes_logarithms(tmp_path):
    i0, path = np.linspace(3, 5, len(ENERGY)), tmp_path / "xas.xdi"
    head = ["Column.1: energy keV", "Column.2: i0", "Column.3: itrans"]
    xdi(path, head, (i0, i0 * np.exp(-SIGNAL)), ENERGY / 1000)
    found = read_spectrum(path)
    np.testing.assert_allclose(found.energy, ENERGY)
    np.testing.assert_allclose(found.intensity, SIGNAL, atol=1e-5)
    assert "the signal is -ln(itrans / i0)" in found.notes
    xdi(path, [*head[:2], "Column.3: ifluor"], (i0, i0 * SIGNAL), ENERGY / 1000)
    np.testing.assert_allclose(read_spectrum(path).intensity, SIGNAL, atol=1e-5)


def test_xdi_that_can_not_be_read(tmp_path):
    path = tmp_path / "xas.xdi"
    xdi(path, ["Column.1: angle degrees", "Column.2: mutrans"])
    fails(path, "no column is named energy", "angle, mutrans")
    xdi(path, ["Column.1: energy eV", "Column.2: dark"])
    fails(path, "which column is the absorption", "energy, dark")
    xdi(path, [])
    fails(path, "names no columns")


# HDF5 and NumPy archives


@pytest.mark.parametrize(
    ("mode", "expected"), [("Transmission", -np.log(SIGNAL)), ("Total Electron Yield", SIGNAL)]
)
def test_nxxas_by_mode(tmp_path, mode, expected):
    nexus(tmp_path / "xas.nxs", mode)
    (found,) = read_spectra(tmp_path / "xas.nxs")
    # -ln of a peak is a dip, which is turned as any other.
    turned = -expected if mode == "Transmission" else expected
    np.testing.assert_allclose(found.spectrum().intensity, turned, atol=1e-12)
    np.testing.assert_allclose(found.energy, ENERGY)


def test_nxdata_without_definition(tmp_path):
    nexus(tmp_path / "xas.nxs", definition="NXother")
    (found,) = read_spectra(tmp_path / "xas.nxs")
    np.testing.assert_allclose(found.spectrum().intensity, 5 * SIGNAL)


@pytest.fixture
def beamline(tmp_path):
    path = tmp_path / "beamline.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/measurement")
        group["mono_energy"], group["tey"], group["i0"] = ENERGY, 2 * SIGNAL, np.full(160, 2.0)
        file["entry/start"] = np.arange(3.0)
    return path


def test_arrays_are_chosen_by_path_or_its_end(beamline):
    fails(beamline, "'entry/measurement/i0'", "'entry/measurement/tey'", "intensity_column")
    for name in ("tey", "measurement/tey", "/entry/measurement/tey"):
        found = read_spectrum(beamline, intensity_column=name, i0_column="i0")
        np.testing.assert_allclose(found.intensity, SIGNAL)
    fails(beamline, "no array 'pfy'", "'entry/measurement/tey'", intensity_column="pfy")
    fails(beamline, "no axis of energy", energy_column="start")
    fails(beamline, "does not fit", intensity_column="start", energy_column="mono_energy")


def test_arrays_without_energy(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a/b"] = np.arange(20.0)
    fails(tmp_path / "other.h5", "no group holds energies", "a/b")
    np.savez(tmp_path / "other.npz", counts=np.arange(20.0))
    fails(tmp_path / "other.npz", "no array of energies", "counts (20,)")


def test_an_archive_that_claims_more_than_it_holds(tmp_path):
    npz(tmp_path / "stack.npz")
    content = (tmp_path / "stack.npz").read_bytes()
    (tmp_path / "stack.npz").write_bytes(content.replace(b"(12, 160)", b"(99999,9)", 1))
    fails(tmp_path / "stack.npz", "claims", "more than the archive holds")


def test_pickles_are_not_loaded(tmp_path):
    np.savez(tmp_path / "bad.npz", energy=ENERGY, spectra=np.array([{}], dtype=object))
    fails(tmp_path / "bad.npz", "no array of energies with signals")


def test_what_never_ends_or_crashes_is_reported(tmp_path, monkeypatch):
    import faulthandler
    import os
    import time

    def crash():
        faulthandler.disable()  # its report would look like a crash of the tests
        os.abort()

    monkeypatch.setattr(guarded, "PATIENCE", 0.2)
    with pytest.raises(InputError, match="does not end within"):
        guarded.attempt(tmp_path, lambda: time.sleep(30))
    with pytest.raises(InputError, match="crashes"):
        guarded.attempt(tmp_path, crash)
    assert guarded.attempt(tmp_path, lambda: 1 / 0) is None


# Athena


def athena(path):
    rows = []
    for label, scale in (("MnO", 1.0), ("MnO2", 2.0)):
        numbers = [",".join(f"'{v:.5f}'" for v in values) for values in (ENERGY, scale * SIGNAL)]
        rows += [f"$old_group = 'a{label.lower()}';", f"@args = ('label','{label}','is_xmu','1');"]
        rows += [f"@x = ({numbers[0]});", f"@y = ({numbers[1]});", "[record]   # ", ""]
    text = ["# Athena project file -- Demeter version 0.9.25", "", *rows, "@journal = ('');", "1;"]
    path.write_bytes(gzip.compress("\n".join([*text, ""]).encode()))


def test_athena_projects(tmp_path):
    pytest.importorskip("larch", reason="xraylarch, of the extra athena, is not installed")
    path = tmp_path / "two.prj"
    athena(path)
    found = read_spectra(path)
    assert [collection.id(0) for collection in found] == ["two#MnO", "two#MnO2"]
    np.testing.assert_allclose(found[1].spectrum().intensity, 2 * SIGNAL, atol=1e-5)
    chosen = read_spectrum(path, intensity_column="MnO2")
    np.testing.assert_allclose(chosen.intensity, 2 * SIGNAL, atol=1e-5)
    fails(path, "no group 'FeO'", "'MnO2'", intensity_column="FeO")


def test_athena_projects_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "larch", None)
    monkeypatch.setitem(sys.modules, "larch.io", None)
    athena(tmp_path / "two.prj")
    fails(tmp_path / "two.prj", "xraylarch", "pip install 'whiteline[athena]'")


def test_pixels_keep_their_size_and_units(tmp_path):
    hspy(tmp_path / "image.hspy")
    (found,) = read_spectra(tmp_path / "image.hspy")
    assert found.pixels == ((1.0, "nm"), (1.0, "nm"))
    assert read_spectra(tmp_path / "image.hspy")[0].ids()[:2] == ["image[0,0]", "image[0,1]"]
    npz(tmp_path / "stack.npz")
    assert read_spectra(tmp_path / "stack.npz")[0].pixels == ()


def test_a_large_array_stays_in_its_archive(tmp_path, monkeypatch):
    npz(tmp_path / "stack.npz")
    (expected,) = read_spectra(tmp_path / "stack.npz")
    monkeypatch.setattr(npz_reader, "IN_MEMORY", 100)
    (found,) = read_spectra(tmp_path / "stack.npz")
    assert isinstance(found._recording.intensity, np.memmap)
    np.testing.assert_array_equal(found.raw(2, 7), expected.raw(2, 7))
