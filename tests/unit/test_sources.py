"""Dependencies of a stage, read from import statements."""

from pathlib import Path

from whiteline import sources

SCRIPTS = Path(__file__).parents[2] / "scripts"


def names(script):
    package = SCRIPTS / "whiteline"
    return {str(path.relative_to(package)) for path in sources.sources(SCRIPTS / script)}


def test_imports_are_followed():
    found = names("build_library.py")
    assert {"__init__.py", "contracts.py", "library.py", "broadening.py", "errors.py"} <= found


def test_stages_do_not_depend_on_what_they_do_not_use():
    assert "formats/__init__.py" not in names("compute_distances.py")
    assert not any(name.startswith("multiplet") for name in names("estimate_parameters.py"))


def test_distances_do_not_depend_on_the_measures_all_at_once():
    assert not {"measures/cosine.py", "measures/dtw.py"} & names("compute_distances.py")


def test_a_measure_depends_on_no_other_stage():
    found = names("whiteline/measures/cosine.py")
    assert not {"contracts.py", "configuration.py", "measures/correlation.py"} & found


def test_no_stage_depends_on_what_the_package_offers_lazily():
    scripts = [path for path in SCRIPTS.glob("*.py")]
    assert len(scripts) > 10
    for script in scripts:
        assert "estimation/estimator.py" not in names(script.name)
