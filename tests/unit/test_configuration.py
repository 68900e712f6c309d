"""The configuration: defaults, grids, and one clear sentence for whatever is wrong."""

import copy
from pathlib import Path

import numpy as np
import pytest

from whiteline import configuration
from whiteline.errors import InputError
from whiteline.grids import grid

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def study():
    return copy.deepcopy(configuration.read_yaml(CONFIG / "quick.yaml"))


@pytest.mark.parametrize("name", ["config.yaml", "quick.yaml", "mno.yaml"])
def test_shipped_configurations_are_valid(name):
    study = configuration.load(configuration.read_yaml(CONFIG / name), str(CONFIG / name))
    assert study["report"]["measure"] in study["measures"]


def test_an_extending_configuration_adds_to_its_base():
    study = configuration.load(
        configuration.read_yaml(CONFIG / "mno.yaml"), str(CONFIG / "mno.yaml")
    )
    assert set(study["queries"]) == {"mn_eels", "co_reduced", "co_oxidised", "mno"}
    assert len(study["measures"]) == 10


def test_defaults_are_filled_in(study):
    library = configuration.load(study, "q.yaml")["libraries"]["mn"]
    assert library["symmetry"] == ["Oh"]
    assert library["temperature"] == 300.0
    assert "slater_reduction_pd" not in library  # it follows slater_reduction


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        (0.8, [0.8]),
        ([0.7, 0.9], [0.7, 0.9]),
        ({"start": 0.0, "stop": 0.3, "step": 0.1}, [0.0, 0.1, 0.2, 0.3]),
        ({"start": 0.0, "stop": 0.35, "step": 0.1}, [0.0, 0.1, 0.2, 0.3]),
    ],
)
def test_grid(spec, values):
    np.testing.assert_array_equal(grid(spec), values)


def change(path, value):
    def apply(study):
        *parents, last = path.split(".")
        for key in parents:
            study = study[int(key) if key.isdigit() else key]
        study[last] = value

    return apply


