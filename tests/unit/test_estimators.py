"""The contract of the estimators over every kind, and each kind against what it should be."""

from dataclasses import replace

import numpy as np
import pytest
from parameter_tables import library_of
from sklearn.base import clone
from sklearn.neighbors import KNeighborsRegressor

from whiteline import estimators, registry
from whiteline.errors import InputError
from whiteline.estimators import Comparison
from whiteline.estimators.base import DistanceEstimator

# Those that need no more than distances.
KINDS = [
    kind
    for kind in registry.kinds("estimators")
    if isinstance(estimators.load(kind), DistanceEstimator)
]
OF_SPECTRA = ["gaussian_process", "partial_least_squares"]
TEN_DQ = np.round(np.arange(0.0, 2.51, 0.1), 9)
SLATER = np.array([0.7, 0.8, 0.9])


def table(valences=(2.0, 3.0), ten_dq=TEN_DQ, slater=SLATER):
    """Parameters of a library that is the product of three axes."""
    axes = np.meshgrid(valences, ten_dq, slater, indexing="ij")
    names = ("valence", "ten_dq", "slater_reduction")
    return {name: axis.ravel() for name, axis in zip(names, axes, strict=True)}


def squared(library, valence, ten_dq, slater=0.8, rest=0.01):
    """Squared distances that are a quadratic form, its axes inclined, about the truth."""
    x, y = library["ten_dq"] - ten_dq, 2 * (library["slater_reduction"] - slater)
    return rest + x**2 + y**2 + 1.2 * x * y + 5 * (library["valence"] != valence)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def library():
    return table()


def predict(kind, library, rows, order=2, **parameters):
    estimator = estimators.load(kind, **parameters).fit(library_of(library), order)
    return estimator.predict(Comparison(np.stack(rows)))


def test_the_kinds_are_found():
    assert {"k_nearest", "kernel_regression", "nearest", "profile"} <= {*KINDS}
    assert {"gaussian_process", "partial_least_squares"} <= {*OF_SPECTRA}


def test_every_query_gets_one_estimate_per_valence(kind, library):
    found = predict(kind, library, [squared(library, 2, 0.9), squared(library, 3, 1.7)])
    assert found.valence.tolist() == [2, 3]
    np.testing.assert_allclose(found.ten_dq, [0.9, 1.7], atol=0.1)
    assert found.parameters["ten_dq"].shape == found.distance.shape == (2, 2)
    np.testing.assert_array_equal(library["valence"][found.match], [[2, 3], [2, 3]])
    np.testing.assert_array_equal(
        found.ten_dq, found.parameters["ten_dq"][np.arange(2), (found.valence == 3).astype(int)]
    )


def test_the_match_is_the_nearest_of_its_valence(kind, library, rng):
    distance = rng.uniform(size=(5, len(library["valence"])))
    found = predict(kind, library, distance)
    for column, valence in enumerate((2, 3)):
        masked = np.where(library["valence"] == valence, distance, np.inf)
        np.testing.assert_array_equal(found.match[:, column], masked.argmin(1))
        np.testing.assert_array_equal(found.distance[:, column], masked.min(1))


def test_what_the_distances_mean_is_not_changed_by_their_order(kind, library):
    rows = np.stack([squared(library, 2, 0.93), squared(library, 3, 1.72)])
    one, two = predict(kind, library, np.sqrt(rows), 1), predict(kind, library, rows, 2)
    np.testing.assert_allclose(one.ten_dq, two.ten_dq, atol=1e-12)
    np.testing.assert_array_equal(one.valence, two.valence)


def test_neither_scale_nor_order_of_the_library_matters(kind, library, rng):
    rows = np.stack([squared(library, 2, 0.93), squared(library, 3, 1.72)])
    mixed = rng.permutation(rows.shape[1])
    other = {name: values[mixed] for name, values in library.items()}
    found, expected = predict(kind, other, 7 * rows[:, mixed]), predict(kind, library, rows)
    np.testing.assert_allclose(found.ten_dq, expected.ten_dq, atol=1e-9)


