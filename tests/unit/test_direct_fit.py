"""The forward model against the stages, and the fit with it against known truth."""

from dataclasses import replace

import numpy as np
import pytest

from whiteline import estimators, measures
from whiteline.alignment import correlate, search_steps
from whiteline.distances import aligned_distances
from whiteline.errors import InputError
from whiteline.estimators import Comparison, Library
from whiteline.forward import ForwardModel

UNLIKE = {
    "slater_reduction": [0.72, 0.88],
    "lorentzian_hwhm_l3": [0.18, 0.32],
    "lorentzian_hwhm_l2": [0.25, 0.4],
    "gaussian_sigma": [0.15, 0.35],
}


@pytest.fixture(scope="module")
def compare(library, record, prepare):
    """Queries of scenarios, and their comparison with the library by correlation."""

    def compared(**scenarios):
        queries = prepare(record(**scenarios))
        rows = queries["intensity"].values, library["intensity"].values
        uncertainty = queries["energy_uncertainty"].values
        shift, _ = correlate(*rows, search_steps(uncertainty, 0.1))
        measure = measures.load("correlation")
        distance = aligned_distances(measure, *rows, shift, library["energy"].values)
        return queries, Comparison(distance, 0.1 * shift, rows[0], 0.1, uncertainty)

    return compared


@pytest.fixture(scope="module")
def fitted(library):
    def fit(comparison, **parameters):
        estimator = estimators.load("direct_fit", **parameters)
        return estimator.fit(Library.of(library), order=2).predict(comparison)

    return fit


def chosen(found, name):
    return found.of_chosen(found.parameters[name])


@pytest.mark.parametrize("row", [0, 40, 150])
def test_the_forward_model_is_the_library(row, library):
    """But for scale and background, which preparing a library changes."""
    known = Library.of(library)
    values = {name: column[row] for name, column in known.parameters.items()}
    model = ForwardModel(known.ion[row], "Oh", known.axis_zero[row], known.energy)
    line = np.stack([model(values), np.ones(len(known.energy))], axis=1)
    factors = np.linalg.lstsq(line, known.intensity[row], rcond=None)[0]
    np.testing.assert_allclose(
        line @ factors, known.intensity[row], atol=1e-6 * known.intensity[row].max()
    )


def test_a_shifted_spectrum_lies_higher():
    grid = np.arange(844.0, 884.0, 0.1)
    model = ForwardModel("Ni2+", "Oh", 856.0, grid)
    values = {"ten_dq": 1.0, "slater_reduction": 0.8, "gaussian_sigma": 0.2}
    values |= {"lorentzian_hwhm_l3": 0.2, "lorentzian_hwhm_l2": 0.3}
    moved = model(values | {"energy_shift": 0.5})
    np.testing.assert_allclose(moved[5:], model(values)[:-5], atol=1e-6 * moved.max())


def test_all_parameters_of_clean_spectra_are_found(compare, fitted):
    """Off the grid in every one of them, and on an axis that reads wrong."""
    queries, comparison = compare(
        clean={"draw": UNLIKE, "energy_uncertainty": 2.0, "disturb": {"energy_shift": [-1.5, 1.5]}}
    )
    found = fitted(comparison)
    np.testing.assert_array_equal(found.valence, queries["valence"])
    np.testing.assert_allclose(found.ten_dq, queries["ten_dq"], atol=2e-3)
    for name in UNLIKE:
        np.testing.assert_allclose(chosen(found, name), queries[name], atol=1e-2, err_msg=name)
    pd = chosen(found, "slater_reduction_pd")
    np.testing.assert_array_equal(pd, chosen(found, "slater_reduction"))


def test_the_shift_is_what_must_be_added_to_the_axis(compare, fitted):
    queries, comparison = compare(
        moved={"draw": UNLIKE, "energy_uncertainty": 2.0, "disturb": {"energy_shift": 0.73}}
    )
    total = queries["energy_shift"].values + chosen(fitted(comparison), "energy_shift")
    np.testing.assert_allclose(total, -0.73, atol=5e-3)


def test_errors_grow_with_the_noise(compare, fitted):
    """A least-squares fit without bias errs in proportion to the noise."""
    errors = []
    for snr in (300, 3000):
        queries, comparison = compare(
            noisy={"draw": UNLIKE, "spectra": 15, "disturb": {"snr": snr}}
        )
        errors.append(np.abs(fitted(comparison).ten_dq - queries["ten_dq"].values).mean())
    assert 6 < errors[0] / errors[1] < 16
    assert errors[1] < 3e-3


def test_a_calibrated_axis_is_not_moved(compare, fitted):
    _, comparison = compare(still={"energy_uncertainty": 0.0})
    assert (chosen(fitted(comparison), "energy_shift") == 0).all()


def test_a_valence_that_is_out_of_question_is_not_fitted(compare, fitted, library):
    _, comparison = compare(clean={"spectra": 2})
    found = fitted(comparison, rivals=1.0)
    known = Library.of(library)
    for query, best in enumerate(found.chosen):
        other = 1 - best
        row = found.match[query, other]
        assert found.parameters["ten_dq"][query, other] == known.ten_dq[row]


def test_more_starts_do_no_harm(compare, fitted):
    queries, comparison = compare(clean={"spectra": 3, "draw": UNLIKE})
    found = fitted(comparison, starts=2)
    np.testing.assert_allclose(found.ten_dq, queries["ten_dq"], atol=2e-3)


def test_a_library_without_widths_is_refused(compare, library):
    known = Library.of(library)
    unknown = dict.fromkeys(("gaussian_sigma",), np.full(len(known.valence), np.nan))
    blind = replace(known, parameters={**known.parameters, **unknown})
    _, comparison = compare(clean={"spectra": 1})
    with pytest.raises(InputError, match="needs the line widths"):
        estimators.load("direct_fit").fit(blind, order=2).predict(comparison)
