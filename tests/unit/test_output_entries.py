"""Which files make a library: tables, file names, and what is wrong with them."""

import numpy as np
import pytest

from whiteline import configuration
from whiteline.errors import InputError
from whiteline.outputs.entries import listing

NAMES = ("Co2+ Oh 10Dq 0.5 Dt 0 Ds 0_data.xy", "Co3+ D4h 10Dq 1.25 Dt 0.1 Ds -2e-1_data.xy")
PATTERN = "{ion} {symmetry} 10Dq {ten_dq} Dt {dt} Ds {ds}*"


@pytest.fixture
def folder(tmp_path):
    for name in (*NAMES, "a.spec", "b.spec"):
        (tmp_path / name).write_text("1 2\n")
    return tmp_path


@pytest.fixture
def table(folder):
    def listed(text):
        path = folder / "table.csv"
        path.write_text(text)
        return listing({"table": str(path), "on_error": "stop"})

    return listed


def named(folder, pattern=PATTERN, on_error="stop", paths="*.xy"):
    paths = [str(folder / paths)]
    return listing({"paths": paths, "pattern": pattern, "on_error": on_error})


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_table(table, folder, mark):
    text = "file,ion,ten_dq,slater_reduction,symmetry,gaussian_sigma,energy_shift,kind\n"
    text += "a.spec,Co3+,1.5,0.8,D4h,0.2,-1,quanty\n\nb.spec,Co2+,,,,,,\n"
    found = table(text.replace(",", mark))
    first, second = found.entries
    assert first.path == str(folder / "a.spec")
    assert (first.ion, first.symmetry, first.kind) == ("Co3+", "D4h", "quanty")
    assert first.where.endswith("table.csv, line 2")
    assert second.where.endswith("table.csv, line 4")
    assert first.numbers["energy_shift"] == -1
    # The p-d integrals are reduced as the d-d ones where nothing else is said.
    assert first.value("slater_reduction_pd") == 0.8
    assert (second.ion, second.symmetry, second.kind) == ("Co2+", "Oh", None)
    assert np.isnan(second.value("ten_dq"))
    assert found.ions == ["Co2+", "Co3+"]
    assert found.symmetries == ["D4h", "Oh"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "has no rows"),
        ("file,ion\n", "has no rows"),
        ("file,ion,ten_qd\na.spec,Co2+,1\n", "line 1: there is no column 'ten_qd'; did you mean"),
        ("file,ion,spam\na.spec,Co2+,1\n", "line 1: there is no column 'spam'; there are file,"),
        ("file,ion,ion\na.spec,Co2+,Co2+\n", "line 1: the column 'ion' stands twice"),
        ("file,ten_dq\na.spec,1\n", "line 1: the column 'ion' is missing"),
        ("ion\nCo2+\n", "line 1: the column 'file' is missing"),
        ("file,ion\na.spec,Co2+,1\n", "line 2: has 3 cells where the header has 2"),
        ("file,ion\na.spec,\n", "line 2: the ion is missing"),
        ("file,ion\na.spec,Co9+\n", "line 2: 'Co9+' is not in the table"),
        ("file,ion\na.spec,cobalt\n", "line 2: 'cobalt' is not an ion"),
        ("file,ion\na.spec,Co2+\nb.spec,Mn2+\n", "line 3: Mn2+ beside Co2+"),
        ("file,ion\na.spec,Co2+\na.spec,Co3+\n", "line 3: "),
        ("file,ion\nc.spec,Co2+\n", "c.spec: no such file"),
        ("file,ion\n.,Co2+\n", "is a folder, name its files"),
        ("file,ion,symmetry\na.spec,Co2+,C4\n", "line 2: the symmetry 'C4' is none of Oh,"),
        ("file,ion,ten_dq\na.spec,Co2+,x\n", "line 2: ten_dq is 'x', not a number"),
        ("file,ion,ten_dq\na.spec,Co2+,nan\n", "line 2: ten_dq is 'nan', not a finite number"),
        ("file,ion,temperature\na.spec,Co2+,0\n", "line 2: temperature is 0, not above 0"),
        ("file,ion,gaussian_sigma\na.spec,Co2+,-1\n", "line 2: gaussian_sigma is -1, below 0"),
        ("file,ion,ds\na.spec,Co2+,0.1\n", "line 2: ds is 0.1, but Oh has none; it needs"),
        ("file,ion,kind\na.spec,Co2+,feff\n", "line 2: there is no kind 'feff', only quanty"),
    ],
)
def test_what_is_wrong_in_a_table_is_said_with_its_line(table, text, expected):
    with pytest.raises(InputError) as caught:
        table(text)
    assert expected in str(caught.value)
    assert "table.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_names(folder):
    found = named(folder)
    assert [entry.ion for entry in found.entries] == ["Co2+", "Co3+"]
    assert found.entries[0].numbers == {"ten_dq": 0.5, "dt": 0.0, "ds": 0.0}
    assert found.entries[1].symmetry == "D4h"
    assert found.entries[1].numbers == {"ten_dq": 1.25, "dt": 0.1, "ds": -0.2}
    assert found.faults == ()


