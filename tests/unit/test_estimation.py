"""Estimates without the workflow: against the workflow's, series, resuming, maps, watching."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import whiteline
from align_queries import align_queries
from compute_distances import compute_distances
from estimate_parameters import estimate_parameters
from import_queries import import_queries
from preprocess_queries import preprocess_queries
from whiteline import contracts, measures
from whiteline.cli import main
from whiteline.errors import InputError
from whiteline.estimation import series, session
from whiteline.estimators import Comparison
from whiteline.formats.base import Recording
from whiteline.formats.tidy import collect
from whiteline.queries import prepare_queries
from whiteline.recorded import as_recorded

SCRIPTS = Path(__file__).parents[2] / "scripts"
BACKGROUND = {"kind": "constant", "window": [-6.0, -3.0]}
SCENARIO = {"spectra": 60, "energy_uncertainty": 2.0, "disturb": {"snr": [20, 200]}}


def write_csv(path, energy, intensity):
    pd.DataFrame({"energy (eV)": energy, "signal": intensity}).to_csv(path, index=False)
    return path


@pytest.fixture
def spectra(library, rng):
    """Makes noisy library spectra of chosen rows, their axis 0.3 eV too high."""

    def make(rows, noise=0.01, error=0.3):
        clean = library["intensity"].values[rows]
        size = clean.max(axis=1, keepdims=True)
        noisy = clean / size + noise * rng.normal(size=clean.shape) + 0.5
        return library["energy"].values + error, noisy

    return make


@pytest.fixture
def files(spectra, tmp_path):
    """Five files of single spectra and the library rows that they are of."""
    rows = [3, 20, 41, 90, 130]
    energy, signals = spectra(rows)
    names = [tmp_path / f"scan_{row}.csv" for row in rows]
    return [write_csv(*args) for args in zip(names, [energy] * 5, signals, strict=True)], rows


@pytest.fixture
def image(spectra, library, tmp_path):
    """A map of 4 by 6 pixels: Ni2+ left, Ni3+ right, one pixel not finite."""
    valence = library["valence"].values
    two, three = (int(np.flatnonzero(valence == v)[30]) for v in (2, 3))
    energy, signals = spectra([two, two, two, three, three, three] * 4, error=0.0)
    signals[7] = np.nan
    path = tmp_path / "image.npz"
    np.savez(path, energy=energy, spectra=signals.reshape(4, 6, -1).astype(np.float32))
    return path


@pytest.fixture(scope="module")
def scenarios(library_path, record, tmp_path_factory):
    """Prepared test spectra of the scenario that calibrates."""
    folder = tmp_path_factory.mktemp("scenarios")
    contracts.write(record(calibration=SCENARIO), folder / "recorded.nc")
    preprocess(folder, library_path, folder / "scenarios.nc")
    return folder / "scenarios.nc"


def preprocess(folder, library_path, prepared):
    preprocess_queries(
        recorded=str(folder / "recorded.nc"),
        library=str(library_path),
        spectra=str(prepared),
        steps=str(folder / "steps.nc"),
        preparation={"background": BACKGROUND, "continuum": "none", "normalisation": "area"},
        energy_reference=None,
        on_error="stop",
    )
    name = prepared.stem
    align_queries(
        queries=str(prepared), library=str(library_path), shifts=str(folder / f"{name}_shifts.nc")
    )
    compute_distances(
        queries=str(prepared),
        library=str(library_path),
        shifts=str(folder / f"{name}_shifts.nc"),
        distances=str(folder / f"{name}_distances.nc"),
        kind="correlation",
        parameters={},
        seed=0,
    )


def by_workflow(files, library_path, scenarios, folder):
    """The workflow's estimates of files, stage by stage."""
    import_queries(
        spectra=[str(path) for path in files],
        recorded=str(folder / "recorded.nc"),
        ids=[path.stem for path in files],
        energy_columns=[None] * len(files),
        intensity_columns=[None] * len(files),
        i0_column=None,
        valences=[None] * len(files),
        energy_uncertainty=1.0,
        resolution=None,
        element="Ni",
        on_error="stop",
    )
    preprocess(folder, library_path, folder / "queries.nc")
    known = scenarios.parent
    estimate_parameters(
        queries=[str(folder / "queries.nc")],
        library=str(library_path),
        shifts=[str(folder / "queries_shifts.nc")],
        distances=[str(folder / "queries_distances.nc")],
        calibration_queries=[str(scenarios)],
        calibration_shifts=[str(known / "scenarios_shifts.nc")],
        calibration_distances=[str(known / "scenarios_distances.nc")],
        estimates=[str(folder / "estimates.nc")],
        kinds=[{"kind": "profile", "parameters": {}}],
        calibration="calibration",
    )
    return contracts.read(folder / "estimates.nc", "estimates")


