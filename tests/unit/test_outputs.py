"""Readers of other programs' output: what they make of good files, and what they say of bad ones.

The files are written here in each program's format; real ones are in tests/physics.
"""

import netCDF4
import numpy as np
import pytest

from whiteline import outputs
from whiteline.errors import InputError
from whiteline.simulation import POLARISATIONS

ENERGY = np.round(np.arange(-4.0, 6.0, 0.25), 6)
RIGHT, PARALLEL, LEFT = (
    height / (1 + ((ENERGY - place) / 0.3) ** 2)
    for height, place in ((1.0, 0.0), (2.0, 0.5), (3.0, 1.0))
)
COMPONENTS = np.column_stack([RIGHT, PARALLEL, LEFT])
ISOTROPIC = COMPONENTS.mean(axis=1)


def fortran(value):
    """As MATLAB on Windows writes it: 9.6700000e-004."""
    mantissa, exponent = f"{value:.7e}".split("e")
    return f"{mantissa}e{exponent[0]}{int(exponent[1:]):03d}"


def ctm4xas_data(*columns):
    rows = zip(ENERGY, *columns, strict=True)
    return "".join("   " + "  ".join(map(fortran, row)) + "\r\n" for row in rows)


STICKS = (
    "L Sticks\r\n\r-2.5000  0.12000\r\n 6.2500  0.03000\r\n"
    "R Sticks\r\n\r-2.2500  0.20000\r\n"
    "Z Sticks\r\n\r-2.5000  0.15000\r\n"
)


def spec(*spectra, gamma=0.4, energy=ENERGY):
    columns = "".join(
        f"Re[{n}]                 Im[{n}]                 " for n in range(len(spectra))
    )
    lines = [
        f"#Spectra: {len(spectra)}",
        f"Emin______Emax      {energy[0]: .15E} {energy[-1]: .15E}",
        f"EminPole__EmaxPole  {-3.0: .15E} {20.0: .15E}",
        f"dE________Gamma     {energy[1] - energy[0]: .15E} {gamma: .15E}",
        f"Energy               {columns}",
    ]
    for row in zip(energy, *spectra, strict=True):
        values = [row[0], *(value for signal in row[1:] for value in (0.5, signal))]
        lines.append("".join(f"{value: .12E} " for value in values))
    return "\n".join(lines) + "\n"


def ttmult(energy=ENERGY, sticks=True):
    text = "".join(f"{e:.6f} {i:.6f}\n" for e, i in zip(energy, ISOTROPIC, strict=True))
    return text + ("Sticks\n0.000000 0.400000\n1.000000 0.600000\n" if sticks else "")


BAN = """\
BAND 1
  ERANGE 0.300
  TRIADS
     0+    1-    1-  0
 Ground state energy Eg0= -1.000000000     (   1 times)
 TRANSFORMED MATRIX FOR TRIAD ( 0+       1-       1-       ) (1*      3) DIM :  1 : 0 : 3
 BRA/KET :   9.00000  10.00000
 -1.00000: -0.300000  0.400000
 BRA/KET :  20.00000
 -1.00000:  0.500000
 Total intensity   0.60000
%Output of Ander , BANAUG7
 FINISHED
"""

RAC = """ ---- EXECUTE TASK ----

 TRANSFORMED MATRIX for  TRIAD  3 (    0+    1-   -1- )  (2*2)   DIM :1 :1 :1    ACTOR LEFT

       ---- MATRIX ----   TRANSI PRINTTRANS

 BRA/KET :   5.00000  15.00000
------------------------------
  -2.0000:  0.100000  0.050000
  -1.9900:       0.0         0

 TRANSFORMED MATRIX for  TRIAD  4 (    0+   -1-    1- )  (2*2)   DIM :1 :1 :1    ACTOR RIGHT

 BRA/KET :   5.00000  15.00000
------------------------------
  -2.0000:  0.200000  0.040000
  -1.9900:  0.300000         0

 TRANSFORMED MATRIX for  TRIAD  5 (    0+    0-    0- )  (1*1)   DIM :1 :1 :1    ACTOR PARALLEL

 BRA/KET :   5.00000
--------------------
  -2.0000:  0.300000

 TRANSFORMATION FINISHED

 ECHO:
 RUNNER FINISHED
"""


