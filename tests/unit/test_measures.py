"""The contract of the measures: the same tests over every kind, so that none is forgotten."""

from __future__ import annotations

import ast
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from scipy.signal import savgol_filter
from scipy.spatial import distance
from scipy.stats import spearmanr, wasserstein_distance

from whiteline import measures
from whiteline.errors import InputError

ENERGY = 700 + 0.1 * np.arange(300)
STEP = 0.1
KINDS = measures.kinds()
# For a distance that should be exactly zero: the square root of rounding in float64.
ZERO = 1e-7


def simulated(count: int, seed: int = 0, energy: np.ndarray = ENERGY) -> np.ndarray:
    """Spectra like simulated ones: multiplets of Lorentzians at L3 and L2, unit maximum."""
    random = np.random.default_rng(seed)
    shape = (count, 8, 1)
    l3 = random.normal(709, 1.5, shape), random.gamma(2, 1, shape), random.uniform(0.2, 0.5, shape)
    l2 = random.normal(721, 1.5, shape), random.gamma(1, 1, shape), random.uniform(0.4, 0.9, shape)
    lines = [h * w**2 / ((energy - e) ** 2 + w**2) for e, h, w in (l3, l2)]
    spectra = sum(line.sum(axis=1) for line in lines)
    return spectra / spectra.max(axis=1, keepdims=True)


def distances(measure, queries, library, energy=ENERGY):
    """Distances of spectra that are not yet prepared."""
    prepared = measure.prepare(queries, energy), measure.prepare(library, energy)
    return measure.pairwise(*prepared, energy)


def correlation(a, b):
    return 1 - np.corrcoef(a, b)[0, 1]


def plain_dtw(a, b, band):
    """The recursion as Sakoe and Chiba write it, with the symmetric step of weight 1."""
    a, b = ((x - x.mean()) / np.linalg.norm(x - x.mean()) for x in (a, b))
    cost = np.full((len(a) + 1, len(b) + 1), np.inf)
    cost[0, 0] = 0
    for i, j in product(range(len(a)), range(len(b))):
        if abs(i - j) <= band:
            least = min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
            cost[i + 1, j + 1] = (a[i] - b[j]) ** 2 + least
    return np.sqrt(cost[-1, -1])


def derivative_correlation(a, b):
    return correlation(*(savgol_filter(x, 11, 2, deriv=1) for x in (a, b)))


def brute_force_shifts(a, b, limit=10):
    pairs = [(a[: len(a) - s], b[s:]) for s in range(limit + 1)]
    pairs += [(a[s:], b[: len(b) - s]) for s in range(limit + 1)]
    return min(correlation(*pair) for pair in pairs)


# One trusted implementation each, with the default parameters.
TRUSTED = {
    "euclidean": distance.euclidean,
    "cityblock": distance.cityblock,
    "cosine": distance.cosine,
    "correlation": distance.correlation,
    "spearman": lambda a, b: 1 - spearmanr(a, b).statistic,
    "jensen_shannon": distance.jensenshannon,
    "wasserstein": lambda a, b: wasserstein_distance(ENERGY, ENERGY, a, b),
    "dtw": lambda a, b: plain_dtw(a, b, 10),
    "derivative_correlation": derivative_correlation,
    "shifted_correlation": brute_force_shifts,
}


@pytest.fixture(scope="module", params=KINDS)
def measure(request):
    return measures.load(request.param)


def claiming(fact: str):
    """Only the measures that claim this fact."""
    kinds = [kind for kind in KINDS if getattr(measures.load(kind).facts, fact)]
    return pytest.mark.parametrize("measure", kinds, indirect=True)


def test_every_kind_has_a_trusted_implementation():
    assert sorted(TRUSTED) == KINDS


def test_agrees_with_trusted_implementation(measure):
    queries, library = simulated(3), simulated(4, seed=1)
    expected = [[TRUSTED[measure.kind](a, b) for b in library] for a in queries]
    # DTW works in float32.
    tolerance = 2e-6 if measure.kind == "dtw" else 1e-10
    np.testing.assert_allclose(distances(measure, queries, library), expected, rtol=tolerance)


def test_contract(measure):
    result = distances(measure, simulated(5), simulated(7, seed=1))
    assert result.shape == (5, 7)
    assert result.dtype == np.float64
    assert (result > 0).all()
    assert len(measure.prepare(simulated(5), ENERGY)) == 5


