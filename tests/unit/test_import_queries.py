"""Files of every kind become queries; bad ones stop the run or are reported and skipped."""

import json

import numpy as np
import pytest
from spectrum_files import ENERGY, IMAGE, SIGNAL, columns, dm, npz

from import_queries import import_queries
from whiteline import contracts
from whiteline.configuration import expand
from whiteline.errors import InputError


@pytest.fixture
def files(tmp_path):
    image = IMAGE.copy()
    image[0, 1] = 0.0
    columns(tmp_path / "good.csv")
    npz(tmp_path / "stack.npz")
    dm(tmp_path / "image.dm4", data=image)
    (tmp_path / "bad.csv").write_text("no spectrum\n")
    rows = [f"{e + 68},{y}" for e, y in zip(ENERGY, SIGNAL, strict=True)]
    (tmp_path / "iron.csv").write_text("\n".join(rows))
    return expand([str(tmp_path / "*")])


def imported(files, tmp_path, on_error):
    from pathlib import Path

    path = tmp_path / "out" / "recorded.nc"
    none = [None] * len(files)
    import_queries(
        spectra=files,
        recorded=str(path),
        ids=[Path(file).stem for file in files],
        energy_columns=none,
        intensity_columns=none,
        i0_column=None,
        valences=none,
        energy_uncertainty=None,
        resolution=None,
        element="Mn",
        on_error=on_error,
    )
    return contracts.read(path, "recorded")


def test_bad_files_and_pixels_are_reported_and_the_rest_goes_on(files, tmp_path, capsys):
    data = imported(files, tmp_path, "skip")
    ids = data["id"].values.astype(str).tolist()
    assert len(ids) == 1 + 11 + 12
    assert {"good", "image[0,0]", "image[2,3]", "stack#11"} <= set(ids)
    assert "image[0,1]" not in ids
    skipped = json.loads(data.attrs["skipped"])
    assert [sentence.count("\n") for sentence in skipped] == [0, 0, 0]
    assert "no rows of numbers" in skipped[0]
    assert "0 everywhere" in skipped[1]
    assert "no edge of Mn in range" in skipped[2]
    assert capsys.readouterr().out.count("skipped: ") == 3


def test_a_bad_file_stops_the_run(files, tmp_path):
    with pytest.raises(InputError, match=r"bad\.csv: has no rows of numbers"):
        imported(files, tmp_path, "stop")
    assert not (tmp_path / "out").exists()


def test_only_bad_files(tmp_path):
    (tmp_path / "bad.csv").write_text("no spectrum\n")
    with pytest.raises(InputError, match=r"none of 1 spectra can be used; the first: .*bad\.csv"):
        imported([str(tmp_path / "bad.csv")], tmp_path, "skip")


def test_spectra_that_can_not_be_prepared_are_left_out(library, record, prepare, capsys):
    from whiteline.queries import prepare_queries

    recorded = record(clean={"spectra": 3})
    start = int(recorded["row_size"].values[0])
    recorded["intensity"].values[start : 2 * start] = 1.0
    background = {"kind": "constant", "window": [-6.0, -3.0]}
    settings = {"background": background, "continuum": "none", "normalisation": "area"}, None
    with pytest.raises(InputError, match="spectrum 'clean_001'"):
        prepare_queries(recorded, library, *settings)
    queries, steps = prepare_queries(recorded, library, *settings, on_error="skip")
    assert steps["id"].values.tolist() == queries["id"].values.tolist()
    assert queries["id"].values.astype(str).tolist() == ["clean_000", "clean_002"]
    assert "skipped: spectrum 'clean_001'" in capsys.readouterr().out
    kept = prepare(record(clean={"spectra": 3}))["intensity"].values[[0, 2]]
    np.testing.assert_allclose(queries["intensity"].values, kept)
