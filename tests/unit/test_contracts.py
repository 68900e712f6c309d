"""The netCDF contracts: checked, written whole or not at all, the same bytes again."""

from pathlib import Path

import numpy as np
import pytest

from whiteline import contracts
from whiteline.errors import InputError


def pairs(**changes):
    variables = {"distance": np.eye(2, 3), "query_id": ["é", "b"], "library_id": ["a", "bb", ""]}
    return contracts.dataset("distances", variables | changes, measure="cosine")


def test_round_trip(tmp_path):
    contracts.write(pairs(), tmp_path / "x.nc")
    data = contracts.read(tmp_path / "x.nc", "distances")
    np.testing.assert_array_equal(data["distance"], np.eye(2, 3))
    assert data["query_id"].values.tolist() == ["é", "b"]
    assert data["distance"].attrs["units"] == "1"
    assert data.attrs["Conventions"].startswith("CF-")
    assert data.attrs["measure"] == "cosine"
    assert "_FillValue" not in data["distance"].encoding


def test_the_same_data_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        contracts.write(pairs(), tmp_path / folder / "x.nc")
    assert (tmp_path / "one/x.nc").read_bytes() == (tmp_path / "two/x.nc").read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "x.nc"
    contracts.write(pairs(), path)
    before = path.read_bytes()

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        contracts.write(pairs(distance=np.ones((2, 3))), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.nc"]


def test_unknown_parameters_become_nan():
    data = contracts.dataset(
        "sticks", {"energy": [1.0, 2.0], "intensity": [1.0, 1.0], "row_size": [2], "ten_dq": [0.9]}
    )
    assert np.isnan(data["ds"].item())
    assert data["ten_dq"].item() == 0.9


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d.drop_vars("query_id"), "needs the variable 'query_id'"),
        (lambda d: d.transpose(), "has dimensions"),
        (lambda d: d.assign(distance=d["distance"].assign_attrs(units="eV")), "has units 'eV'"),
        (lambda d: d.assign_attrs(contract="spam"), "'contract' is 'spam'"),
    ],
)
def test_a_dataset_against_its_contract_is_not_written(tmp_path, spoil, message):
    with pytest.raises(InputError, match=message):
        contracts.write(spoil(pairs()), tmp_path / "x.nc")
    assert not list(tmp_path.iterdir())


def test_values_that_are_not_finite_are_refused(tmp_path):
    with pytest.raises(InputError, match="distance has values that are not finite"):
        contracts.write(pairs(distance=np.full((2, 3), np.nan)), tmp_path / "x.nc")


def test_reading_says_what_is_wrong(tmp_path):
    with pytest.raises(InputError, match=r"none.nc: no such file"):
        contracts.read(tmp_path / "none.nc", "distances")
    (tmp_path / "text.nc").write_text("hello")
    with pytest.raises(InputError, match=r"text.nc: not a readable netCDF file"):
        contracts.read(tmp_path / "text.nc", "distances")
    contracts.write(pairs(), tmp_path / "x.nc")
    with pytest.raises(InputError, match=r"x.nc: expected a shifts file, found 'distances'"):
        contracts.read(tmp_path / "x.nc", "shifts")


def test_ragged_rows_come_apart_again():
    data = contracts.dataset(
        "sticks", {"energy": [1, 2, 3], "intensity": [4, 5, 6], "row_size": [1, 2]}
    )
    (first, _), (second, intensity) = contracts.split_rows(data)
    assert first.tolist() == [1]
    assert second.tolist() == [2, 3]
    assert intensity.tolist() == [5, 6]