def test_empty_sets(measure):
    assert distances(measure, simulated(2), simulated(1)[:0]).shape == (2, 0)
    assert distances(measure, simulated(1)[:0], simulated(2)).shape == (0, 2)


def test_leaves_its_input_alone(measure):
    spectra = simulated(3)
    prepared = measure.prepare(spectra, ENERGY)
    before = prepared.copy()
    measure.pairwise(prepared, prepared, ENERGY)
    np.testing.assert_array_equal(spectra, simulated(3))
    np.testing.assert_array_equal(prepared, before)


def test_identity(measure):
    spectra = simulated(6)
    result = distances(measure, spectra, spectra)
    assert (np.diag(result) <= ZERO).all()
    assert (result[~np.eye(6, dtype=bool)] > 1e-4).all()


@claiming("symmetric")
def test_symmetry(measure):
    a, b = simulated(4), simulated(5, seed=1)
    np.testing.assert_allclose(
        distances(measure, a, b), distances(measure, b, a).T, rtol=1e-6, atol=1e-12
    )


@claiming("is_metric")
def test_triangle_inequality(measure):
    spectra = simulated(30)
    # Points between two others make the inequality tight.
    spectra = np.concatenate([spectra, (spectra[:-1] + spectra[1:]) / 2])
    d = distances(measure, spectra, spectra)
    assert (d[:, None, :] <= d[:, :, None] + d[None, :, :] + 1e-9).all()


def test_rows_are_independent(measure):
    queries, library = simulated(5), simulated(9, seed=1)
    prepared, prepared_library = (measure.prepare(x, ENERGY) for x in (queries, library))
    whole = measure.pairwise(prepared, prepared_library, ENERGY)
    for row in range(5):
        alone = measure.prepare(queries[row : row + 1], ENERGY)
        np.testing.assert_allclose(alone[0], prepared[row], rtol=1e-13, atol=1e-14)
        one = measure.pairwise(prepared[row][None], prepared_library, ENERGY)
        np.testing.assert_allclose(one[0], whole[row], rtol=1e-10, atol=1e-14)
    chosen = np.array([7, 2, 3])
    some = measure.pairwise(prepared, prepared_library[chosen], ENERGY)
    np.testing.assert_allclose(some, whole[:, chosen], rtol=1e-10, atol=1e-14)


def test_views_in_any_memory_order(measure):
    queries, library = simulated(4), simulated(6, seed=1)
    whole = distances(measure, queries, library)
    views = np.asfortranarray(queries)[::2], library[::-1]
    np.testing.assert_allclose(
        distances(measure, *views), whole[::2, ::-1], rtol=1e-10, atol=1e-14
    )


def test_finite_on_noise_with_negative_values(measure):
    noise = np.random.default_rng(2).normal(0, 0.3, (20, len(ENERGY)))
    noisy = simulated(20) + noise
    assert (noisy < 0).any()
    for queries in (noisy, noise):
        result = distances(measure, queries, simulated(5, seed=1))
        assert np.isfinite(result).all()
        assert (result > 0).all()


def test_order(measure):
    """Twice the change gives 2^order times the distance."""
    # Ranks change only where the change exceeds the difference of neighbouring points: to see the
    # power, points must be dense and the change not small. Flat parts still lower it a little.
    ranks = measure.kind == "spearman"
    energy = np.linspace(ENERGY[0], ENERGY[-1], 3000) if ranks else ENERGY
    small, tolerance = (0.01, 0.25) if ranks else (1e-3, 0.02)
    spectra, others = (simulated(20, seed, energy) for seed in (0, 1))
    near, far = (
        np.diag(distances(measure, spectra, spectra + x * (others - spectra), energy))
        for x in (small, 2 * small)
    )
    power = np.log2(np.median(far / near))
    np.testing.assert_allclose(power, measure.facts.order, atol=tolerance)


@claiming("tolerates_shift")
def test_tolerates_shift(measure):
    """A shift costs much less, against the distance of other spectra, than it costs euclidean."""

    def cost_of_shift(measure):
        spectra = simulated(10)
        moved = simulated(10, energy=ENERGY + 0.5)
        # To the power 1/order all measures grow alike.
        d = distances(measure, spectra, moved) ** (1 / measure.facts.order)
        return np.median(np.diag(d)) / np.median(d[~np.eye(10, dtype=bool)])

    assert cost_of_shift(measure) < 0.3 * cost_of_shift(measures.load("euclidean"))