MN = "libraries.mn"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (f"{MN}.ten_qd", 1.0, "libraries.mn: unknown key 'ten_qd'; did you mean 'ten_dq'?"),
        (f"{MN}.ten_dq", "a", "libraries.mn.ten_dq: 'a' is not one value, a list of values"),
        (f"{MN}.ten_dq", [], "libraries.mn.ten_dq: is empty"),
        (f"{MN}.ten_dq", {"start": 2, "stop": 1, "step": 0.1}, "empty grid: start 2 lies above"),
        (f"{MN}.ten_dq", {"start": 0, "stop": 1, "step": 0}, "ten_dq.step: 0 is less than or"),
        (f"{MN}.ten_dq", [0.0, "x"], "libraries.mn.ten_dq.1: 'x' should be of type number"),
        (f"{MN}.ten_dq", [0.5, 0.5], "libraries.mn.ten_dq: a value stands twice"),
        (f"{MN}.ten_dq", [0.5, float("nan")], "libraries.mn.ten_dq: a value is not finite"),
        (f"{MN}.ions", ["Mn9+"], "libraries.mn.ions: 'Mn9+'"),
        (f"{MN}.ions", ["Mn2+", "Fe2+"], "one library is of one element, found Fe, Mn"),
        (f"{MN}.ions", [], "libraries.mn.ions: is empty"),
        (f"{MN}.symmetry", ["D3h"], "symmetry.0: 'D3h' is none of Oh, Td, D4h, C3v"),
        (f"{MN}.delta", 3.0, "libraries.mn.delta: Whiteline does not know it; it"),
        (f"{MN}.ds", 0.1, "libraries.mn.ds: needs symmetry D4h alone"),
        (f"{MN}.temperature", 0.0, "libraries.mn.temperature: 0.0 is not above 0"),
        (f"{MN}.broadening.0.gaussian_sigma", -1, "gaussian_sigma: -1 is less than"),
        (
            f"{MN}.map",
            {"sample": 100, "broadening": [0]},
            "libraries.mn.map.broadening: chooses a slice, and 'sample' draws from the whole",
        ),
        (f"{MN}.map", {"broadening": [3]}, "libraries.mn.map.broadening: there are only 1"),
        (f"{MN}.energy.step", 30.0, "libraries.mn.energy: 2 points; at least 10"),
        (
            f"{MN}.energy.start",
            640.0,
            "640..662 eV does not hold the L2,3 edges of Mn; start below",
        ),
        ("seed", "x", "seed: 'x' should be of type integer"),
        ("queries.eels.library", "fe", "queries.eels.library: there is no library 'fe'"),
        ("queries.eels.files", ["x.csv"], "queries.eels: give either 'measured' or 'files'"),
        ("queries.own", {"library": "mn", "files": ["no.csv"]}, "no.csv: no such file"),
        (
            "queries.own",
            {"library": "mn", "measured": "xx"},
            "queries.own.measured: there is no group",
        ),
        ("queries.library", {"library": "mn", "files": ["a"]}, "the name is taken"),
        ("report.measure", "foo", "report.measure: there is no 'foo' among the measures"),
        ("report.ranked_by", "calibration", "there is no scored scenario 'calibration'"),
        ("calibration", "foo", "calibration: there is no scenario 'foo'"),
        (f"{MN}.ions", ["Mn2+", "Mn2+"], "libraries.mn.ions: ['Mn2+', 'Mn2+'] names something"),
        (f"{MN}.map", {"slater_reduction": 0.55}, "mn.map.slater_reduction: 0.55 is not in the"),
        (f"{MN}.ten_dq.step", 1e-9, "libraries.mn.ten_dq: 2400000001 values, more than 100000"),
        (f"{MN}.broadening.0.gaussian_sigma", float("inf"), "inf is greater than the maximum"),
        ("scenarios.noise.draw", {"gaussian_sigma": [-1, 1]}, "draw.gaussian_sigma: -1 is negat"),
        ("scenarios.noise.vary", {"snr": [0]}, "scenarios.noise.vary.snr: 0 is not above 0"),
        ("scenarios.noise.disturb", {"snr": [9, 1]}, "disturb.snr: 9 lies above 1; give the low"),
        ("queries", None, "queries: has no value; give it one or leave the key out"),
        ("extends", "study.yaml", "study.yaml: extends: study.yaml leads back to the file itself"),
        ("scenarios.noise.tier", "d", "scenarios.noise: the key 'engine' is missing; tier d"),
        ("scenarios.noise.engine", "edrixs", "scenarios.noise: 'engine' needs tier d; tier d is"),
        (
            "scenarios.other",
            {"tier": "d", "spectra": 1, "engine": "multiplet"},
            "scenarios.other.engine: multiplet is that of the library 'mn'; name another",
        ),
        (
            "scenarios.other",
            {"tier": "d", "spectra": 1, "engine": "quantum"},
            "scenarios.other.engine: for the library 'mn', engine: ",
        ),
        ("scenarios.noise.tier", "b", "only tiers c and d are disturbed; this is b"),
        ("measures.bad-", {"kind": "cosine"}, "the name 'bad-' may hold only letters"),
        ("measures.new", {"kind": "cosin"}, "measures.new: 'cosin' is no kind of measures; did"),
        ("measures.new", {"kind": "my.py"}, "measures.new: my.py: no such file"),
        ("measures.dtw", {"kind": "dtw", "bnd": 1}, "measures.dtw: dtw: no parameter 'bnd'"),
        ("measures.dtw", {"kind": "dtw", "band": "x"}, "measures.dtw: dtw: band is 'x'"),
    ],
)
def test_what_is_wrong_is_said_with_its_key(study, path, value, expected):
    change(path, value)(study)
    with pytest.raises(InputError) as caught:
        configuration.load(study, "study.yaml")
    message = str(caught.value)
    assert message.startswith("study.yaml: ")
    assert expected in message
    assert "\n" not in message


