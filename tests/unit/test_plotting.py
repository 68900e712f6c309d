"""Figures: what they show, and that every axis says its unit."""

import numpy as np
import pandas as pd
import pytest

from whiteline import contracts, plotting
from whiteline.evaluation.ranking import rank
from whiteline.plotting import maps, style

MEASURES = [f"measure{number}" for number in range(10)]


def axis_titles(figure):
    return [axis.title.text for axis in [*figure.select_xaxes(), *figure.select_yaxes()]]


def level_scores(names, levels):
    rows = [(name, level, 0.1 + 0.01 * n, 0.9) for n, name in enumerate(names) for level in levels]
    return pd.DataFrame(rows, columns=["measure", "level", "ten_dq_mae", "valence_accuracy"])


def error_table(count=40):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"s{number}" for number in range(count)],
            "true_valence": np.resize([2.0, 3.0], count),
            "true_ten_dq": np.linspace(0, 2.5, count),
            "valence_correct": np.arange(count) % 10 > 0,
            "ten_dq_error": rng.normal(0, 0.1, count),
        }
    )


def embedding(queries):
    library = 12
    count = library + queries
    return contracts.dataset(
        "embedding",
        {
            "id": [f"x{number}" for number in range(count)],
            "ion": ["Mn2+"] * 6 + ["Mn3+"] * 6 + [""] * queries,
            "valence": [2.0] * 6 + [3.0] * 6 + [np.nan] * queries,
            "ten_dq": np.append(np.tile(np.linspace(0, 2.5, 6), 2), np.full(queries, np.nan)),
            "coordinate": np.random.default_rng(0).normal(size=(count, 2)),
            "is_query": np.repeat([0, 1], [library, queries]),
        },
    )


@pytest.mark.parametrize("name", ["error", "confusion"])
def test_the_same_figure_gives_the_same_bytes(name, tmp_path):
    draw = {
        "error": lambda: plotting.error_figure(error_table()),
        "confusion": lambda: plotting.confusion_figure(
            pd.DataFrame([[3, 1], [0, 4]], index=[2, 3], columns=[2, 3])
        ),
    }[name]
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        plotting.write(draw(), tmp_path / folder, name)
    for ending in ("png", "svg"):
        one, two = (
            (tmp_path / folder / f"{name}.{ending}").read_bytes() for folder in ("one", "two")
        )
        assert one == two


def test_ten_measures_differ_in_more_than_colour():
    looks = list(plotting.styles(MEASURES).values())
    assert len({look.colour for look in looks}) == 10
    assert len({(look.dash, look.symbol) for look in looks}) == 10


def test_adding_a_measure_changes_no_style():
    before, after = plotting.styles(MEASURES[:4]), plotting.styles(MEASURES[:5])
    assert all(after[name] == before[name] for name in before)


def test_ranking_has_the_best_on_top_and_the_critical_difference():
    loss = pd.DataFrame({"worse": [2.0, 3, 4, 5], "best": [1.0, 1, 1, 1], "worst": [9.0, 9, 9, 9]})
    found = rank(loss)
    figure = plotting.ranking_figure(found, plotting.styles(list(loss)))
    assert list(figure.data[0].y) == ["best", "worse", "worst"]
    assert figure.layout.yaxis.autorange == "reversed"
    band = figure.layout.shapes[0]
    assert band.x1 - band.x0 == pytest.approx(found.critical_difference)


def test_no_noise_lies_beyond_the_largest_signal_to_noise_ratio():
    levels = [np.inf, 100.0, 10.0, 1.0]
    scores = level_scores(["a", "b"], levels)
    figure = plotting.level_figure(
        scores, level_scores(["library_mean"], levels), "snr", plotting.styles(["a", "b"])
    )
    assert figure.layout.xaxis.type == "log"
    assert list(figure.data[0].x) == pytest.approx([1, 10, 100, 1000])
    assert "none" in figure.layout.xaxis.ticktext
    baseline = [trace for trace in figure.data if trace.name == "library mean"]
    assert {trace.line.color for trace in baseline} == {style.GREY}
    assert {trace.line.dash for trace in baseline} == {"dash"}


@pytest.mark.parametrize("kind", plotting.LEVELS)
def test_level_axes_say_their_units(kind):
    scores = level_scores(["a"], [0.1, 0.5])
    guesses = level_scores(["random"], [0.1, 0.5])
    figure = plotting.level_figure(scores, guesses, kind, plotting.styles(["a"]))
    assert all("(" in title for title in axis_titles(figure))


def test_errors_mark_wrong_valences_with_open_symbols():
    figure = plotting.error_figure(error_table())
    wrong = [trace for trace in figure.data if "another" in trace.name]
    assert wrong
    assert all(trace.marker.symbol.endswith("-open") for trace in wrong)
    assert axis_titles(figure) == ["true 10Dq (eV)", "error of 10Dq (eV)"]


def test_confusion_shows_shares_of_rows():
    counts = pd.DataFrame([[3, 1], [0, 0]], index=["2", "3"], columns=["2", "3"])
    figure = plotting.confusion_figure(counts)
    assert figure.data[0].z[0].tolist() == [75, 25]
    assert figure.data[0].text[0][0] == "75 %<br>(3)"
    assert np.isfinite(figure.data[0].z).all()


