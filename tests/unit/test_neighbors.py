"""What is kept of a map's distances against brute force, and blocks against the whole."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import compute_map_distances
from whiteline import contracts, neighbors
from whiteline.alignment import extended
from whiteline.neighbors import block_rows, blocks, draw_landmarks, joined, of_dataset, reduce

ENERGY = np.round(630 + 0.2 * np.arange(80), 6)


@pytest.fixture
def rows(rng):
    points = rng.uniform(size=(50, 3))
    return cdist(points, points)


def test_the_nearest_are_those_of_brute_force(rows):
    own = reduce(rows, 7, draw_landmarks(50, 9, 0), np.arange(50))
    for place, row in enumerate(rows):
        order = [other for other in row.argsort(kind="stable") if other != place][:7]
        assert own.nearest[place].tolist() == order
        np.testing.assert_array_equal(own.distance[place], row[order])
    np.testing.assert_array_equal(own.landmark_distance, rows[:, own.landmarks])


def test_a_query_may_be_nearest_to_its_twin(rows):
    asked = reduce(rows[:5], 3, np.arange(50))
    assert asked.nearest[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert (asked.distance[:, 0] == 0).all()


def test_a_small_map_keeps_all(rows):
    own = reduce(rows, 90, draw_landmarks(50, 1000, 0), np.arange(50))
    assert own.nearest.shape == (50, 49)
    np.testing.assert_array_equal(own.landmark_distance, rows)


def test_landmarks_are_drawn_once_each_and_by_the_seed():
    marks = draw_landmarks(500, 100, 3)
    assert len(np.unique(marks)) == 100
    np.testing.assert_array_equal(marks, np.sort(marks))
    np.testing.assert_array_equal(marks, draw_landmarks(500, 100, 3))
    assert (marks != draw_landmarks(500, 100, 4)).any()


@pytest.mark.parametrize(("size", "of"), [(0, 1), (1, 1), (2000, 1), (2001, 3), (50_000, 26)])
def test_blocks_hold_each_spectrum_once(size, of):
    assert blocks(size) == of
    parts = [block_rows(size, block, of) for block in range(1, of + 1)]
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(size))
    assert max(map(len, parts)) <= neighbors.BLOCK
    # The last of several is that of the queries.
    assert of == 1 or len(parts[-1]) == 0


def write_spectra(path, count, margin, uncertainty, rng):
    energy = extended(ENERGY, margin)
    centres = rng.uniform(633, 642, size=(count, 3, 1))
    intensity = np.exp(-((energy - centres) ** 2)).sum(axis=1)
    text = {name: np.full(count, "") for name in ("ion", "symmetry", "scenario")}
    zeros = {name: np.zeros(count) for name in ("leave_out", "energy_shift")}
    data = contracts.dataset(
        "spectra",
        {
            "intensity": intensity,
            "energy": energy,
            "id": [f"x{number}" for number in range(count)],
            "valence": np.arange(count) % 2 + 2,
            "ten_dq": np.linspace(0, 2, count),
            "energy_uncertainty": np.full(count, uncertainty),
            **text,
            **zeros,
        },
        margin=margin,
    )
    contracts.write(data, path)
    return intensity[:, margin : margin + len(ENERGY)]


@pytest.fixture
def compute(tmp_path):
    def compute(block=1, of=1, kind="euclidean", queries=(), **parameters):
        path = tmp_path / f"{kind}_{block}_of_{of}.nc"
        compute_map_distances.compute_map_distances(
            queries=[str(tmp_path / f"{name}.nc") for name in queries],
            map_spectra=str(tmp_path / "map.nc"),
            library=str(tmp_path / "library.nc"),
            distances=str(path),
            kind=kind,
            parameters=parameters,
            neighbors=12,
            landmarks=10,
            block=block,
            of=of,
            seed=5,
        )
        return contracts.read(path, "neighbors")

    return compute


@pytest.mark.parametrize("kind", ["euclidean", "correlation", "ensemble", "learned"])
@pytest.mark.parametrize("uncertainty", [0.0, 1.0])
def test_blocks_together_are_the_whole(kind, uncertainty, compute, tmp_path, rng, monkeypatch):
    write_spectra(tmp_path / "library.nc", 60, 0, 0.0, rng)
    write_spectra(tmp_path / "map.nc", 40, 5, uncertainty, rng)
    whole = of_dataset(compute(kind=kind))
    monkeypatch.setattr(compute_map_distances, "ROWS", 4)
    parts = [compute(block, 4, kind=kind) for block in (1, 2, 3, 4)]
    assert sum(part.sizes["query"] for part in parts) == 40
    found = joined([of_dataset(part) for part in parts])
    np.testing.assert_allclose(found.distance, whole.distance, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(
        found.landmark_distance, whole.landmark_distance, rtol=2e-5, atol=1e-6
    )
    np.testing.assert_array_equal(found.landmarks, whole.landmarks)


def test_without_uncertainty_nothing_is_aligned(compute, tmp_path, rng, monkeypatch):
    spectra = write_spectra(tmp_path / "map.nc", 30, 0, 0.0, rng)
    monkeypatch.setattr(compute_map_distances, "correlate", None)
    found = of_dataset(compute(precision="double"))
    rows = cdist(spectra, spectra)
    np.testing.assert_allclose(found.landmark_distance, rows[:, found.landmarks], atol=1e-6)
    np.fill_diagonal(rows, np.inf)
    np.testing.assert_array_equal(found.nearest, rows.argsort(axis=1)[:, :12])


def test_queries_find_themselves_in_the_map(compute, tmp_path, rng):
    write_spectra(tmp_path / "map.nc", 30, 5, 1.0, rng)
    data = contracts.read(tmp_path / "map.nc", "spectra")
    # The queries' axis is 0.6 eV off, and their search goes that far.
    moved = data["intensity"].copy(data=np.roll(data["intensity"].values, 3, axis=1))
    queries = data.assign(intensity=moved).isel(spectrum=[4, 2, 9])
    contracts.write(queries, tmp_path / "oxides.nc")
    found = compute(queries=["oxides"])
    assert found["query_id"].values[30:].tolist() == ["x4", "x2", "x9"]
    assert found["nearest"].values[30:, 0].tolist() == [4, 2, 9]
    np.testing.assert_allclose(found["distance"].values[30:, 0], 0, atol=2e-3)
    # The map's own spectra are not their own neighbours, and do not see the queries.
    np.testing.assert_array_equal(found["nearest"].values[:30], compute()["nearest"].values)
    apart = compute(3, 3, queries=["oxides"])
    np.testing.assert_array_equal(apart["nearest"].values, found["nearest"].values[30:])


def test_a_block_beyond_the_map_is_empty(compute, tmp_path, rng):
    write_spectra(tmp_path / "map.nc", 3, 0, 0.0, rng)
    assert compute(4, 4).sizes["query"] == 0