def test_library_spectra_at_infinity_are_left_out(kind, library):
    distance = squared(library, 2, 0.9)
    own = (library["valence"] == 2) & np.isclose(library["ten_dq"], 0.9)
    found = predict(kind, library, [np.where(own, np.inf, distance)])
    kept = {name: values[~own] for name, values in library.items()}
    expected = predict(kind, kept, [distance[~own]])
    np.testing.assert_allclose(found.ten_dq, expected.ten_dq, atol=1e-12)
    np.testing.assert_allclose(found.distance, expected.distance)
    assert not own[found.match].any()


def test_a_library_spectrum_itself_is_found(kind, library):
    # Zero distance is no division by zero.
    found = predict(kind, library, [squared(library, 3, 1.2, 0.7, rest=0.0)])
    assert found.valence == 3
    # A kernel has a width.
    near = 0.03 if kind == "kernel_regression" else 1e-4
    np.testing.assert_allclose(found.ten_dq, 1.2, atol=near)


@pytest.mark.parametrize(
    "small",
    [
        table(valences=[3.0]),
        table(ten_dq=[1.2]),
        table(valences=[3.0], ten_dq=[1.2], slater=[0.8]),
        table(ten_dq=[1.1, 1.2], slater=[0.8]),
        table(slater=[0.8]),
    ],
)
def test_small_libraries_do(kind, small):
    found = predict(kind, small, [squared(small, 3, 1.2)])
    assert found.valence == 3
    np.testing.assert_allclose(found.ten_dq, 1.2, atol=0.1)


def test_an_estimator_is_cloned_with_its_parameters(kind):
    estimator = estimators.load(kind)
    assert clone(estimator).get_params() == estimator.get_params()


def test_unknown_kinds_and_parameters_are_refused():
    with pytest.raises(InputError, match="did you mean 'nearest'"):
        estimators.load("neares")
    with pytest.raises(InputError, match="no parameter 'k'; it has neighbors"):
        estimators.load("k_nearest", k=3)
    with pytest.raises(InputError, match="at least 1"):
        predict("k_nearest", table(), [squared(table(), 2, 1.0)], neighbors=0)


def test_nearest_says_a_grid_value(library):
    found = predict("nearest", library, [squared(library, 2, 0.93)])
    assert found.ten_dq == 0.9


@pytest.mark.parametrize("truth", [0.31, 0.95, 1.2345, 2.0])
def test_profile_is_exact_on_a_quadratic_profile(truth):
    library = table(slater=[0.8])
    found = predict("profile", library, [squared(library, 2, truth)], reach=0.3)
    assert found.ten_dq.item() == pytest.approx(truth, abs=1e-9)


def test_profile_takes_the_least_over_all_other_axes(library):
    widths = {name: np.tile(values, 2) for name, values in library.items()}
    near = squared(library, 2, 1.234)
    found = predict("profile", widths, [np.concatenate([near + 0.3, near])])
    assert found.ten_dq.item() == pytest.approx(1.234, abs=1e-9)


def test_profile_works_on_an_irregular_grid():
    library = table(ten_dq=[0.0, 0.5, 0.9, 1.0, 1.1, 2.5])
    found = predict("profile", library, [squared(library, 2, 0.97)])
    assert found.ten_dq.item() == pytest.approx(0.97, abs=1e-9)
    # The next values count whatever their distance, but none beyond.
    far = squared(library, 2, 0.97) + 3 * (np.abs(library["ten_dq"] - 1.0) > 0.2)
    assert predict("profile", library, [far]).ten_dq.item() == pytest.approx(0.97, abs=1e-9)


@pytest.mark.parametrize("truth", [0.75, 0.8, 0.86])
def test_profile_reads_other_axes_between_their_values_too(truth, library):
    away = 5 * (library["valence"] != 2)
    row = (library["ten_dq"] - 1.23) ** 2 + (library["slater_reduction"] - truth) ** 2 + away
    found = predict("profile", library, [row])
    assert found.parameters["slater_reduction"][0, 0] == pytest.approx(truth, abs=1e-9)
    assert found.ten_dq.item() == pytest.approx(1.23, abs=1e-9)