@claiming("needs_nonnegative")
def test_nonnegative_measures_set_negative_values_to_zero(measure):
    noisy = simulated(3) - 0.1
    np.testing.assert_array_equal(
        measure.prepare(noisy, ENERGY), measure.prepare(np.maximum(noisy, 0), ENERGY)
    )


@pytest.mark.parametrize("value", [0.0, 0.1, 3.0])
def test_spectra_that_cannot_be_compared(measure, value):
    spectra = simulated(3)
    spectra[1] = value
    needs_shape = measure.kind in (
        "correlation",
        "derivative_correlation",
        "dtw",
        "shifted_correlation",
        "spearman",
    )
    needs_signal = measure.facts.needs_nonnegative or measure.kind == "cosine"
    if needs_shape or (needs_signal and value == 0):
        with pytest.raises(InputError, match=f"{measure.kind}: spectrum 1 "):
            measure.prepare(spectra, ENERGY)
    else:
        assert np.isfinite(distances(measure, spectra, spectra)).all()


def test_facts_are_told(measure):
    facts = measure.facts
    assert facts.name
    assert "doi 10." in facts.reference
    assert facts.order in (1, 2)


def test_wrong_grid(measure):
    with pytest.raises(InputError, match=r"\(2, 300\) don't suit a grid of 299 energies"):
        measure.prepare(simulated(2), ENERGY[:-1])


def test_spectra_prepared_on_different_grids(measure):
    prepared = measure.prepare(simulated(2), ENERGY)
    shorter = measure.prepare(simulated(2, energy=ENERGY[:-9]), ENERGY[:-9])
    with pytest.raises(InputError, match="were not prepared alike"):
        measure.pairwise(prepared, shorter, ENERGY)


def test_measures_do_not_import_each_other(measure):
    """Else editing one would rerun the others."""
    tree = ast.parse(measures.module_path(measure.kind).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    own = {name for name in imported if name.startswith("whiteline")}
    assert own <= {"whiteline.errors", "whiteline.measures.base"}


def test_kinds_are_imported_only_when_used():
    code = (
        "import sys, whiteline.measures as m; m.load('cosine'); "
        "assert 'whiteline.measures.cosine' in sys.modules; "
        "assert not {'scipy', 'numba', 'whiteline.measures.dtw'} & set(sys.modules)"
    )
    path = measures.__path__[0].removesuffix("/whiteline/measures")
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": path})


def test_same_neighbours_after_centring_and_unit_norm():
    queries, library = (
        measures.load("correlation").prepare(simulated(count, seed), ENERGY)
        for count, seed in ((50, 0), (200, 1))
    )
    orders = [
        distances(measures.load(kind), queries, library).argsort(axis=1)
        for kind in ("euclidean", "cosine", "correlation")
    ]
    np.testing.assert_array_equal(orders[0], orders[1])
    np.testing.assert_array_equal(orders[0], orders[2])


def test_euclidean_keeps_near_duplicates():
    spectra = simulated(3)
    close = spectra + 1e-9
    result = np.diag(distances(measures.load("euclidean"), spectra, close))
    np.testing.assert_allclose(result, 1e-9 * np.sqrt(len(ENERGY)), rtol=1e-5)


def test_jensen_shannon_with_zeros():
    spectra = simulated(2)
    spectra[0, :150] = spectra[1, 150:] = 0
    third = np.where(np.arange(300) % 3, simulated(1, seed=5), 0)
    spectra = np.concatenate([spectra, third])
    expected = distance.squareform(distance.pdist(spectra, "jensenshannon"))
    result = distances(measures.load("jensen_shannon"), spectra, spectra)
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=ZERO)
    np.testing.assert_allclose(result[0, 1], np.sqrt(np.log(2)))


def test_jensen_shannon_over_many_orders_of_magnitude():
    random = np.random.default_rng(3)
    spectra = np.exp(random.uniform(-40, 0, (5, len(ENERGY))))
    expected = distance.squareform(distance.pdist(spectra, "jensenshannon"))
    result = distances(measures.load("jensen_shannon"), spectra, spectra)
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=ZERO)


