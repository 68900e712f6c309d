"""What is done for very many spectra at once, against the same for one after another."""

import h5py
import numpy as np
import pytest

from whiteline import measures, search
from whiteline.estimation import profiles
from whiteline.estimation.noise import noise_of_many
from whiteline.estimators import profile
from whiteline.evaluation import calibration
from whiteline.formats import hdf5, read_spectra
from whiteline.preprocessing.edge import noise

ENERGY = 630 + 0.5 * np.arange(60)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("points", [3, 4, 5, 8, 101, 500])
def test_the_noise_is_the_median_exactly(rng, dtype, points):
    """Also where values are equal, or all of them zero."""
    for signals in (
        rng.normal(size=(40, points)),
        rng.integers(0, 4, (40, points)),
        np.zeros((2, points)),
        1e30 * rng.normal(size=(3, points)),
    ):
        signals = signals.astype(dtype)
        np.testing.assert_array_equal(noise_of_many(signals), noise(signals))


@pytest.mark.parametrize("axis", [0, 1])
def test_spectra_that_stay_in_the_file_are_read_in_parts(rng, tmp_path, monkeypatch, axis):
    monkeypatch.setattr(hdf5, "IN_MEMORY", 1000)
    monkeypatch.setattr(hdf5, "CHUNK", 2000)
    signals = 1 + rng.random((50, len(ENERGY)))
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file["energy"] = ENERGY
        file["spectra"] = signals if axis == 1 else signals.T
    (collection,) = read_spectra(tmp_path / "stack.h5")
    np.testing.assert_array_equal(collection.raw(11, 31), signals[11:31])
    assert collection.ids() == [collection.id(row) for row in range(50)]


def test_rows_of_a_stack_need_no_whole_chunk(tmp_path, monkeypatch):
    """What dask asks the file for is what is asked of it."""
    monkeypatch.setattr(hdf5, "IN_MEMORY", 1000)
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file["energy"] = ENERGY
        file["spectra"] = np.random.default_rng(0).random((50, len(ENERGY)))
    (collection,) = read_spectra(tmp_path / "stack.h5")
    read = []
    get = h5py.Dataset.__getitem__

    def asked(data, *arguments):
        found = get(data, *arguments)
        read.append(np.shape(found))
        return found

    monkeypatch.setattr(h5py.Dataset, "__getitem__", asked)
    collection.raw(11, 31)
    assert read == [(20, len(ENERGY))]


def test_parabolas_are_those_of_weighted_least_squares(rng):
    x, y, weight = rng.normal(size=(3, 7, 20))
    weight = weight**2
    found = profile._parabola(x, y, weight)
    fits = [np.polyfit(x[:, k], y[:, k], 2, w=np.sqrt(weight[:, k])) for k in range(20)]
    expected = [-b / (2 * a) if a > 0 else np.nan for a, b, _ in fits]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_profiles_known_at_different_places_are_fitted_as_each_alone(rng):
    place = np.arange(12) / 10
    squared = (place - rng.uniform(0.2, 0.9, (30, 1))) ** 2 + 0.01 * rng.random((30, 12))
    squared[rng.random((30, 12)) < 0.4] = np.inf
    together = profile._minimum(squared, place, 0.25)
    apart = [
        profile._minimum(row[None, np.isfinite(row)], place[np.isfinite(row)], 0.25)[0]
        for row in squared
    ]
    np.testing.assert_allclose(together, apart, rtol=1e-12)


def test_spectra_prepared_in_single_precision_are_compared_in_double(rng):
    single, double = (measures.load("correlation", precision=p) for p in ("single", "double"))
    library = single.prepare(rng.random((80, len(ENERGY))), ENERGY)
    queries = single.prepare(rng.random((20, len(ENERGY))), ENERGY)
    found = search.build(single, library, ENERGY).nearest(queries, 3)
    exact = search.build(double, library.astype(float), ENERGY).nearest(queries.astype(float), 3)
    np.testing.assert_array_equal(found[1], exact[1])
    np.testing.assert_allclose(found[0], exact[0], rtol=1e-14)


def test_pairs_within_a_factor_of_the_least_distance_are_all_found(rng):
    measure, energy = measures.load("euclidean", precision="double"), np.arange(20.0)
    library, queries = rng.random((700, 20)), rng.random((300, 20))
    cell = np.arange(700) // 10
    index = search.build(measure, library, energy, cell)
    axes = [search.Axis(np.arange(70), np.arange(70) // 35, np.eye(70, dtype=bool))]
    found, pairs = index.around(queries, axes, 1.2)
    every = measure.pairwise(queries, library, energy)
    expected = np.argwhere(every <= 1.2 * every.min(1, keepdims=True))
    query, distance, row = pairs
    order = np.lexsort((row, query))
    np.testing.assert_array_equal(np.column_stack([query, row])[order], expected)
    np.testing.assert_allclose(distance, every[query, row], rtol=1e-12)
    alone, none = index.around(queries, axes, None)
    np.testing.assert_array_equal(found[0], alone[0])
    assert not len(none[0])


def test_the_deviation_is_that_of_each_query(rng):
    query, values = np.sort(rng.integers(0, 8, 60)), rng.random(60)
    query[query == 3], values[query == 5] = 4, np.nan
    values[::7] = np.nan
    known = [values[(query == k) & np.isfinite(values)] for k in range(8)]
    expected = [part.std() if len(part) else 0 for part in known]
    np.testing.assert_allclose(profiles._deviation(query, values, 8), expected, atol=1e-15)


def test_the_limit_of_the_excess_is_what_crepes_would_say(rng):
    from crepes import ConformalClassifier

    group = rng.choice(3, 200, p=[0.5, 0.45, 0.05])
    excess = np.where(rng.random(200) < 0.6, 1.0, 1 + rng.exponential(size=200))
    limit = calibration._excess_limit(excess, group)
    asked, of = 1 + 3 * rng.random(500), rng.choice(3, 500)
    asked[:200], of[:200] = excess, group
    asked[-3:], of[-3:] = np.inf, [0, 1, 2]
    sets = (
        ConformalClassifier()
        .fit(excess, group)
        .predict_set(
            asked[:, None], of, confidence=calibration.SET_COVERAGE - 1e-9, smoothing=False
        )
    )
    np.testing.assert_array_equal(asked <= limit[of], sets[:, 0] == 1)
    assert np.isfinite(limit[:2]).all()
    assert limit[2] == np.inf
