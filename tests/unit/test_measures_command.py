"""The command that lists and checks measures, and measures of installed packages."""

import csv
import io

import numpy as np
import pytest

from whiteline import measures, registry
from whiteline.cli import main
from whiteline.errors import InputError
from whiteline.evaluation import claims, examples

GOOD = """
import numpy as np
from whiteline.measures import Measure

MEASURE = Measure("Mine", "a test", symmetric=True, is_metric=True)


def prepare(intensity, energy):
    return intensity / intensity.max(axis=1, keepdims=True)


def pairwise(queries, library, energy):
    return np.abs(queries[:, None] - library).max(axis=-1)
"""
PLAIN = "def distance(a, b, energy):\n    return abs(a - b).max()\n"
DISTANCE = "np.abs(queries[:, None] - library).max(axis=-1)"
CLAIM = "symmetric=True, is_metric=True"


@pytest.fixture
def command(capsys, tmp_path, monkeypatch):
    """Runs the command in a folder of its own; returns exit code and what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(["measures", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    run.folder = tmp_path
    return run


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a package that offers a measure, as pip leaves it: a module and its metadata."""

    def installed(
        name, offers, module="installed_measure", text=PLAIN, package="measures-of-mine"
    ):
        folder = tmp_path / package
        folder.mkdir()
        (folder / f"{module}.py").write_text(text)
        info = folder / f"{package.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n"
        (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(f"[whiteline.{offers}]\n{name} = {module}\n")
        (info / "RECORD").write_text(f"{module}.py,,\n{info.name}/METADATA,,\n")
        monkeypatch.syspath_prepend(folder)
        return folder

    return installed


def test_examples_are_simulated_normalised_and_seeded():
    some = examples.spectra(6)
    assert some.shape == (6, len(examples.ENERGY))
    np.testing.assert_allclose(some.max(axis=1), 1)
    np.testing.assert_array_equal(some, examples.spectra(6))
    assert np.abs(some - examples.spectra(6, seed=1)).max() > 0.1
    # The L3 line of nickel, and L2 some 17 eV above it.
    peaks = examples.ENERGY[some.argmax(axis=1)]
    assert (np.abs(peaks - 854) < 3).all()


def test_the_list_fits_a_terminal_and_holds_every_measure(command):
    code, text, faults = command()
    assert (code, faults) == (0, "")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    table = lines[1 : lines.index("")]
    assert [line.split()[0] for line in table] == measures.kinds()
    (wasserstein,) = [line for line in table if line.startswith("wasserstein ")]
    assert wasserstein.split()[1:6] == ["1", "yes", "yes", "yes", "-"]
    assert "wasserstein: Wasserstein-1; Vallender, Theory Probab. Appl. 18, 784 (1974)" in text


def test_the_list_as_a_table_with_commas(command):
    _, text, _ = command("--csv")
    rows = {row["kind"]: row for row in csv.DictReader(io.StringIO(text))}
    assert [*rows] == measures.kinds()
    for kind, row in rows.items():
        facts = measures.load(kind).facts
        assert (row["reference"], row["order"]) == (facts.reference, str(facts.order))
        assert row["is_metric"] == str(facts.is_metric)


def test_a_good_file_passes(command):
    (command.folder / "mine.py").write_text(GOOD)
    code, text, _ = command("--check", "mine.py")
    assert code == 0
    assert text.startswith("mine.py: Mine\n")
    assert text.endswith("mine.py: nothing violated\n")
    assert "VIOLATED" not in text
    assert "  ok        triangle inequality (is_metric)\n" in text
    assert "  -         tolerates a shift: not claimed\n" in text


def test_a_plain_function_passes_and_is_told_what_it_could_claim(command):
    (command.folder / "plain.py").write_text(PLAIN)
    code, text, _ = command("--check", "plain.py", "cosine")
    assert code == 0
    assert "symmetric: not claimed, though it holds here" in text
    assert text.endswith("cosine: nothing violated\n")


@pytest.mark.parametrize(
    ("old", "new", "name", "message"),
    [
        (CLAIM, f"{CLAIM}, order=2", claims.ORDER, "power 1.00 of a small change, not as order=2"),
        (CLAIM, f"{CLAIM}, tolerates_shift=True", "tolerates a shift", "a shift of 0.5 eV costs"),
        (
            DISTANCE,
            "np.maximum(queries[:, None] - library, 0).max(axis=-1)",
            "symmetric",
            "where d(b, a) is",
        ),
        (DISTANCE, f"{DISTANCE} ** 2", "triangle inequality (is_metric)", "the way over c is"),
        (DISTANCE, f"{DISTANCE} + 0.1", "zero to itself, more to others", "is at 0.1 from itself"),
        (
            DISTANCE,
            "np.zeros((len(queries), len(library)))",
            "zero to itself, more to others",
            "two spectra that differ are at distance 0",
        ),
        (DISTANCE, f"{DISTANCE} - 1", "one finite distance per pair, never negative", "negative"),
        (DISTANCE, "queries @ library", "one finite distance per pair, never negative", "Error"),
        (
            "    return intensity /",
            "    intensity -= 0.5\n    return intensity /",
            "leaves its input alone",
            "prepare changed its input by up to 0.5",
        ),
        (
            "    return np.abs",
            "    library *= 2\n    return np.abs",
            "leaves its input alone",
            "of the prepared spectra",
        ),
        (
            DISTANCE,
            f"{DISTANCE} * np.random.default_rng().uniform(1, 2)",
            "the same every time",
            "a second run differs by up to",
        ),
        (
            DISTANCE,
            f"{DISTANCE} * len(library)",
            "the same pair by pair",
            "say depends_on_library=True",
        ),
        (
            "intensity.max(axis=1, keepdims=True)",
            "np.sqrt(intensity).max(axis=1, keepdims=True)",
            "finite on noise with negative values",
            "prepare returned values that are not finite",
        ),
        (
            "intensity.max(axis=1, keepdims=True)",
            "intensity.max(axis=1, keepdims=True) + 1e6",
            "single precision is enough",
            "say precision='double'",
        ),
    ],
)
def test_a_violation_is_told_with_figures(command, old, new, name, message):
    assert old in GOOD
    (command.folder / "bad.py").write_text(GOOD.replace(old, new))
    code, text, _ = command("--check", "bad.py")
    assert code == 1
    (line,) = [line for line in text.splitlines() if line.startswith(f"  VIOLATED  {name}: ")]
    assert message in line


def test_negative_values_must_be_clipped_where_they_mean_nothing(command):
    text = GOOD.replace(CLAIM, f"{CLAIM}, needs_nonnegative=True")
    (command.folder / "mine.py").write_text(text)
    _, text, _ = command("--check", "mine.py")
    assert "  ok        refuses negative values (needs_nonnegative)\n" in text


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.py", "gone.py: no such file"),
        ("broken.py", "broken.py: failed on import: SyntaxError"),
        ("empty.py", "empty.py: lacks 'pairwise' or 'distance'"),
        ("cosin", "'cosin' is no kind of measures; did you mean 'cosine'?"),
    ],
)
def test_what_cannot_be_loaded_is_a_fault(command, name, message):
    (command.folder / "broken.py").write_text("def distance(a, b, energy:\n")
    (command.folder / "empty.py").write_text("")
    code, text, faults = command("--check", "cosine", name)
    assert (code, text) == (2, "")
    assert faults.startswith(message)
    assert faults.count("\n") == 1