def test_a_mixture_needs_several_valences_and_areas(study):
    study["queries"]["eels"]["mixture"] = True
    whole = copy.deepcopy(study)
    assert configuration.load(whole, "q.yaml")["queries"]["eels"]["mixture"]
    one = copy.deepcopy(study)
    one["libraries"]["mn"]["ions"] = ["Mn2+"]
    with pytest.raises(InputError, match="several valences; mn has Mn2\\+"):
        configuration.load(one, "q.yaml")
    study["preprocessings"] = {"shape": {"normalisation": "snv"}}
    with pytest.raises(InputError, match=r"mixture: preprocessings\.shape: .* have no area"):
        configuration.load(study, "q.yaml")


def test_a_missing_key_is_named(study):
    del study["measures"]
    with pytest.raises(InputError, match="the key 'measures' is missing"):
        configuration.load(study, "study.yaml")


def test_broken_yaml_is_told_with_its_line(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("seed: 1\nlibraries: [\n")
    with pytest.raises(InputError, match=r"study.yaml, line 3: not valid YAML"):
        configuration.read_yaml(path)
    path.write_text("just words")
    with pytest.raises(InputError, match="expected keys and values, found str"):
        configuration.read_yaml(path)


QUERIES = {"library": "mn", "files": [str(CONFIG / "quick.yaml")]}


def test_a_library_is_broadened_to_the_resolution_of_its_queries(study):
    widths = copy.deepcopy(study["libraries"]["mn"]["broadening"])
    known = widths[0]["gaussian_sigma"]
    study["queries"] = {
        "sharp": QUERIES | {"resolution": known},
        "eels": QUERIES | {"resolution": 0.77},
    }
    found = configuration.load(study, "q.yaml")["libraries"]["mn"]["broadening"]
    assert found[: len(widths)] == widths
    natural = {(w["lorentzian_hwhm_l3"], w["lorentzian_hwhm_l2"]) for w in widths}
    new = found[len(widths) :]
    assert {(w["lorentzian_hwhm_l3"], w["lorentzian_hwhm_l2"]) for w in new} == natural
    assert len(new) == len(natural)
    assert all(w["gaussian_sigma"] == 0.77 for w in new)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("background", {"kind": "pybaselines"}, "background.kind: pybaselines needs a 'method'"),
        ("background", {"kind": "pybaselines", "method": "arpl"}, "has no 'arpl'"),
        (
            "background",
            {"kind": "pybaselines", "method": "arpls", "parameters": {"lamb": 1}},
            "background.parameters: arpls takes no 'lamb', only lam",
        ),
        ("background", {"kind": "linear", "method": "asls"}, "need kind: pybaselines"),
        ("background", {"kind": "linear", "window": [-3, -9]}, "window: -3 does not lie below -9"),
        ("continuum", "three_step", "'three_step' is none of none, two_step, two_step_line"),
        ("post_edge", [40, 20], "post_edge: 40 does not lie below 20"),
        ("alignment", "peak", "'peak' is none of onset, maximum, centroid, correlation, none"),
        ("smoothing", {"order": 2}, "smoothing: the key 'window' is missing"),
        ("glitches", {"ranges": [[650, 640]]}, "glitches.ranges.0: 650 does not lie below 640"),
        ("glitches", {"threshold": 0}, "glitches.threshold: 0 is less than or equal"),
    ],
)
def test_a_preparation_that_can_not_be(key, value, expected, study):
    for section in ("preprocessings", "queries"):
        wrong = copy.deepcopy(study)
        own = QUERIES if section == "queries" else {}
        wrong[section] = {"mine": own | {key: value}}
        with pytest.raises(InputError) as caught:
            configuration.load(wrong, "q.yaml")
        assert str(caught.value).startswith(f"q.yaml: {section}.mine.")
        assert expected in str(caught.value)