def crispy(path, spectra, ion=("Ni", "2+"), edge="L2,3 (2p)", calculations=1, **axis):
    """A file as Crispy 2026.3 saves its results."""
    with netCDF4.Dataset(path, "w") as file:
        put(file, "format", "Crispy Results")
        for number in range(calculations):
            group = file.createGroup(str(number))
            texts = {"type": "calculation", "symbol": ion[0], "charge": ion[1], "edge": edge}
            for name, text in {**texts, "experiment": "XAS", "symmetry": "Oh"}.items():
                put(group, name, text)
            x_axis = group.createGroup("Axes").createGroup("XAxis")
            for name, value in ({"lorentzian": 0.48, "gaussian": 0.1} | axis).items():
                put(x_axis, name, value)
            results = group.createGroup("Spectra").createGroup("Results")
            for place, (suffix, signal) in enumerate(spectra.items()):
                result = results.createGroup(str(place))
                put(result, "suffix", suffix)
                result.createDimension("point", len(ENERGY))
                result.createDimension("column", 3)
                raw = result.createVariable("raw", "f8", ("point", "column"))
                raw[:] = np.column_stack([ENERGY + 850, np.zeros_like(ENERGY), signal])
    return path


def put(group, name, value):
    variable = group.createVariable(name, str if isinstance(value, str) else "f8", ())
    variable[...] = np.array(value, dtype=object) if isinstance(value, str) else value


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def test_ctm4xas_curve(write):
    path = write("Co2+ Oh_data.xy", ctm4xas_data(LEFT, RIGHT, PARALLEL))
    found = outputs.read(path)
    assert found.kind == "ctm4xas"
    assert found.sticks is None
    np.testing.assert_allclose(found.curve.energy, ENERGY, atol=1e-6)
    np.testing.assert_allclose(found.curve.components, COMPONENTS, rtol=1e-6)
    np.testing.assert_allclose(found.curve.intensity, ISOTROPIC, rtol=1e-6)
    # Its window knows the widths, the file does not.
    assert found.widths == {}


def test_ctm4xas_5_22_writes_right_before_left(write):
    found = outputs.read(write("Co2+ Oh.xy", ctm4xas_data(RIGHT, LEFT, PARALLEL)))
    np.testing.assert_allclose(found.curve.components, COMPONENTS, rtol=1e-6)


def test_ctm4xas_sticks(write):
    sticks = outputs.read(write("Co2+ Oh_sticks.xy", STICKS)).sticks
    np.testing.assert_allclose(sticks.energy, [-2.5, -2.5, -2.25, 6.25])
    np.testing.assert_allclose(sticks.intensity, np.array([0.12, 0.15, 0.2, 0.03]) / 3)
    totals = dict(zip(POLARISATIONS, sticks.components.sum(axis=0), strict=True))
    assert totals == pytest.approx({"right": 0.2, "parallel": 0.15, "left": 0.15})


def test_ttmult_curve_with_sticks_behind(write):
    found = outputs.read(write("input.xy", ttmult()))
    assert found.kind == "ttmult"
    np.testing.assert_allclose(found.curve.intensity, ISOTROPIC, atol=1e-6)
    np.testing.assert_allclose(found.sticks.energy, [0, 1])
    np.testing.assert_allclose(found.sticks.intensity, [0.4, 0.6])


@pytest.mark.parametrize("ending", ["ban_out", "oba"])
def test_signed_matrix_elements_of_bander_are_squared(write, ending):
    found = outputs.read(write(f"mn.{ending}", BAN))
    assert found.kind == "ttmult"
    np.testing.assert_allclose(found.sticks.energy, [10, 11, 21])
    np.testing.assert_allclose(found.sticks.intensity, [0.09, 0.16, 0.25])
    assert found.notes == ("matrix elements were squared",)


