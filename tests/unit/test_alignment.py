"""Alignment against lines whose place is known, and against all shifts tried one by one."""

import numpy as np
import pytest

from whiteline import alignment
from whiteline.alignment import correlate, extended, fraction, window

GRID = np.linspace(700.0, 720.0, 101)
STEP = 0.2
MARGIN = 8


def line(axis, centre, width=1.0):
    return np.exp(-(((axis - centre) / width) ** 2) / 2)


def doublet(axis, centre):
    return line(axis, centre) + 0.4 * line(axis, centre + 6.0, 1.5)


def records(*centres):
    return np.stack([doublet(extended(GRID, MARGIN), centre) for centre in centres])


def test_the_extended_grid_goes_on_in_the_same_steps():
    axis = extended(GRID, 3)
    np.testing.assert_allclose(axis[3:-3], GRID, rtol=1e-15)
    np.testing.assert_allclose(np.diff(axis), STEP)
    assert len(axis) == len(GRID) + 6


@pytest.mark.parametrize("shift", [-MARGIN, -3, 0, 1, MARGIN])
def test_a_positive_shift_moves_a_line_to_higher_energy(shift):
    (moved,) = window(records(708.0), shift, len(GRID))
    np.testing.assert_allclose(moved, doublet(GRID, 708.0 + shift * STEP), atol=1e-12)


def test_each_row_has_its_own_shift():
    moved = window(records(708.0, 706.0), np.array([2, -5]), len(GRID))
    np.testing.assert_allclose(moved, [doublet(GRID, 708.4), doublet(GRID, 705.0)], atol=1e-12)


def test_the_shift_lays_the_record_on_the_reference():
    library = np.stack([doublet(GRID, 708.0), doublet(GRID, 709.0)])
    shift, similarity = correlate(records(707.0, 709.4), library, np.array([8, 8]))
    np.testing.assert_array_equal(shift, [[5, 8], [-7, -2]])
    np.testing.assert_allclose(similarity[:, 0], 1, atol=1e-6)


def test_agrees_with_all_shifts_tried_one_by_one(rng):
    queries, library = rng.normal(size=(4, 56)).cumsum(1), rng.normal(size=(3, 40)).cumsum(1)
    limit = np.array([8, 5, 0, 3])
    shift, similarity = correlate(queries, library, limit)
    for n, m in np.ndindex(shift.shape):
        tried = {
            k: np.corrcoef(queries[n, 8 - k : 48 - k], library[m])[0, 1]
            for k in range(-limit[n], limit[n] + 1)
        }
        assert shift[n, m] == max(tried, key=tried.get)
        assert similarity[n, m] == pytest.approx(max(tried.values()), abs=1e-6)


def test_the_batch_does_not_matter(rng, monkeypatch):
    queries, library = rng.normal(size=(5, 26)), rng.normal(size=(3, 20))
    limit = np.array([3, 0, 1, 2, 3])
    whole, _ = correlate(queries, library, limit)
    monkeypatch.setattr(alignment, "BATCH", 2)
    np.testing.assert_array_equal(correlate(queries, library, limit)[0], whole)


def test_among_equals_the_least_shift_wins():
    # Of period 4 steps: shifts by -4, 0 and 4 fit alike.
    wave = np.sin(np.arange(48) * np.pi / 2)[None]
    shift, _ = correlate(wave, wave[:, 4:-4], np.array([4]))
    assert shift.item() == 0


def test_a_flat_record_correlates_with_nothing():
    shift, similarity = correlate(np.ones((1, 20)), np.arange(16.0)[None], np.array([2]))
    assert shift.item() == 0
    assert similarity.item() == 0


@pytest.mark.parametrize("off", [-0.5, -0.3, 0.0, 0.2, 0.4])
def test_the_fraction_is_what_still_has_to_be_added(off):
    library = doublet(GRID, 708.0)[None]
    queries = records(708.0 - (2 + off) * STEP)
    found = fraction(queries, library, *correlate(queries, library, np.array([6])))
    shift = correlate(queries, library, np.array([6]))[0].item()
    # The parabola's own error is of third order in step / width.
    assert shift + found.item() == pytest.approx(2 + off, abs=STEP**3)


def test_the_fraction_is_at_most_half_a_step_even_where_the_search_ends():
    library = doublet(GRID, 708.0)[None]
    queries = records(707.0)
    assert fraction(queries, library, *correlate(queries, library, np.array([3]))).item() == 0.5


def test_without_margin_or_signal_there_is_no_fraction():
    library = doublet(GRID, 708.0)[None]
    assert fraction(library, library, *correlate(library, library, np.array([0]))).item() == 0
    flat = np.ones((1, len(GRID) + 2))
    assert fraction(flat, library, *correlate(flat, library, np.array([0]))).item() == 0