def test_profile_leaves_widths_to_the_match(library):
    widths = library | {"gaussian_sigma": np.tile([0.1, 0.2, 0.4], len(TEN_DQ) * 2)}
    found = predict("profile", widths, [squared(widths, 2, 1.23, 0.83)])
    assert found.parameters["gaussian_sigma"][0, 0] == 0.2


@pytest.mark.parametrize("truth", [-0.4, 2.9])
def test_profile_stays_in_the_library(truth, library):
    found = predict("profile", library, [squared(library, 2, truth)])
    assert TEN_DQ[0] <= found.ten_dq.item() <= TEN_DQ[-1]


def test_profile_without_a_minimum_says_the_nearest(library):
    surface = squared(library, 2, 0.9)
    ridge = np.where(library["valence"] == 2, -((library["ten_dq"] - 0.5) ** 2) + 9, 99)
    found = predict("profile", library, [surface, ridge])
    assert found.ten_dq[1] == 2.5


@pytest.mark.parametrize("neighbors", [1, 4, 10])
def test_k_nearest_agrees_with_scikit_learn(neighbors, library, rng):
    distance = rng.uniform(0.1, 1, size=(20, len(library["valence"])))
    found = predict("k_nearest", library, distance, 1, neighbors=neighbors)
    for column, valence in enumerate((2, 3)):
        rows = np.flatnonzero(library["valence"] == valence)
        model = KNeighborsRegressor(neighbors, weights="distance", metric="precomputed")
        for name in ("ten_dq", "slater_reduction"):
            model.fit(np.zeros((len(rows), len(rows))), library[name][rows])
            expected = model.predict(distance[:, rows])
            np.testing.assert_allclose(found.parameters[name][:, column], expected)


@pytest.mark.parametrize("order", [1, 2])
def test_kernel_regression_is_the_mean_by_similarity(order, library, rng):
    distance = rng.uniform(0.1, 1, size=(4, len(library["valence"])))
    found = predict("kernel_regression", library, distance, order, bandwidth=0.3)
    rows = library["valence"] == 3
    similarity = np.exp(-(distance[:, rows] ** (2 / order)) / (2 * 0.3**2))
    for name in ("ten_dq", "slater_reduction"):
        expected = similarity @ library[name][rows] / similarity.sum(1)
        np.testing.assert_allclose(found.parameters[name][:, 1], expected)


def test_noise_that_is_common_to_all_distances_leaves_kernel_regression_as_it_is(library):
    row = squared(library, 2, 0.93)
    found = predict("kernel_regression", library, [row, row + 3.0])
    np.testing.assert_allclose(found.ten_dq[1], found.ten_dq[0], rtol=1e-9)


def test_much_noise_makes_kernel_regression_the_mean_of_the_posterior(library):
    """Of 100 points whose noise adds up to 4: likelihoods are exp(-excess / (2 * 4 / 100))."""
    row = squared(library, 2, 0.05, rest=4.0)
    known = replace(library_of(library), energy=np.arange(100.0))
    found = estimators.load("kernel_regression").fit(known, 2).predict(Comparison(row[None]))
    rows = library["valence"] == 2
    likelihood = np.exp(-(row[rows] - row[rows].min()) / (2 * row[rows].min() / 100))
    expected = likelihood @ library["ten_dq"][rows] / likelihood.sum()
    np.testing.assert_allclose(found.ten_dq, expected)
    # Near the end of the library the mean of the nearest few is another.
    plain = predict("kernel_regression", library, [row])
    assert abs(plain.ten_dq[0] - expected) > 0.02


def test_a_bandwidth_that_makes_no_sense_is_refused(library):
    for wrong in ({"neighbors": 1}, {"bandwidth": -0.1}):
        with pytest.raises(InputError, match="must be at least 2 and 0"):
            predict("kernel_regression", library, [squared(library, 2, 1.0)], **wrong)


