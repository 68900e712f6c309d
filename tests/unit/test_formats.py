"""Reading measured spectra: the usual ways of writing them, and a clear sentence for bad ones."""

from pathlib import Path

import numpy as np
import pytest

from whiteline import measured
from whiteline.errors import InputError
from whiteline.formats import Recorded, read_spectrum
from whiteline.formats.tidy import Recording, points_down, tidy

DATA = Path(__file__).parents[2].parent / "shared" / "data"
MNEDGENET = DATA / "measured" / "mnedgenet"
PIXELS = DATA / "measured" / "mn_classifier" / "Mn2_615-685eV_thinnest_448.npz"
SOLIDS = ("MnO", "LaMnO3", "SrMnO3", "YBaMn3AlO7")

ENERGY = np.round(np.linspace(635.0, 660.0, 26), 1)
SIGNAL = np.round(
    0.1 + np.exp(-((ENERGY - 640) ** 2)) + 0.4 * np.exp(-0.5 * (ENERGY - 651) ** 2), 4
)


def solid(name):
    path = MNEDGENET / f"Data2_{name}.csv"
    if not path.is_file():
        pytest.skip("the measured spectra of ../shared/data are not here")
    return path


def rows(delimiter=",", number="{:.4f}"):
    cells = ((number.format(e), number.format(y)) for e, y in zip(ENERGY, SIGNAL, strict=True))
    return [delimiter.join(pair) for pair in cells]


def write(folder, lines, name="spectrum.csv", newline="\n", encoding="utf-8"):
    path = folder / name
    path.write_bytes((newline.join(lines) + newline).encode(encoding))
    return path


def check(path, **columns):
    spectrum = read_spectrum(path, **columns)
    np.testing.assert_allclose(spectrum.energy, ENERGY)
    np.testing.assert_allclose(spectrum.intensity, SIGNAL)
    return spectrum


def fails(path, *words, **columns):
    with pytest.raises(InputError) as error:
        read_spectrum(path, **columns)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    for word in words:
        assert word in message


# Ways of writing a table


@pytest.mark.parametrize("delimiter", [",", ", ", ";", "\t", " ", "   ", " ; ", ",\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("ending", [".txt", ".csv", ".dat", ".CSV"])
def test_delimiters_line_ends_and_endings(tmp_path, delimiter, newline, ending):
    spectrum = check(write(tmp_path, rows(delimiter), f"spectrum{ending}", newline))
    assert spectrum.notes == ()
    assert spectrum.energy.dtype == spectrum.intensity.dtype == np.float64


@pytest.mark.parametrize("delimiter", [";", "\t", " ", "  ", "; "])
def test_decimal_commas(tmp_path, delimiter):
    check(write(tmp_path, [row.replace(".", ",") for row in rows(delimiter)]))


def test_whole_numbers_among_decimal_commas(tmp_path):
    lines = [row.replace(".", ",") for row in rows(" ", "{:g}")]
    check(write(tmp_path, ["Energie Signal", *lines]), energy_column="Energie")


@pytest.mark.parametrize("mark", ["D", "d", "E", "e"])
def test_fortran_exponents(tmp_path, mark):
    check(write(tmp_path, [row.replace("E", mark) for row in rows(" ", "{:.7E}")]))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path, encoding):
    path = write(tmp_path, ["T (°C) 25", "energy,µ", *rows()], encoding=encoding)
    check(path, energy_column="energy", intensity_column="µ")


@pytest.mark.parametrize("mark", ["#", "%", ";", "!", "# ", "  # "])
def test_comments_before_and_among_the_rows(tmp_path, mark):
    head = [f"{mark}measured in 2020", "", f"{mark}energy,signal"]
    lines = [*head, *rows()[:5], f"{mark}beam lost", "", *rows()[5:], ""]
    check(write(tmp_path, lines), energy_column="energy", intensity_column="signal")


def test_trailing_delimiters(tmp_path):
    check(write(tmp_path, ["a,b,", *[f"{row}," for row in rows()]]), intensity_column="b")


def test_quoted_names_with_delimiters_in_them(tmp_path):
    path = write(tmp_path, ['"energy, eV","signal, 1"', *rows()])
    check(path, energy_column="energy, eV", intensity_column="signal, 1")


def test_text_in_a_column_that_is_not_read(tmp_path):
    path = write(tmp_path, ["time,energy,signal", *[f"12:03:04,{row}" for row in rows()]])
    check(path, energy_column="energy", intensity_column="signal")
    fails(path, "line 2", "'12:03:04' is not a number")


# Columns


@pytest.fixture
def scan(tmp_path):
    names = "Energy_007\tIs (A)_1_007\tIm (A)_1_007\tIs/Im (#)_1_007"
    lines = [f"{row}\t1.0\t{row.split()[1]}" for row in rows("\t")]
    return write(tmp_path, [names, *lines], "scan.txt", "\r\n")


@pytest.mark.parametrize("column", ["Is/Im (#)_1_007", "Is/Im", "is/im", 3])
def test_columns_by_name_beginning_and_position(scan, column):
    check(scan, energy_column="Energy", intensity_column=column)


def test_an_exact_name_goes_before_a_beginning(tmp_path):
    path = write(
        tmp_path,
        ["energy,mu_norm,mu", *[f"{r.split(',')[0]},1,{r.split(',')[1]}" for r in rows()]],
    )
    check(path, intensity_column="mu")


def test_names_above_a_line_of_units(tmp_path):
    check(write(tmp_path, ["Energy,Signal", "eV,counts", *rows()]), intensity_column="Signal")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"intensity_column": "TEY"}, ("'TEY'", "'Energy_007'", "'Is/Im (#)_1_007'")),
        ({"intensity_column": "Is"}, ("several columns fit 'Is'", "'Is (A)_1_007'")),
        ({"intensity_column": 4}, ("no column 4", "'Energy_007'")),
        ({"intensity_column": -1}, ("no column -1",)),
        ({"intensity_column": 0}, ("both read from column 0",)),
    ],
)
def test_wrong_columns(scan, columns, words):
    fails(scan, *words, **columns)


