"""Records of known energy error come back to the library's axis, with the documented sign."""

import numpy as np
import pytest

from whiteline import contracts, estimators, measures
from whiteline.alignment import correlate, search_steps, window
from whiteline.distances import aligned_distances
from whiteline.errors import InputError
from whiteline.placing import UNKNOWN_AXIS
from whiteline.queries import SHOWN, prepare_queries

BACKGROUND = {"kind": "constant", "window": [-6.0, -3.0]}
PREPARATION = {"background": BACKGROUND, "continuum": "none", "normalisation": "area"}
# The library's axis is met within this, eV: a twentieth of its step.
AXIS = 0.005


def total_shift(queries, library):
    """Shift of the prepared and aligned queries that is to be added to the recorded energies, eV.

    Found as the stages do it: alignment, distances, nearest library spectrum.
    """
    energy = library["energy"].values
    limit = search_steps(queries["energy_uncertainty"].values, 0.1)
    rows = queries["intensity"].values, library["intensity"].values
    shift, _ = correlate(*rows, limit)
    distance = aligned_distances(measures.load("correlation"), *rows, shift, energy)
    estimator = estimators.load("nearest").fit(estimators.Library.of(library), order=2)
    found = estimator.predict(estimators.Comparison(distance, 0.1 * shift))
    np.testing.assert_array_equal(found.valence, queries["valence"])
    return queries["energy_shift"].values + found.of_chosen(found.parameters["energy_shift"])


@pytest.mark.parametrize("error", [1.5, -2.3, 0.04])
def test_the_shift_is_what_must_be_added_to_the_recorded_energies(error, library, record, prepare):
    recorded = record(moved={"energy_uncertainty": 3.0, "disturb": {"energy_shift": error}})
    found = total_shift(prepare(recorded), library)
    # 10Dq lies off the library's grid by up to 0.05 eV, for which a shift can make up.
    np.testing.assert_allclose(found, -error, atol=0.1)


@pytest.mark.parametrize("error", [0.0, 0.7, -2.2])
def test_library_spectra_are_found_within_a_small_part_of_a_step(error, library, record, prepare):
    disturb = {"energy_shift": error}
    recorded = record(on_grid={"tier": "a", "energy_uncertainty": 3.0, "disturb": disturb})
    np.testing.assert_allclose(total_shift(prepare(recorded), library), -error, atol=AXIS)


@pytest.mark.parametrize("error", [1.53, -0.05])
def test_an_error_between_two_steps_is_found_as_well(error, library, record, prepare):
    disturb = {"energy_shift": error}
    recorded = record(on_grid={"tier": "a", "energy_uncertainty": 3.0, "disturb": disturb})
    np.testing.assert_allclose(total_shift(prepare(recorded), library), -error, atol=AXIS)


def test_a_spectrum_is_prepared_alike_whatever_stands_beside_it(library, record, prepare):
    one = {"spectra": 3, "disturb": {"background": 0.1}}
    points = library.sizes["energy"]
    alone = prepare(record(one=one))["intensity"].values
    wide = prepare(record(one=one, other={"energy_uncertainty": 4.0}))["intensity"].values[:3]
    np.testing.assert_allclose(window(wide, 0, points), window(alone, 0, points), rtol=1e-9)


def test_an_unknown_axis_is_aligned_on_the_onset(library, record, prepare):
    recorded = record(far={"disturb": {"energy_shift": 11.0}})
    recorded["energy_uncertainty"][:] = np.nan
    queries = prepare(recorded)
    assert (queries["energy_uncertainty"] == UNKNOWN_AXIS).all()
    np.testing.assert_allclose(queries["energy_shift"], -11.0, atol=2.5)
    np.testing.assert_allclose(total_shift(queries, library), -11.0, atol=0.05)


def test_a_reference_sets_the_zero_of_all(library, record, prepare):
    recorded = record(on_grid={"tier": "a", "disturb": {"energy_shift": 6.2}})
    chosen = {"id": "on_grid_000", "ion": str(recorded["ion"].values[0])}
    queries = prepare(recorded, chosen)
    # Each may still be off the grid by the part of a step that it is found to be off.
    np.testing.assert_allclose(queries["energy_shift"], -6.2, atol=0.05 + AXIS)
    np.testing.assert_allclose(total_shift(queries, library), -6.2, atol=AXIS)


def test_an_exact_axis_is_taken_at_its_word(record, prepare):
    queries = prepare(record(exact={"energy_uncertainty": 0.0, "disturb": {"energy_shift": 0.13}}))
    assert (queries["energy_shift"] == 0).all()


