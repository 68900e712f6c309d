"""The stages from preparation to scores, called as plain functions on files."""

import numpy as np
import pandas as pd
import pytest

from align_queries import align_queries
from compute_distances import compute_distances
from estimate_parameters import estimate_parameters
from preprocess_queries import preprocess_queries
from score_estimates import score_estimates
from select_map import select_map
from whiteline import contracts, registry
from whiteline.estimation.answers import left_out

BACKGROUND = {"kind": "constant", "window": [-6.0, -3.0]}
DISTURB = {"snr": [20, 200], "energy_shift": [1.4, 1.6]}
SCENARIOS = {
    "grid": {"tier": "a", "spectra": 8},
    "shifted": {"spectra": 30, "energy_uncertainty": 3.0, "disturb": DISTURB},
    "known": {"spectra": 40, "energy_uncertainty": 3.0, "disturb": DISTURB},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, library_path, record):
    """Preprocessed scenarios, their shifts and distances."""
    folder = tmp_path_factory.mktemp("stages")
    contracts.write(record(**SCENARIOS), folder / "recorded.nc")
    library, queries, shifts = (
        str(path) for path in (library_path, folder / "queries.nc", folder / "shifts.nc")
    )
    preprocess_queries(
        recorded=str(folder / "recorded.nc"),
        library=library,
        spectra=queries,
        steps=str(folder / "steps.nc"),
        preparation={"background": BACKGROUND, "continuum": "none", "normalisation": "area"},
        energy_reference=None,
        on_error="stop",
    )
    align_queries(queries=queries, library=library, shifts=shifts)
    compute_distances(
        queries=queries,
        library=library,
        shifts=shifts,
        distances=str(folder / "distances.nc"),
        kind="correlation",
        parameters={},
        seed=0,
    )
    return folder


@pytest.fixture(scope="module")
def estimate(folder, library_path):
    """Writes and reads the estimates of a kind."""

    def run(kind="profile", calibration="known"):
        path = folder / f"{kind}_{calibration}.nc"
        queries, distances = str(folder / "queries.nc"), str(folder / "distances.nc")
        estimate_parameters(
            queries=[queries],
            library=str(library_path),
            shifts=[str(folder / "shifts.nc")],
            distances=[distances],
            calibration_queries=[queries] if calibration else [],
            calibration_shifts=[str(folder / "shifts.nc")] if calibration else [],
            calibration_distances=[distances] if calibration else [],
            estimates=[str(path)],
            kinds=[{"kind": kind, "parameters": {}}],
            calibration=calibration,
        )
        return contracts.read(path, "estimates")

    return run


@pytest.fixture(scope="module")
def queries(folder):
    return contracts.read(folder / "queries.nc", "spectra")


def of(queries, scenario):
    return queries["scenario"].values == scenario


@pytest.mark.parametrize("kind", registry.kinds("estimators"))
def test_an_axis_that_reads_1_5_ev_too_high_is_told_to_move_down(kind, estimate, queries):
    found = estimate(kind)["energy_shift"].values[of(queries, "shifted")]
    np.testing.assert_allclose(found, -1.5, atol=0.2)


@pytest.mark.parametrize("kind", registry.kinds("estimators"))
def test_valence_and_ten_dq_are_found(kind, estimate, queries):
    found, rows = estimate(kind), of(queries, "shifted")
    assert (found["valence"].values == queries["valence"].values)[rows].mean() > 0.95
    error = (found["ten_dq"].values - queries["ten_dq"].values)[rows]
    # The grid's step is 0.1 eV.
    assert np.median(np.abs(error)) < 0.1


def test_library_spectra_are_left_out_for_grid_queries_alone(library, queries):
    distance = np.ones((queries.sizes["spectrum"], library.sizes["spectrum"]))
    hidden = np.isinf(left_out(distance, queries, library))
    rows = of(queries, "grid")
    assert not hidden[~rows].any()
    for row in np.flatnonzero(rows):
        columns = library.isel(spectrum=hidden[row])
        assert set(columns["ion"].values) == {queries["ion"].values[row]}
        np.testing.assert_allclose(columns["ten_dq"], queries["ten_dq"].values[row])
        # Three Slater reductions at two widths.
        assert columns.sizes["spectrum"] == 6


def test_a_query_with_unknown_parameters_leaves_nothing_out(library, queries):
    unknown = queries.copy(deep=True)
    unknown["ten_dq"][:] = np.nan
    unknown["leave_out"][:] = 1
    distance = np.ones((queries.sizes["spectrum"], library.sizes["spectrum"]))
    assert np.isfinite(left_out(distance, unknown, library)).all()


def test_the_nearest_of_a_grid_query_is_another_10dq(estimate, queries, library):
    found, rows = estimate("nearest"), of(queries, "grid")
    match = found["candidate_match"].values[rows, (found["valence"].values[rows] == 3).astype(int)]
    assert (library["ten_dq"].values[match] != queries["ten_dq"].values[rows]).all()