def test_wrong_column_of_a_file_without_names(tmp_path):
    fails(write(tmp_path, rows()), "names none", "0 to 1", intensity_column="mu")


# Files that are no spectrum


def test_missing_file_and_folder(tmp_path):
    fails(tmp_path / "nothing.csv", "no such file")
    fails(tmp_path, "folder")


@pytest.mark.parametrize("name", ["spectrum.pdf", "spectrum", "spectrum.dm3", "spectrum.msa"])
def test_content_goes_before_the_ending(tmp_path, name):
    (note,) = check(write(tmp_path, rows(), name)).notes
    assert note == f"the file is text columns, whatever its ending {Path(name).suffix!r}"


@pytest.mark.parametrize("name", ["spectrum.csv", "spectrum.msa"])
def test_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    fails(tmp_path / name, "empty")


@pytest.mark.parametrize(
    "content", [b"640.0,1.0\n\0\0\1", b"\x81\x8d\xff,\n1,2\n", bytes(range(256))]
)
def test_binary_file(tmp_path, content):
    path = tmp_path / "spectrum.dat"
    path.write_bytes(content)
    fails(path, "binary")


@pytest.mark.parametrize("lines", [["energy,signal"], ["# energy,signal", ""], ["", " "]])
def test_header_alone(tmp_path, lines):
    fails(write(tmp_path, lines), "no rows of numbers")


def test_one_column(tmp_path):
    fails(write(tmp_path, ["energy", *map(str, ENERGY)]), "only one column")


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("end of scan 1", "'end of scan 1'"),
        ("640.0", "2 columns"),
        ("640.0,1.0,2.0", "2 columns"),
        ("640.0,x", "'x' is not a number"),
        ("640.0,1_0", "not a number"),
        ("640.0,1.#IND", "not a number"),
        (",1.0", "'' is not a number"),
        ("640.0,nan", "not a finite number"),
        ("640.0,-INF", "not a finite number"),
        ("640.0,1e999", "not a finite number"),
        ("energy,signal", "'energy' is not a number"),
    ],
)
def test_bad_row(tmp_path, row, word):
    lines = rows()
    lines.insert(12, row)
    fails(write(tmp_path, ["energy,signal", "", *lines]), "line 15", word)


def test_too_few_points(tmp_path):
    fails(write(tmp_path, rows()[:9]), "9 points", "at least 10")
    fails(write(tmp_path, rows()[:9] * 3), "9 different energies", "at least 10")
    assert len(read_spectrum(write(tmp_path, rows()[:10])).energy) == 10


