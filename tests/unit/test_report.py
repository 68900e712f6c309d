"""The report page: numbers in their places, nothing from the network, gaps told in a sentence."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import make_report
from whiteline import contracts, plotting, report
from whiteline.alignment import extended
from whiteline.configuration import load
from whiteline.evaluation import scores
from whiteline.report import chapters, formatting, page
from whiteline.report.chapters.errors import confusion
from whiteline.report.chapters.fits import best_fits

MARGIN = 20
STEP = 0.2
ENERGY = np.round(630 + STEP * np.arange(110), 6)
VALENCES, TEN_DQ = (2.0, 3.0, 4.0), (0.0, 0.5, 1.0, 1.5)
IDS = ["MnO", "odd <name>"]
SHIFT = -3  # steps by which the measured spectra must move to lie on the library


def configuration():
    study = {
        "libraries": {
            "mn": {
                "ions": ["Mn2+", "Mn3+", "Mn4+"],
                "ten_dq": {"start": 0.0, "stop": 1.5, "step": 0.5},
                "broadening": [
                    {"lorentzian_hwhm_l3": 0.2, "lorentzian_hwhm_l2": 0.4, "gaussian_sigma": 0.3}
                ],
                "energy": {"start": 630.0, "stop": 651.8, "step": STEP},
            }
        },
        "measures": {"cosine": {"kind": "cosine"}, "euclidean": {"kind": "euclidean"}},
        "scenarios": {
            "noise": {"tier": "c", "spectra": 20, "vary": {"snr": [np.inf, 10.0]}},
            "combined": {"tier": "c", "spectra": 30},
            "calibration": {"tier": "c", "spectra": 30},
        },
        "calibration": "calibration",
        "report": {"measure": "cosine"},
    }
    return load(study, "test.yaml")


def spectrum(valence, ten_dq, energy=ENERGY):
    centre = 636 + valence
    return np.exp(-((energy - centre) ** 2)) + ten_dq * np.exp(-((energy - centre - 4) ** 2))


def library():
    points = [(valence, ten_dq) for valence in VALENCES for ten_dq in TEN_DQ]
    count = len(points)
    return contracts.dataset(
        "spectra",
        {
            "intensity": [spectrum(*point) for point in points],
            "energy": ENERGY,
            "id": [f"lib{number}" for number in range(count)],
            "ion": [f"Mn{valence:g}+" for valence, _ in points],
            "symmetry": ["Oh"] * count,
            "valence": [valence for valence, _ in points],
            "ten_dq": [ten_dq for _, ten_dq in points],
            "slater_reduction": [0.8] * count,
            "lorentzian_hwhm_l3": [0.2] * count,
            "lorentzian_hwhm_l2": [0.4] * count,
            "gaussian_sigma": [0.3] * count,
            "scenario": [""] * count,
            "leave_out": [0] * count,
            "energy_shift": [0.0] * count,
        },
    )


def queries():
    axis = extended(ENERGY, MARGIN)
    moved = axis + SHIFT * STEP  # the recorded axis is off
    return contracts.dataset(
        "spectra",
        {
            "intensity": [3 * spectrum(2.0, 1.0, moved) + 0.1, spectrum(3.0, 0.5, moved)],
            "energy": axis,
            "id": IDS,
            "ion": ["", ""],
            "symmetry": ["", ""],
            "valence": [2.0, np.nan],
            "scenario": ["", ""],
            "leave_out": [0, 0],
            "energy_shift": [0.0, 0.0],
        },
    )


def shifts():
    shape = (len(IDS), len(VALENCES) * len(TEN_DQ))
    return contracts.dataset(
        "shifts",
        {
            "energy_shift": np.full(shape, SHIFT * STEP),
            "similarity": np.ones(shape),
            "query_id": IDS,
            "library_id": library()["id"].values,
        },
    )


def estimates(calibrated=True):
    bounds = np.array([[0.11, 0.22], [0.11, 0.22]]) if calibrated else np.full((2, 2), np.nan)
    ten_dq = np.array([0.93, 1.5])
    return contracts.dataset(
        "estimates",
        {
            "query_id": IDS,
            "valence": [2.0, 3.0],
            "ten_dq": ten_dq,
            "distance": [0.0123, 0.456],
            "energy_shift": [-0.6, 1.25],
            "outside_library": [0, 1],
            "coverage": [0.68, 0.95],
            "ten_dq_lower": ten_dq[:, None] - bounds,
            "ten_dq_upper": ten_dq[:, None] + bounds,
            "candidate": VALENCES,
            "candidate_ten_dq": [[0.93, 0.41, 0.52], [0.2, 1.5, 0.3]],
            "candidate_distance": [[0.0123, 0.0777, 0.0888], [0.5, 0.456, 0.6]],
            "candidate_match": [[2, 4, 8], [0, 7, 9]],
            "candidate_fits": [[1, 0, 0], [1, 1, 0]] if calibrated else np.ones((2, 3)),
            "ten_dq_bound": [0.012, 0.7],
        },
        distance_limit=0.3 if calibrated else np.inf,
    )


def steps():
    records = [3 * spectrum(2.0, 1.0) + 0.1, spectrum(3.0, 0.5) + 0.1]
    masked = np.zeros(2 * len(ENERGY))
    masked[[3, 4]] = 1
    return contracts.dataset(
        "preparation",
        {
            "energy": np.tile(ENERGY, 2),
            "intensity": np.concatenate(records),
            "row_size": [len(ENERGY)] * 2,
            "masked": masked,
            "background": np.full(2 * len(ENERGY), 0.1),
            "continuum": np.zeros(2 * len(ENERGY)),
            "signal": np.concatenate(records) - 0.1,
            "id": IDS,
            "onset": [637.0, 638.0],
        },
        preparation=contracts.dumps({"background": {"kind": "constant"}}),
    )


def embedding():
    spectra = library()
    count = spectra.sizes["spectrum"]
    return contracts.dataset(
        "embedding",
        {
            "id": [*spectra["id"].values, *IDS],
            "ion": [*spectra["ion"].values, "", ""],
            "valence": [*spectra["valence"].values, np.nan, np.nan],
            "ten_dq": [*spectra["ten_dq"].values, np.nan, np.nan],
            "coordinate": np.random.default_rng(0).normal(size=(count + 2, 2)),
            "is_query": np.repeat([0, 1], [count, 2]),
        },
        placing="by their distances to the landmarks",
    )


def errors(calibrated=True):
    """Cosine is off by 0.08 eV, euclidean by 0.24 eV with every fifth valence wrong."""
    rows = []
    levels = [("noise", np.inf, 20), ("noise", 10.0, 20), ("combined", np.nan, 30)]
    for measure, size in (("cosine", 0.08), ("euclidean", 0.24)):
        for scenario, level, count in levels:
            for number in range(count):
                wrong = measure == "euclidean" and number % 5 == 0
                rows.append(
                    {
                        "library": "mn",
                        "preprocessing": "standard",
                        "measure": measure,
                        "estimator": "profile",
                        "id": f"{scenario}_{number}_{level:g}",
                        "scenario": scenario,
                        "level": level,
                        "true_valence": VALENCES[number % 3],
                        "true_ten_dq": 0.05 * number,
                        "valence": VALENCES[(number + wrong) % 3],
                        "valence_correct": not wrong,
                        "ten_dq_error": size * (-1) ** number,
                        "outside_library": False,
                        "covered_68%": number % 3 > 0,
                        "covered_95%": True,
                        "width_68%": 0.2 if calibrated else np.nan,
                        "width_95%": 0.4 if calibrated else np.nan,
                        "covered_valence": number % 10 > 0 if calibrated else np.nan,
                        "valences_that_fit": 1 + number % 2 if calibrated else np.nan,
                        "ten_dq_bound": 0.013,
                    }
                )
    return pd.DataFrame(rows)


def score_table(table):
    names = ["library", "preprocessing", "measure", "estimator"]
    parts = []
    for values, part in table.groupby(names, sort=False):
        parts.append(scores.score(part).assign(**dict(zip(names, values, strict=True)), tier="c"))
    for name in ("library_mean", "random"):
        part = table[table["measure"] == "cosine"].assign(ten_dq_error=0.77, valence_correct=False)
        part = part[["scenario", "level", "valence_correct", "ten_dq_error"]]
        labels = ("mn", "standard", "none", name)
        parts.append(scores.score(part).assign(**dict(zip(names, labels, strict=True)), tier="c"))
    return pd.concat(parts)


def products(calibrated=True):
    table = errors(calibrated)
    branch = report.Branch(
        "mn",
        "standard",
        library(),
        table,
        {"mds": embedding()},
        [
            report.Measured(
                "oxides", queries(), shifts(), estimates(calibrated), steps(), mixtures()
            )
        ],
        {"cosine": 1.7, "euclidean": 1.1},
    )
    return report.Products(configuration(), score_table(table), [branch], map_quality())


def mixtures():
    fraction = np.array([[0.97, 0.03, 0.0], [0.25, 0.7, 0.05]])
    return contracts.dataset(
        "mixtures",
        {
            "query_id": IDS,
            "candidate": VALENCES,
            "coverage": [0.68, 0.95],
            "fraction": fraction,
            "fraction_lower": np.stack([fraction - 0.02, fraction - 0.04], axis=-1).clip(0),
            "fraction_upper": np.stack([fraction + 0.02, fraction + 0.04], axis=-1).clip(max=1),
            "component": [[2, -1, -1], [1, 5, 9]],
            "amplitude": [[3.0, 0.0, 0.0], [0.3, 0.8, 0.06]],
            "background": [0.1, 0.0],
            "energy_shift": [SHIFT * STEP, SHIFT * STEP],
            "single_valence": [2.0, 3.0],
            "single_residual": [0.00123, 0.0456],
            "mixture_residual": [0.00122, 0.0111],
            "p_value": [0.87, 0.01],
            "mixture_needed": [0, 1],
        },
        calibrated=99,
    )


def map_quality():
    values = {
        "trustworthiness": 0.9871,
        "continuity": 0.965,
        "ten_dq_rank_correlation": np.nan,
        "valence_separation": -0.25,
    }
    names = {"library": "mn", "preprocessing": "standard", "embedding": "mds"}
    return pd.DataFrame([{**names, "measure": name, **values} for name in ("cosine", "euclidean")])


class Page(HTMLParser):
    """Collects what the page loads and the text that it shows."""

    def __init__(self, html):
        super().__init__()
        self.resources, self.scripts, self.text, self._hidden = [], 0, [], 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self._hidden += tag in ("script", "style")
        self.scripts += tag == "script"
        if tag != "a":
            self.resources += [attributes[key] for key in ("src", "href") if key in attributes]

    def handle_endtag(self, tag):
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self._hidden:
            self.text.append(data)


def text_of(html):
    return " ".join(" ".join(Page(html).text).split())


def page_of(made):
    return text_of(page.render(list(chapters.sections(made))))


def row_of(html, first):
    """Cells of the first table row that starts with ``first``."""
    for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL):
        cells = [
            re.sub("<[^>]+>", "", cell)
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        if cells and cells[0].strip() == first:
            return [cell.strip() for cell in cells]
    raise AssertionError(f"no row {first!r}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Everything written through the stage script, once."""
    folder = tmp_path_factory.mktemp("report")
    made = products()
    branch, measured = made.branches[0], made.branches[0].measured[0]
    datasets = {
        "library": branch.spectra,
        "mds": branch.maps["mds"],
        "queries": measured.queries,
        "shifts": measured.shifts,
        "estimates": measured.estimates,
        "steps": measured.steps,
        "mixtures": measured.mixtures,
    }
    for name, data in datasets.items():
        contracts.write(data, folder / f"{name}.nc")
    made.scores.to_csv(folder / "scores.csv", index=False)
    made.map_quality.to_csv(folder / "map_quality.csv", index=False)
    branch.errors.to_csv(folder / "errors.csv", index=False)
    for name, seconds in branch.seconds.items():
        (folder / f"{name}.tsv").write_text(f"s\th:m:s\n{seconds}\t0:00:01\n")
    key = ("mn", "standard")
    make_report.make_report(
        scores=str(folder / "scores.csv"),
        map_quality=str(folder / "map_quality.csv"),
        errors=[str(folder / "errors.csv")],
        libraries=[str(folder / "library.nc")],
        embeddings=[str(folder / "mds.nc")],
        queries=[str(folder / "queries.nc")],
        shifts=[str(folder / "shifts.nc")],
        estimates=[str(folder / "estimates.nc")],
        steps=[str(folder / "steps.nc")],
        mixtures=[str(folder / "mixtures.nc")],
        benchmarks=[str(folder / f"{name}.tsv") for name in branch.seconds],
        report=str(folder / "out" / "report.html"),
        figures=str(folder / "out" / "figures"),
        study=made.study,
        labels={
            "branches": [key],
            "embeddings": [(*key, "cosine", "mds")],
            "queries": [(*key, "oxides")],
            "mixtures": [(*key, "oxides")],
            "benchmarks": [(*key, name) for name in branch.seconds],
        },
    )
    return folder / "out"


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def test_every_figure_is_written_twice_and_linked(folder, html):
    names = re.findall(r'data-figure="(.*?)-data"', html)
    assert len(names) == 12
    for name in names:
        assert (folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (folder / "figures" / f"{name}.svg").read_text()
        assert f'href="figures/{name}.png"' in html
    assert len(list((folder / "figures").iterdir())) == 2 * len(names)


def test_preparation_is_told_and_only_the_first_spectra_are_drawn():
    made = products()
    text = page_of(made)
    assert "Settings: background (kind constant)." in text
    assert "2 points of 110 masked" in text
    assert "are drawn" not in text
    measured = made.branches[0].measured[0]
    few = replace(measured, steps=measured.steps.isel(spectrum=[0], sample=slice(110)))
    branch = replace(made.branches[0], measured=[few])
    assert "The first 1 of 2 spectra are drawn." in page_of(replace(made, branches=[branch]))


def test_mixtures_are_told_where_they_were_asked_for(html):
    section = html[html.index('<section id="mixtures">') :]
    assert row_of(section, "odd &lt;name&gt;") == [
        *("odd &lt;name&gt;", "0.25", "0.23 … 0.27", "0.21 … 0.29"),
        *("0.70", "0.68 … 0.72", "0.66 … 0.74", "0.05", "0.03 … 0.07", "0.01 … 0.09"),
        *("3", "0.046", "0.011", "0.010", "yes"),
    ]
    assert row_of(section, "MnO")[-1] == "no"
    assert "99 simulated spectra of one valence" in text_of(section)


def test_without_mixtures_there_is_no_such_chapter():
    made = products()
    measured = replace(made.branches[0].measured[0], mixtures=None)
    branch = replace(made.branches[0], measured=[measured])
    assert "Mixtures of valences" not in page_of(replace(made, branches=[branch]))
    none = replace(made.branches[0].measured[0], mixtures=mixtures().assign_attrs(calibrated=0))
    branch = replace(made.branches[0], measured=[none])
    assert "as there is no calibration scenario" in page_of(replace(made, branches=[branch]))


def test_page_loads_nothing(html):
    page = Page(html)
    assert page.resources == ["data:,"]
    assert "@import" not in html.split("<script>")[0]
    assert "url(" not in html.split("<script>")[0]


def test_plotly_is_inlined_once(html):
    assert html.count("plotly.js v") == 1


def test_no_nan_is_printed(html):
    assert not re.search(r"\b(nan|inf|None)\b", text_of(html))


def test_identifiers_are_escaped(html):
    assert "odd &lt;name&gt;" in html
    assert "<name>" not in html


def test_summary_names_the_best_measure_and_its_error(html):
    text = text_of(html)
    assert "12 L2,3 spectra of Mn²⁺, Mn³⁺, Mn⁴⁺ (mn)" in text
    assert "70 simulated spectra of known valence" in text
    assert "scenario 'combined' (tier c) is cosine: 10Dq mean absolute error 0.080 eV" in text
    assert "valence right in 100 % of 30 spectra; no other is within" in text


def test_outcome_of_a_measured_spectrum(html):
    cells = row_of(html, "MnO")
    assert cells == [
        *("MnO", "2", "2", "2", "0.93", "0.82 … 1.04", "0.71 … 1.15", "0.012"),
        *("-0.60", "0.0123", "no", "3", "0.41", "0.0777"),
    ]


def test_outside_and_end_of_range_are_flagged(html):
    cells = row_of(html, "odd &lt;name&gt;")
    assert "outside" in cells
    assert "1.50 †" in cells
    assert "Outside the library: no identification." in text_of(html)
    assert "Flagged as outside the library: 1 of 2." in text_of(html)


def test_open_valences_and_hidden_10dq_are_told(html):
    assert row_of(html, "odd &lt;name&gt;")[3] == "2, 3"
    text = text_of(html)
    assert "In 1 of 2 several valences fit (sets that hold the true one with 95 %)" in text
    assert "energy shift +1.25 eV. Valences that fit: 2, 3." in text
    # The bound of 0.7 eV is more than 0.34 of the range of 1.5 eV.
    assert "In 1 of 2 10Dq is not identifiable" in text


def test_coverage_stands_by_scenario(html):
    cells = row_of(html, "combined (tier c)")
    assert cells[:3] == ["combined (tier c)", "–", "30"]
    assert cells[3:] == ["67 %", "100 %", "0.20", "0.40", "90 %", "1.50", "0.013"]


def test_tables_hold_scores_baselines_and_times(html):
    text = text_of(html)
    assert "library mean 0.77 / 0 %" in text
    assert row_of(html, "euclidean")[1] == "Euclidean"
    assert "0.24 / 80 %" in text
    # 1.7 s over 20 * 2 + 30 + 30 spectra
    assert re.search(r"standard cosine 17 ", text)
    assert "Seed of every random draw: 0" in text
    assert "10Dq 0 … 1.5 eV (4 values)" in text.replace("\u00a0", " ")


def test_honesty_stands_with_the_fits(html):
    fits = text_of(html[html.index('<section id="fits">') :])
    assert "calibrated on simulated spectra of the scenario 'calibration'" in fits
    assert "The tiers a and b test interpolation only." in fits


def test_without_scenarios_the_page_says_so():
    made = products()
    study = made.study | {
        "scenarios": {},
        "report": {"measure": "cosine", "estimator": "profile"},
    }
    study.pop("calibration")
    branch = replace(made.branches[0], errors=None, seconds={})
    text = page_of(report.Products(study, pd.DataFrame(), [branch]))
    assert "there is nothing to rank" in text
    assert "No scored scenario has several levels" in text
    assert "No calibration scenario was given" in text
    assert "No times were recorded" in text


def test_without_calibration_there_are_no_intervals():
    made = products(calibrated=False)
    study = dict(made.study)
    study.pop("calibration")
    html = page.render(list(chapters.sections(report.Products(study, made.scores, made.branches))))
    assert row_of(html, "MnO")[5:7] == ["–", "–"]
    assert row_of(html, "MnO")[3] == "2, 3, 4"
    assert "several valences fit" not in text_of(html)
    assert "coverage is left out" in text_of(html)
    assert not re.search(r"\bnan\b", text_of(html))


def test_maps_say_what_they_show_and_how_good_they_are(monkeypatch):
    html = page.render(list(chapters.sections(products())))
    assert row_of(html, "mds") == ["mds", "0.987", "0.965", formatting.NOTHING, "-0.250"]
    assert "a slice of the library (12 spectra)" in text_of(html)
    assert "placed into it by their distances to the landmarks" in text_of(html)
    monkeypatch.setattr(plotting, "DRAWN", 5)
    assert "(12 spectra, 5 of them drawn)" in page_of(products())


def test_without_measured_spectra_and_maps():
    made = products()
    branch = replace(made.branches[0], measured=(), maps={})
    text = page_of(report.Products(made.study, made.scores, [branch]))
    assert "No measured spectra were given." in text
    assert "No map with two components was configured." in text


def test_one_measure_is_not_ranked():
    made = products()
    study = made.study | {"measures": {"cosine": {"kind": "cosine"}}}
    table = made.branches[0].errors
    branch = replace(made.branches[0], errors=table[table["measure"] == "cosine"])
    scored = made.scores[made.scores["measure"] != "euclidean"]
    text = page_of(report.Products(study, scored, [branch]))
    assert "One measure only" in text


def test_fit_moves_and_scales_the_pair():
    made = products()
    branch = made.branches[0]
    fits = best_fits(branch.measured[0], 0, branch.spectra)
    assert [fit.valence for fit in fits] == [2, 3, 4]
    assert fits[0].measured.max() == pytest.approx(1)
    # The first query is three times its match and 0.1 above it, on an axis off by the shift.
    np.testing.assert_allclose(fits[0].simulated, fits[0].measured, atol=1e-6)
    assert fits[0].heading == "Mn²⁺ Oh, 10Dq 0.93 eV, distance 0.0123"
    assert fits[0].details == "match: 10Dq 1.00, widths 0.20/0.40/0.30 eV, Slater 0.80"


def test_confusion_tells_each_valence_from_each():
    table = pd.DataFrame(
        {"true_valence": [2.0, 3.0, 4.0, 4.0, 4.0], "valence": [2.0, 4.0, 3.0, 3.0, 4.0]}
    )
    counts = confusion(table)
    assert list(counts.index) == list(counts.columns) == ["2", "3", "4"]
    assert counts.values.tolist() == [[1, 0, 0], [0, 0, 1], [0, 2, 1]]


def test_confusion_has_columns_for_all_valences():
    counts = confusion(pd.DataFrame({"true_valence": [2.0, 3.0], "valence": [4.0, 4.0]}))
    assert list(counts.columns) == ["2", "3", "4"]


def test_noise_and_the_limit_are_told_once(html):
    assert text_of(html).count("Distances grow with noise") == 1


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.06, 2, "0.060"),
        (0.0123456, 3, "0.0123"),
        (0.0, 2, "0.0"),
        (9.96, 2, "10"),
        (1234.5, 2, "1,234"),
        (2e-7, 2, "2.0e-07"),
        (np.nan, 2, "–"),
        (np.inf, 2, "–"),
    ],
)
def test_numbers_have_significant_digits(value, digits, text):
    assert formatting.number(value, digits) == text


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.996, "99.6 %"), (0.5, "50 %"), (np.nan, "–")]
)
def test_percentages_claim_neither_all_nor_nothing(share, text):
    assert formatting.percent(share) == text