@pytest.mark.parametrize("ending", ["ora", "rac_out"])
def test_rac_populates_initial_states_and_keeps_polarisations(write, ending):
    path = write(f"ni.{ending}", RAC)
    cold, warm = (outputs.read(path, temperature=t).sticks for t in (1.0, 300.0))
    np.testing.assert_allclose(cold.energy, [7, 7, 7, 17, 17])
    expected = {"right": 0.24, "parallel": 0.3, "left": 0.15}
    assert dict(zip(POLARISATIONS, cold.components.sum(0), strict=True)) == pytest.approx(expected)
    # The second state lies 0.01 eV above the first.
    added = warm.intensity.sum() - cold.intensity.sum()
    assert added == pytest.approx(0.3 / 3 * np.exp(-0.01 / (8.617333e-5 * 300)))
    np.testing.assert_allclose(warm.intensity, warm.components.mean(axis=1))


def test_quanty_positive_as_crispy_prints_it(write):
    found = outputs.read(write("Ni_iso.spec", spec(ISOTROPIC)))
    assert found.kind == "quanty"
    np.testing.assert_allclose(found.curve.intensity, ISOTROPIC, rtol=1e-9)
    assert found.curve.components is None
    assert found.widths == {}


def test_quanty_raw_is_turned_and_states_its_width(write):
    found = outputs.read(write("Ni.spec", spec(-ISOTROPIC, gamma=0.5)))
    np.testing.assert_allclose(found.curve.intensity, ISOTROPIC, rtol=1e-9)
    assert found.widths == {
        "lorentzian_hwhm_l3": 0.25,
        "lorentzian_hwhm_l2": 0.25,
        "gaussian_sigma": 0.0,
    }
    assert found.notes == ("the sign of -Im G was turned",)


def test_three_spectra_of_quanty_are_averaged(write):
    found = outputs.read(write("Ni.spec", spec(*COMPONENTS.T)))
    np.testing.assert_allclose(found.curve.intensity, ISOTROPIC, rtol=1e-9)


def test_quanty_files_side_by_side_give_the_polarisations(write):
    write("Ni_r.spec", spec(RIGHT))
    write("Ni_l.spec", spec(LEFT))
    found = outputs.read(write("Ni_iso.spec", spec(ISOTROPIC)))
    np.testing.assert_allclose(found.curve.components, COMPONENTS, atol=1e-9)


def test_crispy_results(tmp_path):
    spectra = {"iso": ISOTROPIC, "cd": RIGHT - LEFT, "r": RIGHT, "l": LEFT}
    found = outputs.read(crispy(tmp_path / "results.hdf5", spectra))
    assert (found.kind, found.ion) == ("quanty", "Ni2+")
    np.testing.assert_allclose(found.curve.energy, ENERGY + 850)
    np.testing.assert_allclose(found.curve.components, COMPONENTS, atol=1e-12)
    assert found.widths == {
        "lorentzian_hwhm_l3": 0.24,
        "lorentzian_hwhm_l2": 0.24,
        "gaussian_sigma": 0.0,
    }


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("# energy xas\n", [ISOTROPIC]),
        ("", [ISOTROPIC]),
        ("# energy (eV)  isotropic  other\n", [ISOTROPIC, RIGHT]),
        ("# energy  sum  right  z  left\n", [3 * ISOTROPIC, RIGHT, PARALLEL, LEFT]),
    ],
)
def test_plain_columns_as_numpy_writes_them(write, header, columns):
    rows = np.column_stack([ENERGY, *columns])
    text = header + "".join("".join(f"{v: .18e} " for v in row) + "\n" for row in rows)
    found = outputs.read(write("xas.dat", text))
    assert found.kind == "columns"
    np.testing.assert_allclose(found.curve.intensity, ISOTROPIC)
    assert (found.curve.components is None) == (len(columns) < 4)