def test_wasserstein_of_a_shift_is_the_shift():
    spectra = simulated(3) * np.exp(-((ENERGY - 715) ** 2) / 40)
    moved = np.roll(spectra, 7, axis=1)
    result = np.diag(distances(measures.load("wasserstein"), spectra, moved))
    np.testing.assert_allclose(result, 7 * STEP, rtol=1e-3)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 65])
def test_dtw_for_any_number_of_library_spectra(count):
    energy = ENERGY[:40]
    random = np.random.default_rng(4)
    queries, library = random.normal(size=(2, 40)), random.normal(size=(count, 40))
    result = distances(measures.load("dtw", band=0.5), queries, library, energy)
    expected = [[plain_dtw(a, b, 5) for b in library] for a in queries]
    np.testing.assert_allclose(result, expected, rtol=2e-6)


@pytest.mark.parametrize("band", [0, 1, 2, 7, 39, 100])
def test_dtw_for_any_band(band):
    energy = ENERGY[:40]
    spectra = np.random.default_rng(5).normal(size=(4, 40))
    result = distances(measures.load("dtw", band=band * STEP), spectra[:2], spectra[2:], energy)
    expected = [[plain_dtw(a, b, band) for b in spectra[2:]] for a in spectra[:2]]
    np.testing.assert_allclose(result, expected, rtol=2e-6)


def test_dtw_without_band_is_correlation():
    queries, library = simulated(3), simulated(4, seed=1)
    expected = np.sqrt(2 * distances(measures.load("correlation"), queries, library))
    result = distances(measures.load("dtw", band=0), queries, library)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


@pytest.mark.parametrize("limit", [0, 1, 25, 150])
def test_shifted_correlation_for_any_shift(limit):
    queries, library = simulated(2), simulated(3, seed=1)
    measure = measures.load("shifted_correlation", max_shift=limit * STEP)
    expected = [[brute_force_shifts(a, b, limit) for b in library] for a in queries]
    np.testing.assert_allclose(distances(measure, queries, library), expected, rtol=1e-9)


def test_shifted_correlation_leaves_flat_overlaps_out():
    spectra = simulated(2)
    spectra[0, 5:] = 0.25
    result = distances(measures.load("shifted_correlation"), spectra, spectra)
    assert np.isfinite(result).all()
    assert result[0, 0] <= ZERO


def test_derivative_correlation_ignores_a_sloping_background():
    spectra = simulated(3)
    sloping = spectra + 2 - 0.05 * (ENERGY - 700)
    result = np.diag(distances(measures.load("derivative_correlation"), spectra, sloping))
    assert (result <= ZERO).all()


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("dtw", {"band": -1.0}, "dtw: band is -1.0 eV; it must be zero or more"),
        ("dtw", {"band": float("nan")}, "band is nan eV"),
        ("shifted_correlation", {"max_shift": 16}, "max_shift is 16.0 eV, which leaves less"),
        ("derivative_correlation", {"window": 0.1}, "window of 0.1 eV is 1 points wide"),
        ("derivative_correlation", {"window": 40}, "and at most 300"),
        ("derivative_correlation", {"polynomial": 0}, "polynomial is 0"),
    ],
)
def test_values_that_make_no_sense(kind, parameters, message):
    measure = measures.load(kind, **parameters)
    with pytest.raises(InputError, match=message):
        distances(measure, simulated(2), simulated(2))


def test_parameters_are_filled_in_and_sorted():
    measure = measures.load("derivative_correlation", window=2)
    assert list(measure.parameters.items()) == [("polynomial", 2), ("window", 2.0)]
    assert type(measure.parameters["window"]) is float
    assert measures.load("cosine").parameters == {}


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("corelation", {}, "'corelation' is no kind of measures; did you mean 'correlation'?"),
        ("base", {}, "'base' is no kind of measures"),
        ("dtw", {"bnd": 1.0}, "dtw: .*parameter 'bnd'.* it has band"),
        ("cosine", {"band": 1.0}, "cosine: .*parameter 'band'.* it has none"),
        ("dtw", {"band": "wide"}, "dtw: band is 'wide'; it must be of type float, such as 1.0"),
        ("dtw", {"band": True}, "must be of type float"),
        ("derivative_correlation", {"polynomial": 2.0}, "must be of type int, such as 2"),
        ("missing.py", {}, "missing.py: no such file"),
    ],
)
def test_registry_errors(kind, parameters, message):
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        measures.load(kind, **parameters)


