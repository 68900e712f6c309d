"""Differences between spectra, their table and figure, and what the configuration must say."""

import numpy as np
import pytest

from whiteline import configuration, contracts
from whiteline.errors import InputError
from whiteline.evaluation.crosscheck import compare, differences
from whiteline.plotting import crosscheck_figure
from whiteline.simulation import Parameters, Sticks

STUDY = {
    "libraries": {
        "ni": {
            "ions": ["Ni2+"],
            "ten_dq": 1.0,
            "broadening": [
                {"lorentzian_hwhm_l3": 0.2, "lorentzian_hwhm_l2": 0.2, "gaussian_sigma": 0.2}
            ],
            "energy": {"start": 840.0, "stop": 885.0, "step": 0.1},
        }
    },
    "measures": {"cosine": {"kind": "cosine"}},
}
CASE = {"ions": ["Ni2+", "Cu2+"], "symmetry": "Oh", "points": {"ten_dq": 1.0}}
SPECTRUM = Sticks(np.array([-3.0, -1.0, 9.0]), np.array([0.1, 0.2, 0.05]))


def stick_file(engine, scale=(1.0, 1.0), shift=0.0, ion="Ni2+"):
    """Two points of one ion; the spectra are `SPECTRUM`, scaled and shifted."""
    rows = [Parameters(ten_dq=ten_dq).as_dict() for ten_dq in (0.8, 1.2)]
    return contracts.dataset(
        "sticks",
        {
            "energy": np.tile(SPECTRUM.energy + shift, 2),
            "intensity": np.concatenate([factor * SPECTRUM.intensity for factor in scale]),
            "row_size": [3, 3],
            **{name: [row[name] or np.nan for row in rows] for name in ("ten_dq", "temperature")},
        },
        engine=engine,
        ion=ion,
        symmetry="Oh",
    )


def test_a_spectrum_does_not_differ_from_itself():
    found = compare(SPECTRUM, SPECTRUM)
    assert found.largest == 0
    assert found.shift == pytest.approx(0, abs=1e-9)
    assert found.area_ratio == 1


@pytest.mark.parametrize("shift", [-3.0, 0.013, 0.5])
def test_a_shift_is_found_and_counts_as_difference(shift):
    found = compare(SPECTRUM, Sticks(SPECTRUM.energy + shift, SPECTRUM.intensity))
    assert found.shift == pytest.approx(shift, abs=1e-3)
    assert found.largest > 1e-3


def test_a_common_factor_counts_as_difference():
    found = compare(SPECTRUM, Sticks(SPECTRUM.energy, 2 * SPECTRUM.intensity))
    assert found.largest == pytest.approx(0.5)
    assert found.area_ratio == pytest.approx(0.5)
    assert found.shift == pytest.approx(0, abs=1e-9)


def test_the_table_holds_the_worst_point_of_every_pair():
    files = [
        ("plain", stick_file("multiplet")),
        ("plain", stick_file("edrixs", scale=(1.0, 1.1))),
        ("plain", stick_file("quanty")),
        ("other", stick_file("multiplet", ion="Cu2+")),
        ("other", stick_file("quanty", shift=0.1, ion="Cu2+")),
    ]
    table = differences(files)
    pairs = list(zip(table["engine_a"], table["engine_b"], strict=True))
    assert pairs == [
        ("multiplet", "edrixs"),
        ("multiplet", "quanty"),
        ("edrixs", "quanty"),
        ("multiplet", "quanty"),
    ]
    first, second, _, last = table.itertuples()
    assert first.largest_difference == pytest.approx(1 - 1 / 1.1, rel=1e-6)
    assert first.parameters == "ten_dq=1.2"
    assert first.area_ratio == pytest.approx(1 / 1.1, rel=1e-6)
    assert first.points == 2
    assert second.largest_difference == 0
    assert (last.case, last.ion, last.symmetry) == ("other", "Cu2+", "Oh")
    assert last.energy_shift == pytest.approx(0.1, abs=1e-3)


def test_one_engine_is_not_enough():
    with pytest.raises(InputError, match="needs two engines that know the same case"):
        differences([("plain", stick_file("multiplet"))])


def test_the_figure_shows_every_pair_and_the_limit():
    table = differences(
        ("plain", stick_file(engine, scale=(1.0, scale)))
        for engine, scale in (("multiplet", 1.0), ("edrixs", 1.01), ("quanty", 1.0))
    )
    figure = crosscheck_figure(table)
    assert [trace.name for trace in figure.data] == [
        "Whiteline and EDRIXS",
        "Whiteline and Quanty",
        "EDRIXS and Quanty",
    ]
    assert figure.layout.shapes[0].x0 == 5e-4
    assert all(trace.x[0] > 0 for trace in figure.data)


def test_the_default_cases_are_valid():
    cases = configuration.load(STUDY, "study.yaml")["crosscheck"]["cases"]
    assert len({ion for case in cases.values() for ion in case["ions"]}) >= 11
    assert {case["symmetry"] for case in cases.values()} == {"Oh", "Td", "D4h", "C3v"}


@pytest.mark.parametrize(
    ("crosscheck", "expected"),
    [
        ({"engines": ["multiplet", "quantum"]}, "crosscheck.engines: 'quantum' is no kind"),
        ({"engines": ["multiplet"]}, "crosscheck.engines"),
        ({"cases": {"a": CASE | {"ions": ["Ni9+"]}}}, "crosscheck.cases.a.ions: 'Ni9+'"),
        (
            {"cases": {"a": CASE | {"points": {"ten_dq": 1, "ds": 0.1}}}},
            "points.ds: needs symmetr",
        ),
        ({"cases": {"a": CASE | {"points": {"tendq": 1}}}}, "crosscheck.cases.a.points"),
        ({"cases": {"a": CASE | {"points": {"ten_dq": 1, "temperature": 0}}}}, "not above 0"),
    ],
)
def test_a_faulty_configuration(crosscheck, expected):
    with pytest.raises(InputError, match=r"study.yaml") as error:
        configuration.load(STUDY | {"crosscheck": crosscheck}, "study.yaml")
    assert expected in str(error.value)