def changed(text, line, new):
    """The text with a line (from 1) put in another's place."""
    lines = text.splitlines(keepends=True)
    lines[line - 1] = new + "\n"
    return "".join(lines)


DATA = ctm4xas_data(LEFT, RIGHT, PARALLEL)
FAULTS = {
    "empty": ("a.xy", b"", "the file is empty"),
    "blank": ("a.xy", "\n \n", "nothing but blank lines"),
    "binary": ("a.xy", bytes(range(256)), "is a binary file"),
    "prose": ("a.xy", "Hello\nWorld\n", "no rows of numbers"),
    "few": ("a_data.xy", "".join(DATA.splitlines(keepends=True)[:5]), "has 5 points"),
    "short row": ("a_data.xy", DATA + "  6.0e+000  1.0e", "line 41: '6.0e+000  1.0e' is no row"),
    "no number": ("a_data.xy", changed(DATA, 7, " 1 2 x 4"), "line 7: 'x' is not a number"),
    "nan": ("a_data.xy", changed(DATA, 7, " NaN 2 3 4"), "line 7: 'NaN' is not a number"),
    "huge": ("a_data.xy", changed(DATA, 7, "1e999 2 3 4"), "line 7: '1e999' is not a finite"),
    "falls": ("a_data.xy", changed(DATA, 7, "-9 1 1 1"), "line 7: the energy -9 follows -2.75;"),
    "twice": ("a.xy", ttmult() + "Sticks\n1 2\n", "has the line 'Sticks' 2 times"),
    "dichroic": ("a.spec", spec(RIGHT - LEFT), "the intensity is"),
    "dichroic name": ("a_cd.spec", spec(ISOTROPIC), "a circular dichroic difference"),
    "one of two": ("a_r.spec", spec(RIGHT), "right circular light alone"),
    "two spectra": ("a.spec", spec(RIGHT, LEFT), "holds 2 spectra"),
    "nothing": ("a.spec", spec(0 * ISOTROPIC), "nowhere above 0"),
    "cut spec": ("a.spec", "\n".join(spec(ISOTROPIC).splitlines()[:30]), "where the header says"),
    "no header": ("a.spec", ttmult(), "line 1: '-4.000000 "),
    "quadrupole": ("a.xy", "0 Sticks\n1.0 2.0\n", "quadrupole"),
    "two of three": ("a.xy", STICKS[: STICKS.index("Z Sticks")], "holds the sticks L, R where"),
    "no sticks": ("a.xy", "L Sticks\nR Sticks\nZ Sticks\n", "holds no sticks"),
    "negative stick": ("a.xy", STICKS.replace("0.15", "-0.15"), "-0.15, below 0"),
    "many columns": ("a.dat", "1 2 3\n" * 20, "has 3 columns; a header must name"),
    "no matrices": ("a.ora", "RUNNER FINISHED\n", "holds no transformed matrices"),
    "unfinished": ("a.oba", BAN.replace(" FINISHED", ""), "does not end with FINISHED"),
    "cut matrix": ("a.oba", BAN.replace("  0.400000", ""), "line 8: has 1 values where 2"),
    "cut columns": ("a.oba", BAN.replace("20.0", "20.0 21.0 2"), "line 10: has 1 values"),
    "lost column": ("a.oba", BAN.replace("(1*      3)", "(1*      4)"), "line 6: the block has 3"),
    "lost row": ("a.ora", RAC.replace("-1.9900:  0.3", ":"), "1 of 2 initial states"),
    "no hdf5": ("a.hdf5", b"\x89HDF\r\n\x1a\n" + bytes(50), "can't be read as HDF5"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_said_in_one_sentence_with_the_file(write, name):
    file, content, expected = FAULTS[name]
    with pytest.raises(InputError) as caught:
        outputs.read(write(file, content))
    message = str(caught.value)
    assert expected in message
    assert file in message
    assert "\n" not in message


def test_files_side_by_side_must_share_their_energies(write):
    write("Ni_r.spec", spec(RIGHT))
    write("Ni_l.spec", spec(LEFT, energy=ENERGY + 0.1))
    with pytest.raises(InputError, match=r"Ni_l.spec: is not on the energies of Ni_iso.spec"):
        outputs.read(write("Ni_iso.spec", spec(ISOTROPIC)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"edge": "K (1s)"}, "is of XAS at K"),
        ({"spectra": {"k": ISOTROPIC}}, "holds no isotropic absorption, only k"),
        ({"calculations": 2}, "holds 2 calculations"),
        ({"spectra": {"iso": np.full_like(ENERGY, np.nan)}}, "its spectrum is not of energy"),
    ],
)
def test_crispy_results_that_are_no_single_l23_spectrum(tmp_path, changes, expected):
    path = crispy(tmp_path / "results.hdf5", **{"spectra": {"iso": ISOTROPIC}, **changes})
    with pytest.raises(InputError, match=expected):
        outputs.read(path)