@pytest.mark.parametrize("anything", ["*", "..."])
def test_anything_may_stand_between(folder, anything):
    (folder / "Ni2+ batch-7 10Dq 1.1.spec").write_text("1 2\n")
    found = named(folder, f"{{ion}}{anything}10Dq {{ten_dq}}", paths="Ni*")
    assert found.entries[0].numbers == {"ten_dq": 1.1}


def test_element_and_electron_count_tell_the_ion(folder):
    (folder / "Mn_d5_Td_10Dq0.6_iso.spec").write_text("1 2\n")
    pattern = "{element}_d{d_count}_{symmetry}_10Dq{ten_dq}_iso"
    (entry,) = named(folder, pattern, paths="Mn*").entries
    assert (entry.ion, entry.symmetry, entry.numbers) == ("Mn2+", "Td", {"ten_dq": 0.6})
    (folder / "Mn_d9_Td_10Dq0.6_iso.spec").write_text("1 2\n")
    with pytest.raises(InputError, match=r"Mn_d9.*: Mn has no d9 in the table, only d"):
        named(folder, pattern, paths="Mn*")


def test_a_name_that_does_not_fit_stops_or_is_left_out(folder):
    (folder / "notes.xy").write_text("1 2\n")
    with pytest.raises(InputError, match=r"notes.xy: the name does not fit the pattern"):
        named(folder)
    found = named(folder, on_error="skip")
    assert len(found.entries) == 2
    (fault,) = found.faults
    assert "notes.xy: the name does not fit" in fault


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{ion} {ten_qd}", "has {ten_qd}; did you mean {ten_dq}?"),
        ("{ten_dq}", "tells no ion"),
        ("{element} {ten_dq}", "tells no ion"),
        ("{ion} {ion}", "has {ion} twice"),
        ("{ion}", "the name does not fit the pattern '{ion}'"),
        (None, "'paths' needs 'pattern'"),
    ],
)
def test_what_is_wrong_with_a_pattern(folder, pattern, expected):
    with pytest.raises(InputError) as caught:
        named(folder, pattern)
    assert expected in str(caught.value)


def test_paths_without_files(folder):
    with pytest.raises(InputError, match=r"\*.none: there is no such file"):
        named(folder, paths="*.none")
    with pytest.raises(InputError, match="no file fits the pattern"):
        named(folder, pattern="{ion}", on_error="skip")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"files": None}, "libraries.co: the key 'files' is missing"),
        ({"engine": "multiplet"}, "libraries.co: 'files' needs engine: files"),
        ({"ten_dq": 1.0}, "libraries.co.ten_dq: a library of files has it from its files"),
        ({"ions": ["Co2+"]}, "libraries.co.ions: a library of files has it from its files"),
        ({"files": {}}, "libraries.co.files: give either 'table' or 'paths'"),
        ({"files": {"table": "no.csv"}}, "libraries.co.files: no.csv: no such file"),
        ({"files": {"tabel": "no.csv"}}, "unknown key 'tabel'; did you mean 'table'?"),
        ({"energy": {"start": 630, "stop": 660, "step": 0.1}}, "does not hold the L2,3 edges"),
    ],
)
def test_the_configuration_of_a_library_of_files(folder, changes, expected):
    with pytest.raises(InputError) as caught:
        configuration.load(study(folder, **changes), "study.yaml")
    assert expected in str(caught.value)


def study(folder, scenarios=None, **changes):
    library = {
        "engine": "files",
        "files": {"paths": [str(folder / "*.xy")], "pattern": PATTERN},
        "broadening": [
            {"lorentzian_hwhm_l3": 0.2, "lorentzian_hwhm_l2": 0.4, "gaussian_sigma": 0.2}
        ],
        "energy": {"start": 766.0, "stop": 804.0, "step": 0.1},
    } | changes
    library = {key: value for key, value in library.items() if value is not None}
    measures = {"cosine": {"kind": "cosine"}}
    return {"libraries": {"co": library}, "measures": measures, "scenarios": scenarios or {}}


def test_the_files_tell_ions_and_symmetries_and_there_are_no_axes(folder):
    library = configuration.load(study(folder), "study.yaml")["libraries"]["co"]
    assert library["ions"] == ["Co2+", "Co3+"]
    assert library["symmetry"] == ["Oh", "D4h"]
    assert library["files"]["energy_zero"] == "auto"
    assert not {"ten_dq", "slater_reduction", "temperature"} & set(library)


def test_test_spectra_need_10dq(folder):
    with pytest.raises(InputError, match="no file has a ten_dq, and test spectra need it"):
        configuration.load(
            study(
                folder,
                scenarios={"off": {"tier": "b", "spectra": 3}},
                files={"paths": [str(folder / "Co2*.xy")], "pattern": "{ion} *"},
            ),
            "study.yaml",
        )


def test_tier_a_needs_two_values_of_10dq_of_one_ion(folder):
    with pytest.raises(InputError, match="tier a leaves a value of 10Dq out"):
        configuration.load(
            study(folder, scenarios={"grid": {"tier": "a", "spectra": 3}}), "study.yaml"
        )
