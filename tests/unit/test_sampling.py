"""Points of a simulation and their batches."""

import numpy as np
import pytest

from whiteline import sampling
from whiteline.simulation import AXES

COLUMN = {name: number for number, name in enumerate(AXES)}
RANGES = {"ten_dq": {"low": 0.5, "high": 2.5}, "slater_reduction": {"low": 0.6, "high": 0.9}}


def test_a_product_of_grids_runs_through_the_last_axis_first():
    table = sampling.points({"ten_dq": [0.9, 1.1], "temperature": [80.0, 300.0]}, 1, 0)
    assert table[:, COLUMN["ten_dq"]].tolist() == [0.9, 0.9, 1.1, 1.1]
    assert table[:, COLUMN["temperature"]].tolist() == [80.0, 300.0, 80.0, 300.0]


def test_the_other_axes_have_their_defaults():
    (row,) = sampling.points({"ten_dq": 1.0, "slater_reduction": 0.7}, 1, 0)
    assert np.isnan(row[COLUMN["delta"]])
    assert row[COLUMN["temperature"]] == 300.0
    assert row[COLUMN["slater_reduction_pd"]] == 0.7


def test_p_d_reduction_of_its_own():
    (row,) = sampling.points({"ten_dq": 1.0, "slater_reduction_pd": 0.5}, 1, 0)
    assert row[COLUMN["slater_reduction"]] == 0.8
    assert row[COLUMN["slater_reduction_pd"]] == 0.5


def test_ranges_are_filled_evenly():
    """Any of 16 equal slices of either axis holds 1/16 of a Sobol sequence of 256 points."""
    table = sampling.points(RANGES, 256, 3)
    for name, ends in RANGES.items():
        values = table[:, COLUMN[name]]
        counts, _ = np.histogram(values, 16, (ends["low"], ends["high"]))
        assert counts.tolist() == [16] * 16


def test_more_samples_keep_those_of_fewer():
    few, many = (sampling.points(RANGES, samples, 3) for samples in (100, 300))
    assert np.array_equal(many[:100], few, equal_nan=True)


def test_another_seed_draws_others():
    first, second = (sampling.points(RANGES, 10, seed)[:, COLUMN["ten_dq"]] for seed in (1, 2))
    assert not np.isin(first, second).any()


def test_samples_are_repeated_on_the_grid():
    axes = {**RANGES, "temperature": [80.0, 300.0]}
    table = sampling.points(axes, 50, 0)
    assert len(table) == sampling.count(axes, 50) == 100
    cold, warm = table[:50], table[50:]
    assert np.unique(cold[:, COLUMN["temperature"]]).tolist() == [80.0]
    assert np.array_equal(cold[:, COLUMN["ten_dq"]], warm[:, COLUMN["ten_dq"]])


@pytest.mark.parametrize(
    "axes", [{"ten_dq": 1.0}, {"ten_dq": {"start": 0, "stop": 2, "step": 0.1}}, RANGES]
)
def test_points_are_counted_without_making_them(axes):
    assert sampling.count(axes, 40) == len(sampling.points(axes, 40, 0))


@pytest.mark.parametrize(("number", "of"), [(0, 1), (1, 1), (2048, 1), (2049, 2), (33_334, 32)])
def test_batches(number, of):
    assert sampling.batches(number) == of


def test_every_point_is_in_one_batch_of_about_the_same_size():
    table = sampling.points(RANGES, 8192, 0)
    member = np.stack([sampling.in_batch(table, batch, 8) for batch in range(8)])
    assert (member.sum(0) == 1).all()
    assert member.sum(1).min() > 900


def test_a_point_stays_in_its_batch_while_a_library_grows():
    few, many = (sampling.points(RANGES, samples, 0) for samples in (500, 700))
    for batch in range(4):
        kept = sampling.in_batch(many, batch, 4)[:500]
        assert np.array_equal(kept, sampling.in_batch(few, batch, 4))