def test_constant_columns(tmp_path):
    fails(write(tmp_path, [f"{e},0.3" for e in ENERGY]), "0.3 everywhere")
    fails(write(tmp_path, [f"640,{y}" for y in SIGNAL]), "all energies are 640")
    alternating = [f"{e},{y}" for e in ENERGY for y in (0, 1)]
    fails(write(tmp_path, alternating), "0.5 everywhere")


def test_energies_that_are_none(tmp_path):
    fails(
        write(tmp_path, [f"{e * 1e5},{y}" for e, y in zip(ENERGY, SIGNAL, strict=True)]),
        "1e+06 eV",
    )


# What is put right


def test_order_and_duplicates():
    energy = np.concatenate([ENERGY[::-1], ENERGY[3:5]])
    signal = np.concatenate([SIGNAL[::-1], SIGNAL[3:5] + 0.2])
    spectrum = tidy(Recording(energy, signal), "spectrum")
    np.testing.assert_array_equal(spectrum.energy, ENERGY)
    expected = SIGNAL.copy()
    expected[3:5] += 0.1
    np.testing.assert_allclose(spectrum.intensity, expected)
    assert len(spectrum.notes) == 2


def test_negative_energies_and_signal():
    spectrum = tidy(Recording(-ENERGY, -SIGNAL), "spectrum")
    np.testing.assert_array_equal(spectrum.energy, ENERGY)
    np.testing.assert_array_equal(spectrum.intensity, SIGNAL)
    assert len(spectrum.notes) == 2


@pytest.mark.parametrize("offset", [-1e3, 0.0, 1e3])
@pytest.mark.parametrize("slope", [-3.0, 0.0, 3.0])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("name", SOLIDS)
def test_sign_of_measured_spectra_on_any_background(name, sign, slope, offset):
    spectrum = read_spectrum(solid(name))
    signal = spectrum.intensity / np.ptp(spectrum.intensity)
    position = (spectrum.energy - spectrum.energy[0]) / np.ptp(spectrum.energy)
    assert points_down(spectrum.energy, sign * (signal + slope * position + offset)) == (sign < 0)


def test_sign_of_noisy_spectra():
    if not PIXELS.is_file():
        pytest.skip("the measured spectra of ../shared/data are not here")
    with np.load(PIXELS) as data:
        energy, spectra = data["energy_eV_nominal"], data["spectra"].astype(float)
    assert not any(points_down(energy, spectrum) for spectrum in spectra)
    assert all(points_down(energy, -spectrum) for spectrum in spectra)


# Real files


@pytest.mark.parametrize(
    ("name", "points", "l3"),
    [
        ("MnO", 271, 640.5),
        ("LaMnO3", 273, 642.3),
        ("SrMnO3", 254, 643.2),
        ("YBaMn3AlO7", 225, 640.4),
    ],
)
def test_digitised_spectra(name, points, l3):
    spectrum = read_spectrum(solid(name), energy_column="Column2", intensity_column="Column3")
    assert len(spectrum.energy) == points
    assert (np.diff(spectrum.energy) > 0).all()
    assert spectrum.energy[spectrum.intensity.argmax()] == pytest.approx(l3, abs=0.05)


def test_truncated_files_raise_nothing_but_input_error(tmp_path):
    content = solid("MnO").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "spectrum.csv"
    for _ in range(200):
        start, stop = sorted(rng.integers(0, len(content), 2))
        path.write_bytes(content[start:stop])
        read_or_refuse(path)


@pytest.mark.parametrize("ending", [".csv", ".msa"])
def test_damaged_files_raise_nothing_but_input_error(tmp_path, ending):
    content = solid("MnO").read_bytes() if ending == ".csv" else "\n".join(msa()).encode()
    rng = np.random.default_rng(1)
    path = tmp_path / f"spectrum{ending}"
    for _ in range(200):
        damaged = np.frombuffer(content, dtype=np.uint8).copy()
        places = rng.integers(0, len(damaged), rng.integers(1, 20))
        damaged[places] = rng.integers(1, 256, len(places))
        path.write_bytes(damaged.tobytes())
        read_or_refuse(path)


def read_or_refuse(path):
    try:
        spectrum = read_spectrum(path)
    except InputError:
        return
    assert isinstance(spectrum, Recorded)
    assert (np.diff(spectrum.energy) > 0).all()
    assert np.isfinite(spectrum.intensity).all()