def test_a_measure_of_an_installed_package(command, install):
    folder = install("mine", "measures")
    assert measures.offered() == ["mine"]
    assert "mine" not in measures.kinds()
    measure = measures.load("mine")
    assert measure.facts.name == "mine"
    a, b = examples.spectra(2), examples.spectra(3, seed=1)
    found = claims.distances(measure, a, b, examples.ENERGY)
    np.testing.assert_allclose(found, np.abs(a[:, None] - b).max(axis=-1))
    assert [*measures.module_paths("mine")] == [
        folder / "installed_measure.py",
        folder / "measures_of_mine-1.2.dist-info" / "METADATA",
    ]
    _, text, _ = command()
    assert "\nmine " in text
    with pytest.raises(InputError, match="did you mean 'mine'"):
        measures.load("mime")


def test_a_member_of_an_installed_package(install):
    folder = install("mine", "measures", module="installed_member")
    paths = measures.module_paths("ensemble", members=["cosine", "mine"])
    assert [path.name for path in paths] == [
        "ensemble.py",
        "cosine.py",
        "installed_member.py",
        "METADATA",
    ]
    assert paths[2].parent == folder


def test_a_package_may_offer_estimators_too(install):
    text = "class Estimator:\n    pass\n"
    install("theirs", "estimators", module="installed_estimator", text=text)
    assert registry.load("estimators", "theirs", "Estimator").__name__ == "installed_estimator"


def test_a_built_in_measure_goes_before_one_of_its_name(command, install):
    install("cosine", "measures", module="installed_cosine")
    assert measures.load("cosine").facts.name == "Cosine"
    assert measures.offered() == []
    code, _, faults = command()
    assert code == 0
    assert faults == (
        "cosine: the built-in one is used, not the one of measures-of-mine 1.2; "
        "the package must give it another name\n"
    )


def test_two_packages_of_one_name(install):
    install("mine", "measures", module="first_of_two")
    install("mine", "measures", module="second_of_two", package="other")
    with pytest.raises(InputError, match=r"'mine' is offered by other .* and measures-of-mine"):
        measures.load("mine")


def test_a_package_that_cannot_be_imported(install):
    install("mine", "measures", module="installed_broken", text="import nothing_of_this_name\n")
    message = "mine of measures-of-mine 1.2: failed on import: ModuleNotFoundError"
    with pytest.raises(InputError, match=message):
        measures.load("mine")