def test_hdf5_of_another_program(tmp_path):
    with netCDF4.Dataset(tmp_path / "other.hdf5", "w") as file:
        put(file, "format", "Something else")
    with pytest.raises(InputError, match="not the results that Crispy saves"):
        outputs.read(tmp_path / "other.hdf5")


def test_a_missing_file_a_folder_and_an_unknown_kind(tmp_path, write):
    with pytest.raises(InputError, match=r"none.xy: no such file"):
        outputs.read(tmp_path / "none.xy")
    with pytest.raises(InputError, match="is a folder"):
        outputs.read(tmp_path)
    with pytest.raises(InputError, match="there is no kind 'spam', only quanty, ttmult"):
        outputs.read(write("a.xy", ttmult()), kind="spam")


def test_a_kind_that_is_told_is_taken(write):
    path = write("a.xy", ttmult(sticks=False))
    assert outputs.read(path).kind == "columns"
    assert outputs.read(path, kind="ttmult").kind == "ttmult"
    with pytest.raises(InputError, match="is no row of 4 numbers"):
        outputs.read(path, kind="ctm4xas")


GOOD = {
    "a_data.xy": DATA,
    "a_sticks.xy": STICKS,
    "a.xy": ttmult(),
    "a.ban_out": BAN,
    "a.ora": RAC,
    "a.spec": spec(ISOTROPIC),
    "b.spec": spec(*COMPONENTS.T),
    "a.dat": "# energy right parallel left\n"
    + "".join(f"{e} {r} {p} {q}\n" for e, (r, p, q) in zip(ENERGY, COMPONENTS, strict=True)),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_file_cut_anywhere_is_read_or_refused(write, name):
    content = GOOD[name].encode()
    results = [outcome(write(name, content[:end])) for end in range(0, len(content), 31)]
    assert any(isinstance(result, str) for result in results)
    assert all(name in result for result in results if isinstance(result, str))
    check(outputs.read(write(name, content)))


def test_crispy_results_cut_anywhere_are_read_or_refused(tmp_path, write):
    content = crispy(tmp_path / "whole.hdf5", {"iso": ISOTROPIC}).read_bytes()
    ends = range(0, len(content), len(content) // 40)
    results = [outcome(write("cut.hdf5", content[:end])) for end in ends]
    assert all("cut.hdf5" in result for result in results if isinstance(result, str))


def outcome(path):
    """What is read, checked, or the sentence that refuses it; anything else is an error."""
    try:
        found = outputs.read(path)
    except InputError as error:
        return str(error)
    check(found)
    return found


def check(found):
    """What every result must be."""
    for part in (found.curve, found.sticks):
        if part is None:
            continue
        assert np.isfinite(part.energy).all()
        assert np.isfinite(part.intensity).all()
        assert (np.diff(part.energy) >= 0).all()
        assert part.intensity.shape == part.energy.shape
        if part.components is not None:
            np.testing.assert_allclose(part.components.mean(axis=1), part.intensity, atol=1e-12)
    assert found.curve is not None or found.sticks is not None