# EELS files


def msa(**changes):
    keywords = {
        "FORMAT": "EMSA/MAS Spectral Data File",
        "VERSION": "1.0",
        "TITLE": "",
        "NPOINTS": f"{len(ENERGY)}.0",
        "NCOLUMNS": "1.0",
        "XUNITS": "eV",
        "YUNITS": "Counts",
        "DATATYPE": "Y",
        "XPERCHAN": "1.0",
        "OFFSET": "635.0",
        "SIGNALTYPE": "ELS",
        "SPECTRUM": "",
        **changes,
    }
    data = rows(", ") if keywords["DATATYPE"] == "XY" else map(str, SIGNAL)
    head = [f"#{name:<12}: {value}" for name, value in keywords.items() if value is not None]
    return [*head, *data, "#ENDOFDATA   : "]


def test_msa(tmp_path):
    check(write(tmp_path, msa(), "spectrum.msa"))


def test_msa_with_energies(tmp_path):
    check(write(tmp_path, msa(DATATYPE="XY", XPERCHAN="9.0"), "spectrum.msa"))


def test_msa_in_kilovolts(tmp_path):
    lines = msa(XUNITS="keV", XPERCHAN="0.001", OFFSET="0.635")
    spectrum = check(write(tmp_path, lines, "spectrum.msa"))
    assert spectrum.notes == ("energies were converted from keV",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"NPOINTS": "2048.0"}, ("26 points", "2048", "truncated")),
        ({"NPOINTS": None}, ("NPOINTS",)),
        ({"XUNITS": "nm"}, ("XUNITS", "'nm'", "eV or keV")),
        ({"XUNITS": None}, ("XUNITS", "missing")),
        ({"OFFSET": None}, ("OFFSET",)),
        ({"XPERCHAN": "wide"}, ("XPERCHAN",)),
        ({"XPERCHAN": "nan"}, ("XPERCHAN",)),
        ({"DATATYPE": None}, ("EMSA/MAS",)),
        ({"DATATYPE": "Z"}, ("EMSA/MAS",)),
    ],
)
def test_bad_msa(tmp_path, changes, words):
    fails(write(tmp_path, msa(**changes), "spectrum.msa"), *words)


def test_msa_that_is_something_else(tmp_path):
    fails(write(tmp_path, [*msa()[:20], "counts"], "spectrum.msa"), "EMSA/MAS")


def test_msa_has_no_columns(tmp_path):
    fails(write(tmp_path, msa(), "spectrum.msa"), "no columns", intensity_column=1)


# The table of public spectra


def test_groups_and_entries_of_the_table():
    scans = measured.group("co_series")
    assert len(scans) == 18
    assert len({(scan.source, scan.sha256) for scan in scans}) == 1
    assert measured.entry("co_027").member.endswith("240120_027.txt")
    assert measured.entry("co_027").ion is None
    (oxide,) = measured.group("mno")
    assert (oxide.id, oxide.ion, oxide.filename) == ("MnO", "Mn2+", "MnO.csv")
    assert (oxide.energy_column, oxide.intensity_column) == (0, 1)
    assert measured.group("mn_eels")[0].filename.endswith(".msa")


def test_every_entry_can_be_fetched_and_checked():
    for entry in measured.entries():
        assert len(entry.sha256) == 64
        assert entry.source.startswith(("pypi:", "https://"))
        assert bool(entry.member) == entry.source.startswith("pypi:")


def test_unknown_group_and_entry():
    with pytest.raises(
        InputError, match="'iron' of measured spectra; there are co_series, mn_eels, mno"
    ):
        measured.group("iron")
    with pytest.raises(InputError, match="'co_1'; there are co_003, "):
        measured.entry("co_1")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",valence,", ",charge,", "'valence' is missing"),
        ("MnO,mno", "co_003,mno", "'co_003' occurs more than once"),
        (",0,1,2,", ",0,1,two,", "'two', not a whole number"),
        ("mno,Mn,", "mno,,", "element is empty"),
        (",MIT", ",MIT,more", "'surplus' is not known"),
    ],
)
def test_broken_table(tmp_path, old, new, message):
    table = tmp_path / "table.csv"
    table.write_text(
        measured.TABLE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8"
    )
    with pytest.raises(InputError, match=message):
        measured.entries(table)