def test_the_calibration_leaves_out_what_its_estimates_leave_out(estimate, queries):
    estimates = estimate("nearest", "grid")
    rows = of(queries, "grid")
    # Half widths of 10Dq estimates that miss the truth by at least a step.
    width = estimates["ten_dq_upper"].values[rows, 1] - estimates["ten_dq"].values[rows]
    at_end = estimates["ten_dq_upper"].values[rows, 1] == 1.8
    assert ((width >= 0.1 - 1e-9) | at_end).all()


def test_of_the_calibration_spectra_none_or_one_is_outside(estimate, queries):
    for kind in registry.kinds("estimators"):
        assert estimate(kind)["outside_library"].values[of(queries, "known")].sum() <= 1


def test_intervals_are_nested_and_within_the_library(estimate):
    found = estimate()
    lower, upper = found["ten_dq_lower"].values, found["ten_dq_upper"].values
    ten_dq = found["ten_dq"].values[:, None]
    assert (lower >= 0.6).all()
    assert (upper <= 1.8).all()
    assert (lower <= ten_dq).all()
    assert (ten_dq <= upper).all()
    assert (np.diff(lower) <= 0).all()
    assert (np.diff(upper) >= 0).all()


@pytest.mark.parametrize("kind", registry.kinds("estimators"))
def test_the_chosen_valence_and_the_nearest_fit_and_no_other_where_much_is_known(
    kind, estimate, queries
):
    found = estimate(kind)
    fits = found["candidate_fits"].values == 1
    rows, nearest = np.arange(len(fits)), found["candidate_distance"].values.argmin(1)
    chosen = found["candidate"].values == found["valence"].values[:, None]
    assert (fits | ~chosen).all()
    assert fits[rows, nearest].all()
    # Where a width has too few calibration spectra, the interval is the whole range, and all fit.
    claimed = np.ptp([found["ten_dq_lower"][:, 1], found["ten_dq_upper"][:, 1]], axis=0) < 1.2
    claimed &= of(queries, "shifted")
    assert claimed.any()
    assert fits[claimed].sum(1).mean() < 1.2


def test_without_calibration_there_are_no_intervals(estimate):
    found = estimate(calibration=None)
    assert np.isnan(found["ten_dq_lower"]).all()
    assert np.isnan(found["ten_dq_upper"]).all()
    assert (found["outside_library"] == 0).all()


def test_scores_stand_beside_baselines_and_without_the_calibration(folder, estimate, library_path):
    for kind in ("nearest", "profile"):
        estimate(kind)
    score_estimates(
        queries=str(folder / "queries.nc"),
        library=str(library_path),
        estimates=[str(folder / f"{kind}_known.nc") for kind in ("nearest", "profile")],
        scores=str(folder / "scores.csv"),
        errors_table=str(folder / "errors.csv"),
        names=[("correlation", "nearest"), ("correlation", "profile")],
        labels={"library": "ni", "preprocessing": "standard"},
        calibration="known",
        tiers={"grid": "a", "shifted": "c", "known": "c"},
        seed=0,
    )
    scores = pd.read_csv(folder / "scores.csv")
    leading = ["library", "preprocessing", "measure", "estimator", "tier", "scenario", "level"]
    assert scores.columns[:7].tolist() == leading
    assert set(scores["scenario"]) == {"grid", "shifted"}
    mean = scores[scores["scenario"] == "shifted"].set_index("estimator")["ten_dq_mae"]
    assert mean["profile"] < mean["library_mean"] < 1
    assert set(mean.index) == {"nearest", "profile", "library_mean", "random"}
    table = pd.read_csv(folder / "errors.csv")
    assert len(table) == 2 * (8 + 30 + 40)
    by_hand = table[(table["estimator"] == "nearest") & (table["scenario"] == "shifted")]
    assert mean["nearest"] == pytest.approx(by_hand["ten_dq_error"].abs().mean(), rel=1e-5)


@pytest.mark.parametrize(("slater", "kept"), [(0.7, 0.7), (None, 0.8), (0.99, 0.9)])
def test_the_map_is_a_slice_of_one_slater_reduction_and_width(
    slater, kept, tmp_path, library, library_path, configuration
):
    path = tmp_path / "map.nc"
    select_map(
        library=str(library_path),
        spectra=str(path),
        sample=None,
        slater_reduction=slater,
        broadening=[configuration["broadening"][1]],
        energy_uncertainty=1.0,
        seed=0,
    )
    shown = contracts.read(path, "spectra")
    assert shown.sizes["spectrum"] == 2 * 13
    np.testing.assert_allclose(shown["slater_reduction"], kept)
    np.testing.assert_allclose(shown["gaussian_sigma"], 0.4)
    rows = np.isin(library["id"], shown["id"])
    # Ten steps of margin on either side, in which the ends go on.
    expected = np.pad(library["intensity"].values[rows], ((0, 0), (10, 10)), mode="edge")
    np.testing.assert_array_equal(shown["intensity"], expected)
    np.testing.assert_allclose(shown["energy"][10:-10], library["energy"])
    assert (shown["energy_uncertainty"] == 1.0).all()