def test_the_package_is_imported_without_heavy_libraries():
    code = "import sys, whiteline; print({'numpy', 'scipy', 'numba', 'xarray'} & {*sys.modules})"
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "set()\n"


def test_single_spectra_get_the_workflows_estimates(files, library_path, scenarios, tmp_path):
    paths, _ = files
    expected = by_workflow(paths, library_path, scenarios, tmp_path)
    estimator = whiteline.Estimator(library_path, energy_uncertainty=1.0, calibration=scenarios)
    found = estimator.estimate(paths)
    for name in expected.data_vars:
        # One query after another or all at once: products differ in their last digits.
        np.testing.assert_allclose(
            found[name].values, expected[name].values, rtol=1e-3, atol=1e-4, err_msg=name
        )
    assert np.isfinite(found["ten_dq_lower"].values).any()


@pytest.mark.parametrize("kind", ["nearest", "profile"])
def test_series_get_the_estimates_of_all_distances(kind, library_path, spectra, library):
    measure = {"kind": "correlation", "precision": "double"}
    estimator = whiteline.Estimator(library_path, measure, kind, energy_uncertainty=0).fit()
    _, signals = spectra(range(0, library.sizes["spectrum"], 2), noise=0.1)
    found, _ = estimator.answer(signals, np.zeros(len(signals)), 0.0)
    energy, rows = estimator.frame_.grid, library["intensity"].values
    bound = measures.load(**measure)
    distance = bound.pairwise(bound.prepare(signals, energy), bound.prepare(rows, energy), energy)
    expected = estimator.estimator_.predict(Comparison(distance))
    np.testing.assert_array_equal(found.chosen, expected.chosen)
    np.testing.assert_array_equal(found.match, expected.match)
    for name, values in expected.parameters.items():
        np.testing.assert_allclose(found.parameters[name], values, atol=1e-8, err_msg=name)


def test_the_evidence_of_series_is_that_of_all_distances(library_path, scenarios, spectra):
    measure = {"kind": "correlation", "precision": "double"}
    settings = {"energy_uncertainty": 0, "calibration": scenarios}
    estimator = whiteline.Estimator(library_path, measure, **settings).fit()
    _, signals = spectra(range(0, 150, 5), noise=0.1)
    noise = np.full(len(signals), 0.1)
    _, by_search = estimator.answer(signals, noise, 0.0)
    estimator.profiles_ = None
    _, by_all = estimator.answer(signals, noise, 0.0)
    assert by_all.spread.max() > 0.1
    for name in ("width", "bound", "spread", "distance"):
        np.testing.assert_allclose(
            getattr(by_search, name), getattr(by_all, name), rtol=1e-5, atol=1e-6, err_msg=name
        )


def test_the_axis_of_a_mixed_image_is_found(library, library_path, spectra):
    valence = library["valence"].values
    rows = [int(np.flatnonzero(valence == v)[30]) for v in (2, 3)] * 20
    energy, signals = spectra(rows, noise=0.005, error=0.7)
    estimator = whiteline.Estimator(library_path, energy_uncertainty=2.0).fit()
    recording = Recording(energy, signals, shape=(4, 10))
    several = series.Series(estimator, collect(recording, "image", name="image"))
    assert several.energy_shift == pytest.approx(-0.7, abs=0.05)


def test_estimators_that_need_all_distances_get_them(library_path, spectra):
    energy, signals = spectra([3, 130], error=0.0)
    for kind in ("k_nearest", "profile"):
        found = whiteline.Estimator(library_path, estimator=kind, energy_uncertainty=0).estimate(
            (energy, signals)
        )
        assert found["valence"].values.tolist() == [2, 3]


MASKED = {"ranges": [[848.2, 848.9]]}
ARPLS = {"kind": "pybaselines", "method": "arpls", "parameters": {"lam": 1e7}}


@pytest.mark.parametrize(
    ("background", "steps"),
    [
        ("none", {}),
        ("constant", {"smoothing": {"window": 0.7, "order": 3}}),
        ("linear", {"continuum": "two_step", "glitches": MASKED}),
        ("power_law", {"smoothing": {"window": 0.7, "order": 3}, "glitches": MASKED}),
        ("linear", {"glitches": {"threshold": 20}}),
        (ARPLS, {}),
    ],
)
def test_series_are_prepared_as_single_spectra_are(background, steps, library_path, spectra):
    energy, signals = spectra([20, 20, 20], noise=0.0002, error=0.0)
    if "glitches" in steps:
        signals[:, np.argmin(np.abs(energy - 848.5))] += 0.3
    # In disorder, and one energy twice.
    energy, signals = np.append(energy, energy[9]), np.append(signals, signals[:, 9:10], axis=1)
    order = np.random.default_rng(1).permutation(len(energy))
    if isinstance(background, str):
        background = {"kind": background, "window": [-6.0, -3.0]}
    estimator = whiteline.Estimator(
        library_path, energy_uncertainty=0, background=background, **steps
    ).fit()
    (collection,) = estimator._collections((energy[order], signals[:, order]), [])
    several = series.Series(estimator, collection)
    prepared, noise, faults = several.prepared(collection.raw(0, 3))
    assert not faults
    recorded = as_recorded(
        ["a", "b", "c"],
        [collection.spectrum(row) for row in range(3)],
        energy_uncertainty=np.zeros(3),
    )
    single, _ = prepare_queries(recorded, estimator.library_, estimator.preparation_, None)
    inner = single["intensity"].values[:, 1:-1]
    np.testing.assert_allclose(prepared, inner, atol=2e-3 * inner.max())
    np.testing.assert_allclose(noise, single["noise"].values, rtol=1e-2)