def test_k_nearest_outvotes_a_lone_neighbour():
    library = {
        "valence": [2, 3, 3, 3],
        "ten_dq": [0.5, 1.0, 1.1, 1.2],
        "slater_reduction": [1] * 4,
    }
    found = predict("k_nearest", library, [np.array([0.9, 1.0, 1.0, 1.0])], 1, neighbors=4)
    assert found.valence == 3
    assert found.ten_dq.item() == pytest.approx(1.1)
    assert predict("nearest", library, [np.array([0.9, 1.0, 1.0, 1.0])], 1).valence == 2


def with_reference(library, valence, ten_dq=np.nan):
    """The library with one measured reference more, the last."""
    longer = {
        name: np.append(values, {"valence": valence, "ten_dq": ten_dq}.get(name, np.nan))
        for name, values in library.items()
    }
    return longer | {"is_reference": np.append(np.zeros(len(library["valence"])), 1)}


def test_a_reference_decides_the_valence_and_simulations_the_ten_dq(kind, library):
    # By the simulations alone it would be valence 2.
    row = squared(library, 3, 1.7) + 9 * (library["valence"] == 3)
    assert predict(kind, library, [row]).valence == 2
    found = predict(kind, with_reference(library, 3), [np.append(row, 1e-6)])
    assert found.valence == 3
    assert found.of_chosen(found.match) == len(row)
    own = predict(kind, library, [row]).parameters["ten_dq"][0, 1]
    np.testing.assert_allclose(found.ten_dq, own, rtol=1e-12)


def test_a_reference_that_is_far_changes_nothing(kind, library):
    row = squared(library, 2, 0.93)
    found = predict(kind, with_reference(library, 3), [np.append(row, 50.0)])
    expected = predict(kind, library, [row])
    for name in ("valence", "ten_dq", "match", "distance"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name, values in found.parameters.items():
        np.testing.assert_array_equal(values, expected.parameters[name], name)


def test_a_reference_of_known_ten_dq_answers_with_it_where_it_is_the_nearest(kind, library):
    longer = with_reference(library, 3, 1.234)
    near, far = (np.append(squared(library, 3, 1.7), distance) for distance in (1e-6, 50.0))
    found = predict(kind, longer, [near, far])
    assert found.valence.tolist() == [3, 3]
    assert found.ten_dq[0] == 1.234
    alone = predict(kind, library, [far[:-1]]).ten_dq[0]
    # Weighted sums of one term more may be rounded otherwise.
    assert found.ten_dq[1] == pytest.approx(alone, rel=1e-14)


def test_a_valence_that_only_a_reference_has_gets_no_ten_dq(kind, library):
    found = predict(kind, with_reference(library, 4), [np.append(squared(library, 3, 1.7), 1e-6)])
    assert found.valence == 4
    assert np.isnan(found.ten_dq).all()
    np.testing.assert_allclose(found.parameters["ten_dq"][0, 1], 1.7, atol=0.1)
    assert np.isnan(found.parameters["ten_dq"][0, 2])


def test_a_library_without_any_ten_dq_still_tells_the_valence(kind, library):
    unknown = library | {"ten_dq": np.full(len(library["ten_dq"]), np.nan)}
    found = predict(kind, unknown, [squared(library, 3, 1.7)])
    assert found.valence == 3
    assert np.isnan(found.parameters["ten_dq"]).all()


def test_a_simulation_whose_ten_dq_is_not_known_has_none_to_tell(kind, library):
    row = squared(library, 3, 1.7)
    ten_dq = library["ten_dq"].copy()
    ten_dq[row.argmin()] = np.nan
    found = predict(kind, library | {"ten_dq": ten_dq}, [row])
    assert found.valence == 3
    assert np.isnan(found.ten_dq).all()
    assert np.isfinite(found.parameters["ten_dq"][0, 0])