def test_module_path_of_every_kind():
    for kind in KINDS:
        assert measures.module_path(kind).is_file()


CHEBYSHEV = """
import numpy as np
from whiteline.measures import Measure

MEASURE = Measure("Chebyshev", "textbook", True, True, False, False, 1)


def prepare(intensity, energy, *, scale=1.0):
    return intensity * scale


def pairwise(queries, library, energy, *, power=1, scale=1.0):
    return np.abs(queries[:, None] - library).max(-1) ** power
"""


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    """Writes a user's file beside the configuration and gives its relative path."""
    monkeypatch.chdir(tmp_path)

    def write(old: str = "", new: str = "") -> str:
        assert old in CHEBYSHEV
        (tmp_path / "own.py").write_text(CHEBYSHEV.replace(old, new) if old else CHEBYSHEV)
        return "own.py"

    return write


def test_users_file(own_file):
    kind = own_file()
    measure = measures.load(kind, scale=2)
    assert measure.kind == kind
    assert measure.facts.name == "Chebyshev"
    assert measure.parameters == {"power": 1, "scale": 2.0}
    assert str(measures.module_path(kind)) == kind
    queries, library = simulated(2), simulated(3, seed=1)
    np.testing.assert_allclose(
        distances(measure, queries, library),
        2 * distance.cdist(queries, library, "chebyshev"),
    )


def test_users_file_is_read_again_after_an_edit(own_file):
    measures.load(own_file())
    measure = measures.load(own_file('"Chebyshev"', '"Edited after the first use"'))
    assert measure.facts.name == "Edited after the first use"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("MEASURE =", "FACTS =", "own.py: lacks 'MEASURE'"),
        ("= Measure", "= tuple, ", "own.py: MEASURE must be a whiteline.measures.Measure"),
        ("def prepare", "def ready", "own.py: lacks 'prepare'"),
        ("def pairwise", "def pairs", "own.py: lacks 'pairwise'"),
        ("def pairwise", "pairwise = 3\n\n\ndef pairs", "pairwise must be a function"),
        ("library, energy, *,", "library, *,", "pairwise must be defined as pairwise"),
        ("(intensity, energy, *,", "(intensity, energy,", "prepare must be defined as prepare"),
        ("power=1", "power", "the parameter 'power' of pairwise must have a default"),
        ("power=1, scale=1.0", "power=1, scale=3.0", "'scale' has different defaults"),
        ("import numpy as np", "import nonumpy", "own.py: .*ModuleNotFoundError"),
        ("import numpy as np", "import numpy as", "own.py: .*SyntaxError"),
    ],
)
def test_users_file_that_breaks_the_contract(own_file, old, new, message):
    with pytest.raises(InputError, match=message):
        measures.load(own_file(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("intensity * scale", "intensity[0]", r"prepare returned float64 of shape \(300,\) for 2"),
        ("intensity * scale", "list(intensity)", "prepare returned a list"),
        ("intensity * scale", "intensity * np.nan", "prepare returned values that are not finite"),
        (".max(-1) ** power", "", r"pairwise returned float64 of shape \(2, 2, 300\)"),
        (".max(-1) ** power", ".max(-1).T[:1]", r"must return numbers of shape \(2, 2\)"),
        (".max(-1) ** power", ".max(-1) * np.nan", "distances that are negative or not finite"),
        (".max(-1) ** power", ".max(-1) - 1", "distances that are negative or not finite"),
        ("return np.abs", "np.abs", "pairwise returned a NoneType for 2 queries"),
    ],
)
def test_users_measure_that_returns_nonsense(own_file, old, new, message):
    measure = measures.load(own_file(old, new))
    with pytest.raises(InputError, match=message):
        distances(measure, simulated(2), simulated(2, seed=1))


def test_rounding_below_zero_becomes_zero(own_file):
    measure = measures.load(own_file(".max(-1) ** power", ".max(-1) - 1e-15"))
    assert distances(measure, simulated(1), simulated(1))[0, 0] == 0