def test_a_stated_resolution_leaves_spectra_of_that_width(library_path, library, spectra):
    width = library["gaussian_sigma"].values
    chosen = [int(np.flatnonzero(width == sigma)[20]) for sigma in (0.2, 0.4)]
    energy, signals = spectra(chosen, error=0.0)
    estimator = whiteline.Estimator(library_path, energy_uncertainty=0, resolution=0.4).fit()
    several = estimator.estimate((energy, signals))
    single = xr.concat([estimator.estimate((energy, one)) for one in signals], "query")
    for found in (several, single):
        assert (width[found["candidate_match"].values] == 0.4).all()
        assert np.isfinite(found["ten_dq"]).all()
    np.testing.assert_array_equal(several["valence"], single["valence"])
    with pytest.raises(InputError, match=r"Gaussian width of 0.3 eV, but of 0.2, 0.4 eV"):
        whiteline.Estimator(library_path, resolution=0.3).fit()


def test_a_baseline_that_fails_is_a_fault_of_its_spectrum(library_path, spectra):
    energy, signals = spectra([20, 20, 20], error=0.0)
    signals[1] = signals[1].min()
    estimator = whiteline.Estimator(library_path, energy_uncertainty=0, background=ARPLS).fit()
    found = estimator.estimate((energy, signals))
    assert found.sizes["query"] == 2
    assert len(json.loads(found.attrs["skipped"])) == 1


def test_a_reference_sets_the_zero_of_the_axis(library_path, spectra, library, tmp_path):
    row = 20
    energy, (known, other) = spectra([row, 130], error=2.6)
    path = write_csv(tmp_path / "known.csv", energy, known)
    ion = str(library["ion"].values[row])
    found = whiteline.Estimator(
        library_path, energy_uncertainty=0, reference=path, reference_ion=ion
    ).estimate((energy, other))
    assert found["valence"].item() == library["valence"].values[130]
    assert found["energy_shift"].item() == pytest.approx(-2.6, abs=0.1)
    with pytest.raises(InputError, match="given together"):
        whiteline.Estimator(library_path, reference=path).fit()


def test_a_library_that_is_not_there_says_what_makes_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="snakemake --cores 2 -- results/mn/standard/library"):
        whiteline.Estimator("mn").fit()


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_bad_file_is_reported_and_the_rest_goes_on(files, library_path, tmp_path, capsys):
    paths, rows = files
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing\n")
    output = tmp_path / "out" / "table.csv"
    settings = ("--library", library_path, "--energy-uncertainty", "1", "--output", output)
    code, out, err = run(capsys, "estimate", paths[0], bad, *paths[1:], *settings)
    assert (code, out) == (1, "")
    assert err == f"{bad}: has no rows of numbers; energy and intensity are needed\n"
    table = pd.read_csv(output)
    assert table["id"].tolist() == [f"scan_{row}" for row in rows]
    assert table["file"].tolist() == [str(path) for path in paths]
    np.testing.assert_allclose(table["energy_shift (eV)"], -0.3, atol=0.1)
    assert set(output.parent.iterdir()) == {output}
    code, out, _ = run(capsys, "estimate", bad, *settings)
    assert code == 2


def test_csv_goes_to_stdout_without_an_output(files, library_path, capsys):
    paths, _ = files
    code, out, _ = run(capsys, "estimate", paths[0], "--library", library_path)
    assert code == 0
    assert out.startswith("file,id,valence,ten_dq (eV),")
    assert out.count("\n") == 2


def test_the_table_has_the_parameters_that_differ_in_the_library(
    files, library, library_path, capsys
):
    paths, rows = files
    _, out, _ = run(capsys, "estimate", paths[0], "--library", library_path)
    found = pd.read_csv(io.StringIO(out))
    for name, unit in (("slater_reduction", ""), ("gaussian_sigma", " (eV)")):
        true = library[name].values[rows[0]]
        assert found[name + unit].item() == pytest.approx(true, abs=0.05)
    assert not [column for column in found.columns if column.startswith(("delta", "ds"))]


