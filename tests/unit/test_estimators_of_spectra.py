"""Estimators that look at the spectra: the Gaussian process and partial least squares."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from sklearn.base import clone

from whiteline import estimators, measures
from whiteline.alignment import correlate, search_steps
from whiteline.distances import aligned_distances
from whiteline.errors import InputError
from whiteline.estimation.answers import comparison
from whiteline.estimators import Library

KINDS = ["gaussian_process", "partial_least_squares"]
UNLIKE = {"slater_reduction": [0.7, 0.9], "gaussian_sigma": [0.2, 0.4]}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def compare(library, prepare):
    """The comparison of records with the library, and the records prepared."""

    def compared(records, measure="correlation"):
        queries = prepare(records)
        energy, spectra = library["energy"].values, library["intensity"].values
        intensity = queries["intensity"].values
        steps = search_steps(queries["energy_uncertainty"].values, 0.1)
        shift, _ = correlate(intensity, spectra, steps)
        bound = measures.load(measure)
        distance = aligned_distances(bound, intensity, spectra, shift, energy)
        return comparison(queries, library, distance, shift * 0.1), queries

    return compared


@pytest.fixture(scope="module")
def noisy(compare, record):
    """Spectra off the grid with noise, and without."""
    scenarios = {
        "clean": {"tier": "b", "spectra": 15},
        "noisy": {"spectra": 15, "draw": UNLIKE, "disturb": {"snr": 30}},
    }
    return compare(record(**scenarios))


def rows_of(values, rows):
    return replace(
        values,
        distance=values.distance[rows],
        shift=values.shift[rows],
        intensity=values.intensity[rows],
    )


def predict(kind, library, compared, order=2, **parameters):
    fitted = estimators.load(kind, **parameters).fit(Library.of(library), order)
    return fitted.predict(compared)


def error(found, queries, name):
    return np.abs(found.of_chosen(found.parameters[name]) - queries[name].values)


def test_all_parameters_are_read_jointly(kind, library, noisy):
    compared, queries = noisy
    found = predict(kind, library, compared)
    assert (found.valence == queries["valence"].values).mean() > 0.9
    right = found.valence == queries["valence"].values
    clean = queries["scenario"].values == "clean"
    limits = {"gaussian_process": (0.03, 0.15), "partial_least_squares": (0.1, 0.3)}[kind]
    for rows, limit in zip((clean, ~clean), limits, strict=True):
        assert np.median(error(found, queries, "ten_dq")[rows & right]) < limit
        # A guess of 0.8 would be wrong by 0.05 to 0.07.
        assert np.median(error(found, queries, "slater_reduction")[rows]) < 0.04
        assert np.median(error(found, queries, "gaussian_sigma")[rows]) < 0.05


def test_the_gaussian_process_resolves_10dq_below_the_grid_step(library, noisy):
    compared, queries = noisy
    clean = np.flatnonzero(queries["scenario"].values == "clean")
    median = {
        kind: np.median(
            error(
                predict(kind, library, rows_of(compared, clean)),
                queries[{"spectrum": clean}],
                "ten_dq",
            )
        )
        for kind in ("nearest", "gaussian_process")
    }
    assert median["gaussian_process"] < median["nearest"] / 2


def test_estimates_stay_within_the_library(kind, library, noisy):
    found = predict(kind, library, noisy[0])
    for name in ("ten_dq", "slater_reduction", "gaussian_sigma"):
        values = library[name].values
        inside = (found.parameters[name] >= values.min()) & (
            found.parameters[name] <= values.max()
        )
        assert inside.all()
    np.testing.assert_array_equal(found.parameters["temperature"], 300.0)


def test_a_query_is_read_as_it_would_be_alone(kind, library, noisy):
    together = predict(kind, library, noisy[0])
    for row in (0, 20):
        alone = predict(kind, library, rows_of(noisy[0], [row]))
        np.testing.assert_allclose(alone.ten_dq[0], together.ten_dq[row], rtol=1e-9)
        assert alone.valence[0] == together.valence[row]


def test_the_same_configuration_gives_the_same_estimates(kind, library, noisy):
    one, two = (predict(kind, library, noisy[0]) for _ in range(2))
    other = predict(kind, library, noisy[0], seed=1)
    np.testing.assert_array_equal(one.ten_dq, two.ten_dq)
    assert (one.ten_dq != other.ten_dq).any()


def test_distances_decide_no_valence_for_partial_least_squares(library, noisy):
    compared, queries = noisy
    # What is nearest says the other valence.
    wrong = np.where(queries["valence"].values[:, None] == library["valence"].values, 9.0, 0.0)
    found = predict(
        "partial_least_squares", library, replace(compared, distance=compared.distance + wrong)
    )
    assert (found.valence == queries["valence"].values).mean() > 0.9
    nearest = predict("nearest", library, replace(compared, distance=compared.distance + wrong))
    assert (nearest.valence != queries["valence"].values).all()


@pytest.mark.parametrize("chosen", [slice(0, 1), slice(0, 3), slice(0, 78)])
def test_small_libraries_do(kind, library, noisy, chosen):
    small = library.isel(spectrum=chosen)
    compared = noisy[0]
    cut = replace(compared, distance=compared.distance[:, chosen], shift=compared.shift[:, chosen])
    found = predict(kind, small, cut)
    assert np.isfinite(found.ten_dq).all()
    assert (found.valence == small["valence"].values[0]).all()


def test_references_tell_the_valence_and_simulations_the_rest(kind, library, noisy):
    compared, _ = noisy
    last = library.isel(spectrum=[0])
    unknown = last.assign_coords(
        id=("spectrum", ["measured"]),
        valence=("spectrum", [4.0]),
        ten_dq=("spectrum", [np.nan], library["ten_dq"].attrs),
    )
    longer = xr.concat([library, unknown], "spectrum", combine_attrs="override")
    longer.attrs["references"] = '["measured"]'
    more = replace(
        compared,
        distance=np.column_stack([compared.distance, np.full(len(compared.distance), 5.0)]),
        shift=np.column_stack([compared.shift, compared.shift[:, 0]]),
    )
    found, own = predict(kind, longer, more), predict(kind, library, compared)
    assert np.isnan(found.parameters["ten_dq"][:, 2]).all()
    np.testing.assert_allclose(
        found.parameters["ten_dq"][:, :2], own.parameters["ten_dq"], rtol=1e-9
    )


def test_an_estimator_is_cloned_with_its_parameters(kind):
    estimator = estimators.load(kind)
    assert clone(estimator).get_params() == estimator.get_params()


def test_parameters_that_make_no_sense_are_refused(library, noisy):
    for kind, wrong in (
        ("gaussian_process", {"components": 0}),
        ("gaussian_process", {"copies": 1}),
        ("partial_least_squares", {"components": 0}),
        ("partial_least_squares", {"noise": -0.1}),
    ):
        with pytest.raises(InputError, match="must be at least"):
            predict(kind, library, noisy[0], **wrong)


@pytest.mark.parametrize("measure", ["correlation", "ensemble"])
@pytest.mark.parametrize("estimator", ["profile", "k_nearest", "kernel_regression"])
def test_several_measures_together_are_the_ensemble(estimator, measure, library, compare, record):
    scenario = {"spectra": 20, "draw": UNLIKE, "disturb": {"snr": 30}}
    compared, queries = compare(record(known=scenario), measure)
    order = measures.load(measure).facts.order
    found = predict(estimator, library, compared, order)
    assert (found.valence == queries["valence"].values).mean() > 0.9
    assert np.median(error(found, queries, "ten_dq")) < 0.1