def test_prepared_records_lie_on_the_librarys_grid_and_look_like_it(library, record, prepare):
    recorded = record(exact={"tier": "a", "spectra": 10, "energy_uncertainty": 0.0})
    queries = prepare(recorded)
    np.testing.assert_allclose(queries["energy"][1:-1], library["energy"])
    parameters = ("ten_dq", "slater_reduction", "gaussian_sigma", "valence")
    for row in range(10):
        same = np.all([library[n].values == queries[n].values[row] for n in parameters], axis=0)
        (own,) = library["intensity"].values[same]
        correlation = np.corrcoef(queries["intensity"].values[row, 1:-1], own)[0, 1]
        # What is left is linear interpolation between points of the record.
        assert correlation > 0.9995


def test_the_labels_are_kept(record, prepare):
    recorded = record(noise={"vary": {"snr": [np.inf, 20.0]}})
    queries = prepare(recorded)
    for name in ("id", "ion", "ten_dq", "scenario", "level", "leave_out"):
        np.testing.assert_array_equal(queries[name], recorded[name])


def test_one_record_is_enough(record, prepare):
    assert prepare(record(one={"spectra": 1})).sizes["spectrum"] == 1


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda e: e - 300, "'one_000': the energies .* miss the edge"),
        (lambda e: 852 + 0.3 * (e - 852), "'one_000': its energies .* cover"),
    ],
)
def test_a_record_that_cannot_be_prepared_is_named(spoil, message, record, prepare):
    recorded = record(one={"spectra": 1})
    recorded["energy"] = recorded["energy"].copy(data=spoil(recorded["energy"].values))
    with pytest.raises(InputError, match=message):
        prepare(recorded)


def test_an_unknown_reference_is_refused(record, prepare):
    with pytest.raises(InputError, match=r"no spectrum 'x'; there are one_000"):
        prepare(record(one={"spectra": 1}), {"id": "x", "ion": "Ni2+"})


def test_the_search_is_not_cut_short_by_rounding():
    # 0.3 / 0.1 is 2.9999999999999996.
    assert search_steps(np.array([0.0, 0.09, 0.1, 0.3, 0.35]), 0.1).tolist() == [0, 0, 1, 3, 3]


def test_the_result_keeps_its_contract(tmp_path, record, prepare):
    contracts.write(prepare(record(one={"spectra": 1})), tmp_path / "x.nc")


@pytest.mark.parametrize("alignment", ["onset", "maximum", "centroid", "correlation"])
def test_every_alignment_finds_an_unknown_axis(alignment, library, record):
    recorded = record(far={"disturb": {"energy_shift": 11.0, "background": 0.05}})
    recorded["energy_uncertainty"][:] = np.nan
    queries, _ = prepare_queries(recorded, library, PREPARATION | {"alignment": alignment}, None)
    np.testing.assert_allclose(queries["energy_shift"], -11.0, atol=2.5)


def test_an_axis_is_left_alone_where_that_is_wished(library, record):
    recorded = record(far={"disturb": {"energy_shift": 1.0}})
    recorded["energy_uncertainty"][:] = np.nan
    queries, _ = prepare_queries(recorded, library, PREPARATION | {"alignment": "none"}, None)
    # The search then finds the part of a step.
    np.testing.assert_allclose(queries["energy_shift"], 0.0, atol=0.051)


def test_the_steps_add_up_to_the_record(library, record):
    recorded = record(one={"spectra": 60, "disturb": {"background": 0.1}})
    glitch = PREPARATION | {"continuum": "two_step_line", "glitches": {"ranges": [[845.0, 846.0]]}}
    queries, steps = prepare_queries(recorded, library, glitch, None)
    assert queries.sizes["spectrum"] == 60
    assert steps["id"].values.tolist() == queries["id"].values[:SHOWN].tolist()
    kept = steps["masked"].values == 0
    whole = steps["signal"] + steps["background"] + steps["continuum"]
    np.testing.assert_allclose(whole.values[kept], steps["intensity"].values[kept], atol=1e-12)
    energy = steps["energy"].values
    np.testing.assert_array_equal(~kept, (energy >= 845.0) & (energy <= 846.0))


def test_glitches_are_told_in_the_log(library, record, capsys):
    recorded = record(one={"spectra": 2})
    recorded["intensity"].values[100] += 1.0
    prepare_queries(recorded, library, PREPARATION | {"glitches": {"threshold": 8.0}}, None)
    assert capsys.readouterr().out == "spectrum 'one_000': 1 point masked as a glitch\n"