def test_json_and_netcdf_say_the_same(files, library_path, tmp_path, capsys):
    paths, _ = files
    for ending in ("json", "nc"):
        output = ("--output", tmp_path / f"table.{ending}")
        assert run(capsys, "estimate", *paths, "--library", library_path, *output)[0] == 0
    found = contracts.read(tmp_path / "table.nc", "estimates")
    rows = json.loads((tmp_path / "table.json").read_text())
    assert [row["id"] for row in rows] == found["query_id"].values.tolist()
    np.testing.assert_allclose([r["ten_dq (eV)"] for r in rows], found["ten_dq"], atol=1e-5)
    for row, fits in zip(rows, found["candidate_fits"].values, strict=True):
        valences = [f"{valence:g}" for valence in found["candidate"].values[fits == 1]]
        assert row["valences_that_fit"].split() == valences
    assert found["file"].values.tolist() == [str(path) for path in paths]


def test_an_image_becomes_maps(image, library_path, tmp_path, capsys):
    output = tmp_path / "table.nc"
    settings = ("--library", library_path, "--energy-uncertainty", "0", "--output", output)
    code, _, err = run(capsys, "estimate", image, *settings)
    assert code == 1
    assert err == f"{image}, spectrum 'image[1,1]': the signal is not finite\n"
    maps = xr.open_dataset(tmp_path / "table_image_maps.nc")
    valence = maps["valence"].values
    assert maps["valence"].dims == ("y", "x")
    assert np.isnan(valence[1, 1])
    assert (np.delete(valence[:, :3].ravel(), 4) == 2).all()
    assert (valence[:, 3:] == 3).all()
    for name in ("valence", "ten_dq", "distance", "energy_shift"):
        assert (tmp_path / f"table_image_{name}.png").stat().st_size > 10_000
    assert len(contracts.read(output, "estimates")["valence"]) == 23


def test_a_run_that_was_stopped_goes_on(image, files, library_path, tmp_path, monkeypatch):
    monkeypatch.setattr(series, "CHUNK", 8)
    paths = [*files[0], image]
    estimator = whiteline.Estimator(library_path, energy_uncertainty=0).fit()
    whole = session.Session(estimator, {}).run(paths).dataset(estimator)
    partial = tmp_path / ".partial"
    done = []

    def stop(path, share, count):
        done.append(count)
        if len(done) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.Session(estimator, {}, partial, advance=stop).run(paths)
    estimated = []
    monkeypatch.setattr(
        whiteline.Estimator,
        "answer",
        _counted(whiteline.Estimator.answer, lambda spectra: estimated.append(len(spectra))),
    )
    told = []
    outcome = session.Session(estimator, {}, partial, told.append).run(paths)
    xr.testing.assert_identical(outcome.dataset(estimator), whole)
    assert sum(estimated) == 24 - 16
    # Other settings: all begins anew.
    other = whiteline.Estimator(library_path, energy_uncertainty=1.0).fit()
    session.Session(other, {}, partial, told.append).run(paths[:1])
    assert "begins anew" in told[-1]


def _counted(function, count):
    def counted(self, spectra, *others):
        count(spectra)
        return function(self, spectra, *others)

    return counted


def test_watching_answers_each_new_file(files, library_path, spectra, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_csv(folder / "old.csv", *_one(spectra))
    arguments = ["watch", folder, "--library", library_path, "--output", folder / "today.csv"]
    process = subprocess.Popen(
        [sys.executable, "-m", "whiteline", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell runs in the background ignores SIGINT, and so would all that it starts.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    guard = threading.Timer(120, process.kill)
    guard.start()
    try:
        assert process.stderr.readline().startswith("watching")
        write_csv(folder / "new.csv", *_one(spectra))
        assert process.stdout.readline().startswith("new.csv: 2+, 10Dq ")
        (folder / "bad.csv").write_text("nothing\n")
        assert "bad.csv: has no rows of numbers" in process.stderr.readline()
        # A file that grows is answered when it is complete.
        whole = "".join(f"{e},{y}\n" for e, y in zip(*_one(spectra), strict=True))
        with (folder / "growing.csv").open("w") as stream:
            for start in range(0, len(whole), len(whole) // 8):
                stream.write(whole[start : start + len(whole) // 8])
                stream.flush()
                time.sleep(0.05)
        assert process.stdout.readline().startswith("growing.csv: 2+")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    finally:
        guard.cancel()
        process.kill()
        process.stdout.close()
        process.stderr.close()
    assert pd.read_csv(folder / "today.csv")["id"].tolist() == ["new", "growing"]


def _one(spectra):
    energy, signals = spectra([20])
    return energy, signals[0]