def test_coverage_stands_beside_its_nominal_value():
    table = pd.DataFrame({"68%": [0.7, 0.6], "95%": [0.96, 1.0]}, index=["a", "b"])
    table.attrs["spectra"] = 50
    figure = plotting.coverage_figure(table)
    assert [trace.name for trace in figure.data] == ["68 % intervals", "95 % intervals"]
    assert [shape.x0 for shape in figure.layout.shapes] == [68, 95]


def test_map_shows_valence_and_10dq_with_hover():
    figure = plotting.map_figure(embedding(queries=0))
    assert "Mn²⁺, 10Dq 0.50 eV" in list(figure.data[0].text)
    assert figure.layout.coloraxis.colorbar.title.text == "10Dq (eV)"
    assert figure.layout.meta["narrow"]["yaxis2.domain"] == [0, 0.42]


def test_of_a_large_map_a_sample_is_drawn_and_every_measured_spectrum(monkeypatch):
    monkeypatch.setattr(maps, "DRAWN", 5)
    figure = plotting.map_figure(embedding(queries=3))
    drawn = [len(trace.x) for trace in figure.data if trace.xaxis == "x2"]
    assert drawn == [5, 3]


@pytest.mark.parametrize(("queries", "label"), [(2, "<b>x12</b>"), (18, "<b>18</b>")])
def test_map_names_few_measured_spectra_and_numbers_many(queries, label):
    figure = plotting.map_figure(embedding(queries))
    texts = [note.text for note in figure.layout.annotations]
    assert texts.count(label) == 2


def test_labels_of_a_heap_do_not_overlap():
    points = np.zeros((18, 2))
    labels = [str(number) for number in range(18)]
    places = np.array(maps._apart(points, labels, points))
    gaps = np.abs(places[:, None] - places)
    near = (gaps[..., 0] < 16) & (gaps[..., 1] < 18)
    assert near.sum() == 18  # each with itself


def test_fit_shows_every_valence_and_the_residual():
    energy = np.linspace(630, 660, 50)
    measured, simulated = np.sin(energy), np.cos(energy)
    fits = [
        plotting.Fit(v, f"valence {v}", "match: 10Dq 0.90", measured, simulated) for v in (2, 3)
    ]
    figure = plotting.fit_figure(energy, fits)
    assert len(figure.data) == 6
    texts = [note.text for note in figure.layout.annotations]
    assert [text.count(f"valence {v}") for text, v in zip(texts, (2, 3), strict=True)] == [1, 1]
    top = figure.data[2].y
    assert np.ptp(top) == pytest.approx(np.ptp(measured - simulated), abs=1e-3)
    assert axis_titles(figure) == ["energy (eV)", "intensity (arb. units, offset)"]


def test_a_renderer_that_hangs_is_ended_and_tried_again(tmp_path, monkeypatch):
    figure = plotting.ranking_figure(
        rank(pd.DataFrame({"a": [1.0, 2], "b": [2.0, 3]})), plotting.styles(["a", "b"])
    )
    calls = []

    def hang(*arguments, **size):
        calls.append(size)
        if len(calls) == 1:
            raise ValueError("Transform failed")

    monkeypatch.setattr(type(figure), "write_image", hang)
    plotting.draw(figure, tmp_path / "figure.png")
    assert len(calls) == 2


@pytest.mark.parametrize(("smooth", "glitch", "step"), [(0, 0, 0), (1, 1, 1)])
def test_a_preparation_shows_what_was_done_and_nothing_else(smooth, glitch, step):
    energy = np.linspace(630, 660, 301)
    masked = np.zeros(301)
    masked[50] = glitch
    before = {
        "energy": energy,
        "intensity": np.exp(-((energy - 640) ** 2)) + 0.2,
        "background": np.full(301, 0.2),
        "continuum": np.full(301, 0.1 * step),
        "masked": masked,
    }
    under = before["background"] + before["continuum"]
    before["signal"] = before["intensity"] - under + 0.01 * smooth
    figure = plotting.preparation_figure(before, energy + 2, before["signal"], 2.0)
    done = ["with continuum"] * step + ["smoothed"] * smooth + ["masked"] * glitch
    assert [trace.name for trace in figure.data] == [
        "as recorded",
        "background",
        *done,
        "prepared",
    ]
    assert all("(" in title for title in axis_titles(figure))
    # Both panels are of maximum 1, the lower one without its background.
    np.testing.assert_allclose(figure.data[1].y, 0.2 / 1.2, atol=1e-4)
    assert [max(figure.data[place].y) for place in (0, -1)] == [1, 1]


def test_a_mixture_adds_up():
    energy = np.linspace(630, 650, 50)
    shares = [np.exp(-((energy - centre) ** 2)) for centre in (637, 640)]
    measured = 0.2 + sum(shares)
    components = [("Mn²⁺", 2.0, shares[0]), ("Mn³⁺", 3.0, shares[1])]
    figure = plotting.mixture_figure(energy, measured, 0.2, components)
    curves = {trace.name: np.array(trace.y) for trace in figure.data}
    assert [*curves] == ["Mn²⁺", "Mn³⁺", "sum", "measured", "measured less sum"]
    np.testing.assert_allclose(curves["sum"], curves["measured"])
    # What is left lies below the rest, all on one level.
    assert np.ptp(curves["measured less sum"]) == 0
    assert curves["measured"].max() == pytest.approx(1, abs=1e-4)