def test_a_map_may_show_more_than_one_slice(tmp_path, library_path, configuration):
    path = tmp_path / "map.nc"
    select_map(
        library=str(library_path),
        spectra=str(path),
        sample=None,
        slater_reduction=[0.7, 0.9],
        broadening=configuration["broadening"],
        energy_uncertainty=0.0,
        seed=0,
    )
    shown = contracts.read(path, "spectra")
    assert shown.sizes["spectrum"] == 2 * 13 * 2 * len(configuration["broadening"])
    assert set(shown["slater_reduction"].values) == {0.7, 0.9}


@pytest.mark.parametrize(("asked", "kept"), [(20, 20), (10_000, 2 * 13 * 3 * 2)])
def test_a_map_may_be_a_sample_of_the_library(asked, kept, tmp_path, library, library_path):
    def draw(seed):
        path = tmp_path / "map.nc"
        select_map(
            library=str(library_path),
            spectra=str(path),
            sample=asked,
            slater_reduction=None,
            broadening=[],
            energy_uncertainty=0.0,
            seed=seed,
        )
        return contracts.read(path, "spectra")

    shown = draw(1)
    assert shown.sizes["spectrum"] == kept
    assert len(set(shown["id"].values)) == kept
    rows = np.isin(library["id"], shown["id"])
    np.testing.assert_array_equal(shown["intensity"], library["intensity"].values[rows])
    np.testing.assert_array_equal(draw(1)["id"], shown["id"])
    assert (draw(2)["id"].values != shown["id"].values).any() == (asked == kept)


def test_the_prepared_library_is_normalised_and_knows_its_onset(library):
    np.testing.assert_allclose(library["intensity"].sum("energy"), 1)
    energy = library["energy"].values
    peaks = energy[library["intensity"].values.argmax(1)]
    assert peaks.min() - 3 < library.attrs["onset"] < peaks.min()


def test_where_a_reference_is_the_match_nothing_is_claimed_of_ten_dq(
    folder, library, queries, estimate, tmp_path
):
    before = estimate()
    chosen = before["valence"].values == before["candidate"].values[:, None]
    matches = before["candidate_match"].values[chosen.T]
    match = np.bincount(matches).argmax()
    # The library spectrum that is matched most often passes for a measured one.
    names = contracts.dumps([str(library["id"].values[match])])
    contracts.write(library.assign_attrs(references=names), tmp_path / "library.nc")
    paths = {"queries": str(folder / "queries.nc"), "distances": str(folder / "distances.nc")}
    estimate_parameters(
        queries=[paths["queries"]],
        library=str(tmp_path / "library.nc"),
        shifts=[str(folder / "shifts.nc")],
        distances=[paths["distances"]],
        calibration_queries=[paths["queries"]],
        calibration_shifts=[str(folder / "shifts.nc")],
        calibration_distances=[paths["distances"]],
        estimates=[str(tmp_path / "estimates.nc")],
        kinds=[{"kind": "profile", "parameters": {}}],
        calibration="known",
    )
    found = contracts.read(tmp_path / "estimates.nc", "estimates")
    rows = matches == match
    np.testing.assert_array_equal(found["ten_dq_lower"].values[rows], 0.6)
    np.testing.assert_array_equal(found["ten_dq_upper"].values[rows], 1.8)
    np.testing.assert_array_equal(found["ten_dq"].values[rows], library["ten_dq"].values[match])
    # Most of the others are told within less than the whole range, as before.
    width = (found["ten_dq_upper"] - found["ten_dq_lower"]).values[~rows, 0]
    assert np.median(width) < 0.5


def test_a_stated_resolution_is_met_by_library_spectra_of_that_width_alone(library, queries):
    width = library["gaussian_sigma"].values.copy()
    width[:3] = np.nan
    reference = library.assign_coords(gaussian_sigma=("spectrum", width))
    stated = queries.assign_coords(leave_out=queries["leave_out"] * 0)
    count = stated.sizes["spectrum"]
    stated = stated.assign_coords(resolution=("spectrum", np.full(count, 0.4)))
    distance = np.zeros((count, len(width)), dtype=np.float32)
    hidden = np.isinf(left_out(distance, stated, reference))
    np.testing.assert_array_equal(hidden, np.tile(width == 0.2, (count, 1)))
    assert not np.isinf(left_out(distance, stated.drop_vars("resolution"), reference)).any()
