"""The contract of the measures: the same tests over every kind, so that none is forgotten."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from itertools import product

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter
from scipy.spatial import distance
from scipy.special import logsumexp, rel_entr
from scipy.stats import energy_distance, kendalltau, spearmanr, wasserstein_distance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics.pairwise import additive_chi2_kernel

from whiteline import measures
from whiteline.errors import InputError
from whiteline.evaluation import claims
from whiteline.measures.kernels.warping import warped, warped_pairs

ENERGY = 700 + 0.1 * np.arange(300)
STEP = 0.1
KINDS = measures.kinds()
# For a distance that should be exactly zero: the square root of rounding in float64.
ZERO = 1e-7
# Every check that a built-in measure must pass.
CLAIMS = [(kind, name) for kind in KINDS for name in claims.applying(measures.load(kind).facts)]


def simulated(count: int, seed: int = 0, energy: np.ndarray = ENERGY) -> np.ndarray:
    """Spectra like simulated ones: multiplets of Lorentzians at L3 and L2, unit maximum."""
    random = np.random.default_rng(seed)
    shape = (count, 8, 1)
    l3 = random.normal(709, 1.5, shape), random.gamma(2, 1, shape), random.uniform(0.2, 0.5, shape)
    l2 = random.normal(721, 1.5, shape), random.gamma(1, 1, shape), random.uniform(0.4, 0.9, shape)
    lines = [h * w**2 / ((energy - e) ** 2 + w**2) for e, h, w in (l3, l2)]
    spectra = sum(line.sum(axis=1) for line in lines)
    return spectra / spectra.max(axis=1, keepdims=True)


def fitted(kind, **parameters):
    """A measure in double precision where nothing else is asked for, shown a library."""
    if kind != "ensemble":
        parameters = {"precision": "double", **parameters}
    library, group = simulated(120, seed=9), np.arange(120) % 12
    labels = {"valence": 2.0 + group % 3, "ten_dq": 0.5 * (group // 3)}
    return measures.load(kind, **parameters).fit(library, labels, ENERGY, seed=0)


def distances(measure, queries, library, energy=ENERGY):
    """Distances of spectra that are not yet prepared."""
    prepared = measure.prepare(queries, energy), measure.prepare(library, energy)
    return measure.pairwise(*prepared, energy)


def correlation(a, b):
    return 1 - np.corrcoef(a, b)[0, 1]


def standardised(x):
    return (x - x.mean()) / np.linalg.norm(x - x.mean())


def least(costs):
    return np.min(costs)


def plain_dtw(a, b, band, choose=least):
    """The recursion as Sakoe and Chiba write it, with the symmetric step of weight 1; squared."""
    cost = np.full((len(a) + 1, len(b) + 1), np.inf)
    cost[0, 0] = 0
    for i, j in product(range(len(a)), range(len(b))):
        if abs(i - j) <= band:
            before = np.array([cost[i, j], cost[i, j + 1], cost[i + 1, j]])
            cost[i + 1, j + 1] = (a[i] - b[j]) ** 2 + choose(before)
    return cost[-1, -1]


def dtw(a, b, band=10):
    return np.sqrt(plain_dtw(standardised(a), standardised(b), band))


def soft_dtw(a, b, band=10, gamma=1e-3):
    def soft(x, y):
        return plain_dtw(x, y, band, lambda before: -gamma * logsumexp(-before / gamma))

    a, b = standardised(a), standardised(b)
    return soft(a, b) - (soft(a, a) + soft(b, b)) / 2


def brute_force_shifts(a, b, of=correlation, limit=10):
    pairs = [(a[: len(a) - s], b[s:]) for s in range(limit + 1)]
    pairs += [(a[s:], b[: len(b) - s]) for s in range(limit + 1)]
    return min(of(*pair) for pair in pairs)


def mean_square(a, b):
    return ((a - b) ** 2).mean()


def triangle(a, b, width=20):
    apart = np.abs(np.subtract.outer(np.arange(len(a)), np.arange(len(a))))
    weight = np.maximum(0, 1 - apart / width)
    return 1 - a @ weight @ b / np.sqrt((a @ weight @ a) * (b @ weight @ b))


def quantiles(a, b, number=20_000):
    """Energies at many levels of both distributions, each point's intensity over its step."""
    levels, edges = (np.arange(number) + 0.5) / number, ENERGY[0] + STEP * (np.arange(301) - 0.5)
    return [np.interp(levels, np.append(0, np.cumsum(x) / x.sum()), edges) for x in (a, b)]


def mixed(x, floor=1e-6):
    return (1 - floor) * x / x.sum() + floor / len(x)


def of_distributions(function):
    return lambda a, b: function(a / a.sum(), b / b.sum())


# One trusted implementation each, with the default parameters.
TRUSTED = {
    "bhattacharyya": of_distributions(lambda p, q: -np.log(np.sqrt(p * q).sum())),
    "bray_curtis": distance.braycurtis,
    "canberra": distance.canberra,
    "chebyshev": distance.chebyshev,
    "chi_square": of_distributions(lambda p, q: -additive_chi2_kernel([p], [q])[0, 0]),
    "cityblock": distance.cityblock,
    "correlation": distance.correlation,
    "cosine": distance.cosine,
    "cramer_von_mises": lambda a, b: energy_distance(ENERGY, ENERGY, a, b) / np.sqrt(2),
    "cross_correlation": triangle,
    "dtw": dtw,
    "energy_distance": lambda a, b: energy_distance(ENERGY, ENERGY, a, b),
    "euclidean": distance.euclidean,
    "hellinger": of_distributions(lambda p, q: np.sqrt(1 - np.sqrt(p * q).sum())),
    "jensen_shannon": distance.jensenshannon,
    "kendall": lambda a, b: 1 - kendalltau(a, b).statistic,
    "kolmogorov_smirnov": of_distributions(lambda p, q: np.abs(np.cumsum(p - q)).max()),
    "kullback_leibler": lambda a, b: rel_entr(mixed(a), mixed(b)).sum(),
    "minkowski": lambda a, b: distance.minkowski(a, b, 3),
    "ruzicka": lambda a, b: 1 - np.minimum(a, b).sum() / np.maximum(a, b).sum(),
    "shifted_correlation": brute_force_shifts,
    "shifted_cosine": lambda a, b: brute_force_shifts(a, b, distance.cosine),
    "shifted_euclidean": lambda a, b: np.sqrt(len(a) * brute_force_shifts(a, b, mean_square)),
    "soft_dtw": soft_dtw,
    "spearman": lambda a, b: 1 - spearmanr(a, b).statistic,
    "spectral_angle": lambda a, b: np.arccos(1 - distance.cosine(a, b)),
    "squared_euclidean": distance.sqeuclidean,
    "wasserstein": lambda a, b: wasserstein_distance(ENERGY, ENERGY, a, b),
    "wasserstein_2": lambda a, b: np.sqrt(mean_square(*quantiles(a, b))),
}
# What 256 quantiles leave of the exact integral.
TOLERANCES = {"wasserstein_2": 5e-4}
# Trusted elsewhere: there is nothing else that learns or ranks in just this way.
OWN_TESTS = {"ensemble", "learned"}


@pytest.fixture(scope="module", params=KINDS)
def measure(request):
    return fitted(request.param)


def claiming(fact: str, claimed: bool = True):
    """Only the measures that claim this fact."""
    kinds = [kind for kind in KINDS if getattr(measures.load(kind).facts, fact) == claimed]
    return pytest.mark.parametrize("measure", kinds, indirect=True)


def test_every_kind_has_a_trusted_implementation():
    assert sorted({*TRUSTED, *OWN_TESTS}) == KINDS


@pytest.mark.parametrize("measure", TRUSTED, indirect=True)
def test_agrees_with_trusted_implementation(measure):
    queries, library = simulated(3), simulated(4, seed=1)
    expected = [[TRUSTED[measure.kind](a, b) for b in library] for a in queries]
    tolerance = TOLERANCES.get(measure.kind, 1e-10)
    np.testing.assert_allclose(distances(measure, queries, library), expected, rtol=tolerance)


@claiming("depends_on_library", False)
def test_single_precision_stays_single(measure):
    single = fitted(measure.kind, precision="single")
    found = distances(single, simulated(2), simulated(3, seed=1))
    assert found.dtype == (float if measure.kind == "kendall" else np.float32)


def test_soft_dtw_loses_in_single_precision_only_what_is_near_zero():
    """Of the divergence little is left where a spectrum is compared with itself."""
    library = np.concatenate([simulated(6), simulated(5, seed=2)])
    double, single = (
        distances(fitted("soft_dtw", precision=precision), simulated(6), library)
        for precision in ("double", "single")
    )
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=3e-6)


def test_single_precision_is_what_it_comes_in():
    for kind in KINDS:
        wanted = {"soft_dtw": "double", "ensemble": None}.get(kind, "single")
        assert measures.load(kind).parameters.get("precision") == wanted


@pytest.mark.parametrize(("kind", "name"), CLAIMS)
def test_claim(kind, name):
    """The checks of ``whiteline measures --check``."""
    assert claims.violation(name, kind) is None


def test_only_ranks_grow_in_steps():
    """Of all others the order is known to 0.02."""
    trials = {kind: claims.Trial(kind, {}) for kind, name in CLAIMS if name == claims.ORDER}
    stepped = [kind for kind, trial in trials.items() if np.isnan(claims.power(trial))]
    assert stepped == ["kendall", "spearman"]


def test_dtype_is_float(measure):
    assert distances(measure, simulated(2), simulated(3)).dtype == np.float64


@claiming("needs_nonnegative")
def test_negative_values_are_refused_if_so_configured(measure):
    strict = fitted(measure.kind, negative="refuse")
    noisy = simulated(3)
    noisy[1, 7] = -0.25
    message = f"{measure.kind}: spectrum 1 has the negative intensity -0.25 at 700.70 eV"
    with pytest.raises(InputError, match=message):
        strict.prepare(noisy, ENERGY)


@claiming("needs_nonnegative")
def test_no_derivative_where_negative_values_mean_nothing(measure):
    with pytest.raises(InputError, match=f"{measure.kind}: takes no derivative, which"):
        measures.load(measure.kind, derivative=1)


@claiming("needs_nonnegative", False)
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives(measure, order):
    if measure.members:
        pytest.skip("its members have derivatives of their own")
    queries, library = simulated(2), simulated(3, seed=1)
    derived = fitted(measure.kind, derivative=order, derivative_window=1.5)
    filtered = [savgol_filter(x, 15, 2, deriv=order, delta=STEP) for x in (queries, library)]
    if measure.kind == "learned":
        assert (distances(derived, queries, library) > 0).all()
    else:
        np.testing.assert_allclose(
            distances(derived, queries, library), distances(measure, *filtered), rtol=1e-9
        )


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
        "dtw",
        "ensemble",
        "kendall",
        "shifted_correlation",
        "soft_dtw",
        "spearman",
    )
    needs_signal = measure.facts.needs_nonnegative or measure.kind in (
        "cosine",
        "cross_correlation",
        "learned",
        "shifted_cosine",
        "spectral_angle",
    )
    if needs_shape or (needs_signal and value == 0):
        named = [measure.kind, *(member.kind for member in measure.members)]
        with pytest.raises(InputError, match=f"({'|'.join(named)}): spectrum 1 "):
            measure.prepare(spectra, ENERGY)
    else:
        assert np.isfinite(distances(measure, spectra, spectra)).all()


def test_facts_are_told(measure):
    facts = measure.facts
    assert facts.name
    assert "doi 10." in facts.reference
    assert facts.order in (1, 2)
    assert facts.cost != "not told"


def test_wrong_grid(measure):
    with pytest.raises(InputError, match=r"\(2, 300\) don't suit a grid of 299 energies"):
        measure.prepare(simulated(2), ENERGY[:-1])


def test_spectra_prepared_on_different_grids(measure):
    if measure.kind == "wasserstein_2":
        pytest.skip("quantiles can be compared whatever the grids")
    whole, shorter = simulated(2), simulated(2, energy=ENERGY[:-9])

    def compare():
        prepared = measure.prepare(whole, ENERGY), measure.prepare(shorter, ENERGY[:-9])
        measure.pairwise(*prepared, ENERGY)

    with pytest.raises(InputError, match=r"were not prepared alike|learnt from 300 energies"):
        compare()


def test_measures_do_not_import_each_other(measure):
    """Else editing one would rerun the others."""
    tree = ast.parse(measures.module_path(measure.kind).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    own = {name for name in imported if name.startswith("whiteline")}
    assert own <= {
        "whiteline.errors",
        "whiteline.measures.base",
        "whiteline.measures.kernels",
    }


def test_kinds_are_imported_only_when_used():
    code = (
        "import sys, numpy as np, whiteline.measures as m; c = m.load('cosine'); "
        "p = c.prepare(np.eye(3), np.arange(3.0)); c.pairwise(p, p, np.arange(3.0)); "
        "assert 'whiteline.measures.cosine' in sys.modules; "
        "assert not {'scipy', 'numba', 'sklearn', 'whiteline.measures.dtw'} & set(sys.modules)"
    )
    path = measures.__path__[0].removesuffix("/whiteline/measures")
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": path})


def test_same_neighbours_after_centring_and_unit_norm():
    queries, library = (
        fitted("correlation").prepare(simulated(count, seed), ENERGY)
        for count, seed in ((50, 0), (200, 1))
    )
    orders = [
        distances(fitted(kind), queries, library).argsort(axis=1)
        for kind in ("euclidean", "cosine", "correlation")
    ]
    np.testing.assert_array_equal(orders[0], orders[1])
    np.testing.assert_array_equal(orders[0], orders[2])


def test_euclidean_keeps_near_duplicates():
    spectra = simulated(3)
    close = spectra + 1e-9
    result = np.diag(distances(fitted("euclidean"), spectra, close))
    np.testing.assert_allclose(result, 1e-9 * np.sqrt(len(ENERGY)), rtol=1e-5)


def test_jensen_shannon_with_zeros():
    spectra = simulated(2)
    spectra[0, :150] = spectra[1, 150:] = 0
    third = np.where(np.arange(300) % 3, simulated(1, seed=5), 0)
    spectra = np.concatenate([spectra, third])
    expected = distance.squareform(distance.pdist(spectra, "jensenshannon"))
    result = distances(fitted("jensen_shannon"), spectra, spectra)
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=ZERO)
    np.testing.assert_allclose(result[0, 1], np.sqrt(np.log(2)))


def test_jensen_shannon_over_many_orders_of_magnitude():
    random = np.random.default_rng(3)
    spectra = np.exp(random.uniform(-40, 0, (5, len(ENERGY))))
    expected = distance.squareform(distance.pdist(spectra, "jensenshannon"))
    result = distances(fitted("jensen_shannon"), spectra, spectra)
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=ZERO)


def test_wasserstein_of_a_shift_is_the_shift():
    spectra = simulated(3) * np.exp(-((ENERGY - 715) ** 2) / 40)
    moved = np.roll(spectra, 7, axis=1)
    result = np.diag(distances(fitted("wasserstein"), spectra, moved))
    np.testing.assert_allclose(result, 7 * STEP, rtol=1e-3)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 65])
def test_dtw_for_any_number_of_library_spectra(count):
    energy = ENERGY[:40]
    random = np.random.default_rng(4)
    queries, library = random.normal(size=(2, 40)), random.normal(size=(count, 40))
    result = distances(fitted("dtw", band=0.5), queries, library, energy)
    expected = [[dtw(a, b, 5) for b in library] for a in queries]
    np.testing.assert_allclose(result, expected, rtol=2e-6)


@pytest.mark.parametrize("band", [0, 1, 2, 7, 39, 100])
def test_dtw_for_any_band(band):
    energy = ENERGY[:40]
    spectra = np.random.default_rng(5).normal(size=(4, 40))
    result = distances(fitted("dtw", band=band * STEP), spectra[:2], spectra[2:], energy)
    expected = [[dtw(a, b, band) for b in spectra[2:]] for a in spectra[:2]]
    np.testing.assert_allclose(result, expected, rtol=2e-6)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("band", [0, 1, 2, 7, 8, 38, 39])
def test_pairs_are_warped_one_by_one_by_the_same_sums(band, precision):
    """Searches compare distances of either kind."""
    spectra = np.random.default_rng(6).normal(size=(7, 40)).astype(precision)
    columns = np.tile(np.arange(5), 2)
    ceiling = np.full(10, np.inf)
    found = warped_pairs(spectra[:2], spectra[2:], band, np.arange(11), columns, ceiling)
    np.testing.assert_array_equal(found.reshape(2, 5), warped(spectra[:2], spectra[2:], band))


def test_dtw_without_band_is_correlation():
    queries, library = simulated(3), simulated(4, seed=1)
    expected = np.sqrt(2 * distances(fitted("correlation"), queries, library))
    result = distances(fitted("dtw", band=0), queries, library)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


@pytest.mark.parametrize("limit", [0, 1, 25, 150])
def test_shifted_correlation_for_any_shift(limit):
    queries, library = simulated(2), simulated(3, seed=1)
    measure = fitted("shifted_correlation", max_shift=limit * STEP)
    expected = [[brute_force_shifts(a, b, limit=limit) for b in library] for a in queries]
    np.testing.assert_allclose(distances(measure, queries, library), expected, rtol=1e-9)


def test_shifted_correlation_leaves_flat_overlaps_out():
    spectra = simulated(2)
    spectra[0, 5:] = 0.25
    result = distances(fitted("shifted_correlation"), spectra, spectra)
    assert np.isfinite(result).all()
    assert result[0, 0] <= ZERO


def least_of_all_shifts(kind, queries, library, limit=10):
    """By one product of matrices for each shift, in double precision."""
    least, points = np.full((len(queries), len(library)), np.inf), queries.shape[1]
    for move in range(-limit, limit + 1):
        a, b = queries[:, max(0, -move) :], library[:, max(0, move) :]
        a, b = (x[:, : points - abs(move)] for x in (a, b))
        if kind == "shifted_euclidean":
            apart = distance.cdist(a, b) * np.sqrt(points / a.shape[1])
        else:
            apart = distance.cdist(a, b, kind.removeprefix("shifted_"))
        least = np.minimum(least, apart)
    return least


@pytest.mark.parametrize("noise", [(0, 0), (0.05, 0), (0.05, 0.05)])
@pytest.mark.parametrize("kind", ["shifted_correlation", "shifted_cosine", "shifted_euclidean"])
def test_least_of_all_shifts_of_many_pairs(kind, noise, monkeypatch):
    """So many that principal components pay and queries and library are taken in parts."""
    from whiteline.measures.kernels import shifts

    random = np.random.default_rng(0)
    queries, library = (
        np.abs(spectra + part * spectra.max() * random.normal(size=spectra.shape))
        for spectra, part in zip((simulated(165), simulated(2000, seed=1)), noise, strict=True)
    )
    assert queries.size * len(library) * 21 > shifts.WORTHWHILE
    expected = least_of_all_shifts(kind, queries, library)
    measure = fitted(kind, precision="single")
    excess = distances(measure, queries, library) / expected - 1
    # Never less than the least, and but for few peaks that are nearly as high the same.
    assert excess.min() > -1e-5
    assert np.quantile(excess, 0.999 if noise[1] == 0 else 0.998) < 1e-5
    assert np.quantile(excess, 0.9999) < (1e-2 if noise[1] == 0 else 3e-2)
    monkeypatch.setattr(shifts, "WORTHWHILE", np.inf)
    np.testing.assert_allclose(distances(measure, queries, library), expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("points", "count"), [(1, 1), (31, 16), (33, 7), (100, 17), (300, 40)])
def test_greatest_differences_whatever_is_left_out(points, count, dtype):
    """To the last bit, also of noise, of equal spectra and where only one point matters."""
    from whiteline.measures.kernels import largest

    random = np.random.default_rng(points)
    smooth = simulated(count + 3, energy=np.linspace(700, 730, points))
    noise = random.normal(size=smooth.shape)
    spikes = smooth.copy()
    spikes[np.arange(len(spikes)), random.integers(points, size=len(spikes))] += 1
    for spectra in (smooth, noise, smooth + 0.05 * noise, np.cumsum(smooth, axis=1), spikes):
        queries, library = spectra[:4].astype(dtype), spectra[3:].astype(dtype)
        expected = np.abs(queries[:, None] - library).max(axis=-1)
        np.testing.assert_array_equal(largest.differences(queries, library), expected)


def test_derivatives_ignore_a_sloping_background():
    spectra = simulated(3)
    sloping = spectra + 2 - 0.05 * (ENERGY - 700)
    result = np.diag(distances(fitted("correlation", derivative=1), spectra, sloping))
    assert (result <= ZERO).all()


@pytest.mark.parametrize("kind", ["shifted_correlation", "shifted_cosine", "shifted_euclidean"])
def test_shifts_found_among_principal_components(kind, monkeypatch):
    from whiteline.measures.kernels import shifts

    queries, library = simulated(3), simulated(200, seed=1)
    expected = distances(fitted(kind), queries, library)
    monkeypatch.setattr(shifts, "WORTHWHILE", 0)
    found = distances(fitted(kind), queries, library)
    # Never less than the least, and but for peaks that are nearly as high the same.
    assert (found >= expected - 1e-12).all()
    np.testing.assert_allclose(found, expected, rtol=2e-3)


@pytest.mark.parametrize("noise", [0, 0.05])
@pytest.mark.parametrize("kind", ["shifted_correlation", "shifted_cosine", "shifted_euclidean"])
def test_shifts_that_take_lines_out_of_the_window(kind, noise, monkeypatch):
    """What is left of a spectrum is compared at its own scale, and doubted so."""
    from whiteline.measures.kernels import shifts

    random = np.random.default_rng(1)
    cut = slice(75, 175)  # the main line lies within a shift of the end, or beyond
    queries, library = (
        np.abs(spectra + noise * spectra.max() * random.normal(size=spectra.shape))
        for spectra in (simulated(40)[:, cut], simulated(1000, seed=1)[:, cut])
    )
    measure, energy = fitted(kind), ENERGY[cut]
    expected = distances(measure, queries, library, energy)
    monkeypatch.setattr(shifts, "WORTHWHILE", 0)
    excess = distances(measure, queries, library, energy) - expected
    assert excess.min() > -1e-12
    assert np.quantile(excess, 0.99) < 1e-5


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("kind", ["shifted_correlation", "shifted_cosine"])
def test_shifts_of_spectra_that_are_flat_but_for_an_end(kind, precision, monkeypatch):
    """Among principal components too; what is left at most shifts is flat and is not compared."""
    from whiteline.measures.kernels import shifts

    library = simulated(200)
    library[:20, 3:] = library[20:40, :-3] = 0.25
    library[40:60, 3:] = library[60:80, :-3] = 0
    measure = fitted(kind, precision=precision)
    expected = distances(measure, library[::10], library)
    monkeypatch.setattr(shifts, "WORTHWHILE", 0)
    excess = distances(measure, library[::10], library) - expected
    assert excess.min() > {"single": -2e-5, "double": -1e-12}[precision]
    assert np.quantile(excess, 0.99) < 2e-3


def test_bhattacharyya_without_overlap_is_finite():
    spectra = simulated(2)
    spectra[0, :150] = spectra[1, 150:] = 0
    assert distances(fitted("bhattacharyya"), spectra, spectra)[0, 1] > 30


@pytest.mark.parametrize("power", [1.0, 2.0, 3.5])
def test_minkowski_of_any_power(power):
    queries, library = simulated(2), simulated(3, seed=1)
    expected = distance.cdist(queries, library, "minkowski", p=power)
    found = distances(fitted("minkowski", power=power), queries, library)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_kendall_with_ties():
    random = np.random.default_rng(6)
    spectra = random.integers(0, 12, (5, len(ENERGY))).astype(float)
    expected = [[TRUSTED["kendall"](a, b) for b in spectra] for a in spectra]
    np.testing.assert_allclose(
        distances(fitted("kendall"), spectra, spectra), expected, rtol=1e-10, atol=1e-12
    )


def test_soft_dtw_becomes_dtw():
    queries, library = simulated(2), simulated(3, seed=1)
    soft = distances(fitted("soft_dtw", gamma=1e-9), queries, library)
    np.testing.assert_allclose(soft, distances(fitted("dtw"), queries, library) ** 2, rtol=1e-4)


def test_ensemble_is_the_mean_rank_of_its_members():
    members = ["euclidean", {"kind": "cosine", "derivative": 1}]
    queries, library = simulated(3), simulated(9, seed=1)
    found = distances(fitted("ensemble", members=members), queries, library)
    ranks = [
        distances(member, queries, library).argsort(axis=1).argsort(axis=1)
        for member in (measures.load("euclidean"), measures.load("cosine", derivative=1))
    ]
    np.testing.assert_allclose(found, np.mean(ranks, axis=0) / 9)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "ensemble: members is empty"),
        ([3], "ensemble: the member 3 is neither a kind nor"),
        ([{"derivative": 1}], "ensemble: the member {'derivative': 1} is neither"),
        (["cosin"], "'cosin' is no kind of measures; did you mean 'cosine'"),
        ([{"kind": "dtw", "bnd": 1}], "dtw: no parameter 'bnd'"),
        (["ensemble"], "ensemble: the member 'ensemble' has members of its own"),
        ("cosine", "members is 'cosine'; it must be of type list"),
    ],
)
def test_members_that_make_no_sense(members, message):
    with pytest.raises(InputError, match=message):
        measures.load("ensemble", members=members)


def grouped(count, seed):
    """Spectra of 12 groups that differ little, with random widths, and their labels."""
    random = np.random.default_rng(seed)
    group = np.arange(count) % 12
    spectra = simulated(1, seed=8) + 0.2 * (simulated(12) - simulated(1, seed=8))
    wide = np.array([gaussian_filter1d(x, random.uniform(1, 6)) for x in spectra[group]])
    return wide, {"valence": 2.0 + group % 3, "ten_dq": 0.5 * (group // 3)}, group


def test_learned_tells_groups_apart_where_euclidean_does_not():
    library, labels, group = grouped(120, seed=1)
    queries, _, truth = grouped(120, seed=2)
    random = np.random.default_rng(3)
    queries = queries + random.normal(0, 0.05, (120, 1)) * np.linspace(-1, 1, len(ENERGY))
    queries += random.normal(0, 0.05, queries.shape)
    learned = measures.load("learned", noise=0.05).fit(library, labels, ENERGY, seed=0)
    right = {
        measure.kind: (group[distances(measure, queries, library).argmin(axis=1)] == truth).mean()
        for measure in (learned, measures.load("euclidean"))
    }
    assert right["learned"] > 0.98
    assert right["euclidean"] < 0.95


def test_learned_directions_are_those_of_scikit_learn():
    """Undisturbed, the two leading ones span what linear discriminant analysis finds."""
    library, labels, group = grouped(2400, seed=1)
    quiet = {"shift": 0.0, "noise": 1e-3, "slope": 0.0, "precision": "double"}
    learned = measures.load("learned", **quiet).fit(library, labels, ENERGY, seed=0)
    noisy = library / np.linalg.norm(library, axis=1, keepdims=True)
    noise = np.random.default_rng(5).normal(size=noisy.shape)
    noisy = noisy + 1e-3 * noisy.max(axis=1, keepdims=True) * noise
    theirs = LinearDiscriminantAnalysis(solver="eigen").fit(noisy, group).scalings_[:, :2]
    ours = learned.prepare(np.eye(len(ENERGY)), ENERGY)[:, :2]
    scores = [noisy @ axes for axes in (ours, theirs)]
    bases = [np.linalg.qr(x - x.mean(axis=0))[0] for x in scores]
    assert np.linalg.svd(bases[0].T @ bases[1])[1].min() > 0.99


def test_learned_is_the_same_for_the_same_seed():
    first, second = (fitted("learned").prepare(simulated(2), ENERGY) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_measure_that_learns_must_be_shown_a_library():
    with pytest.raises(InputError, match="learned: learns from a library, and none was shown"):
        measures.load("learned").prepare(simulated(2), ENERGY)
    labels = {"valence": np.full(4, 2.0), "ten_dq": np.ones(4)}
    with pytest.raises(InputError, match="learned: all library spectra have one valence"):
        measures.load("learned").fit(simulated(4), labels, ENERGY, seed=0)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("dtw", {"band": -1.0}, "dtw: band is -1.0 eV; it must be zero or more"),
        ("dtw", {"band": float("nan")}, "band is nan eV"),
        ("shifted_correlation", {"max_shift": 16}, "max_shift is 16.0 eV, which leaves less"),
        ("cosine", {"derivative": 1, "derivative_window": 0.1}, "window of 0.1 eV is 1 points"),
        ("cosine", {"derivative": 1, "derivative_window": 40}, "and at most 300"),
        ("soft_dtw", {"gamma": 0.0}, "gamma is 0.0; it must be above zero"),
        ("minkowski", {"power": 0.5}, "power is 0.5; it must be 1 or more"),
        ("kullback_leibler", {"floor": 0.0}, "floor is 0.0; it must lie between 0 and 1"),
        ("wasserstein_2", {"quantiles": 1}, "quantiles is 1; it must be 2 or more"),
        ("cross_correlation", {"width": -1.0}, "width is -1.0 eV; it must be zero or more"),
    ],
)
def test_values_that_make_no_sense(kind, parameters, message):
    measure = measures.load(kind, **parameters)
    with pytest.raises(InputError, match=message):
        distances(measure, simulated(2), simulated(2))


def test_parameters_are_filled_in_and_sorted():
    measure = measures.load("dtw", band=2)
    assert list(measure.parameters.items()) == [
        ("band", 2.0),
        ("derivative", 0),
        ("derivative_window", 1.0),
        ("precision", "single"),
    ]
    assert type(measure.parameters["band"]) is float
    assert measures.load("wasserstein").parameters == {"negative": "clip", "precision": "single"}


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("corelation", {}, "'corelation' is no kind of measures; did you mean 'correlation'?"),
        ("base", {}, "'base' is no kind of measures"),
        ("dtw", {"bnd": 1.0}, "dtw: .*parameter 'bnd'.* it has band"),
        ("cosine", {"band": 1.0}, "cosine: .*parameter 'band'.* it has derivative, "),
        ("dtw", {"band": "wide"}, "dtw: band is 'wide'; it must be of type float, such as 1.0"),
        ("dtw", {"band": True}, "must be of type float"),
        ("cosine", {"derivative": 1.0}, "must be of type int, such as 0"),
        ("cosine", {"derivative": 3}, "cosine: derivative is 3; it must be 0, 1 or 2"),
        ("cosine", {"precision": "half"}, "precision is 'half'; it must be single or double"),
        ("wasserstein", {"negative": "keep"}, "negative is 'keep'; it must be clip or refuse"),
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
    assert measure.parameters == {
        "derivative": 0,
        "derivative_window": 1.0,
        "power": 1,
        "precision": "single",
        "scale": 2.0,
    }
    assert str(measures.module_path(kind)) == kind
    queries, library = simulated(2), simulated(3, seed=1)
    np.testing.assert_allclose(
        distances(measure, queries, library),
        2 * distance.cdist(queries, library, "chebyshev"),
        rtol=1e-5,
    )


PLAIN = """
def distance(a, b, energy, *, power=2.0):
    total = 0.0
    for x, y in zip(a, b):
        total += abs(x - y) ** power
    return (total * (energy[1] - energy[0])) ** (1 / power)
"""


@pytest.mark.parametrize("compiled", [True, False])
def test_a_plain_function_of_two_spectra(tmp_path, compiled):
    """Without facts, and whether or not numba can compile it."""
    slow = PLAIN.replace("total = 0.0", "total = sum([], start=0.0) + len({**{}})")
    (tmp_path / "my_own.py").write_text(PLAIN if compiled else slow)
    measure = measures.load(str(tmp_path / "my_own.py"), power=3)
    assert measure.facts.name == "my own"
    assert not measure.facts.symmetric
    queries, library = simulated(2), simulated(3, seed=1)
    np.testing.assert_allclose(
        distances(measure, queries, library),
        STEP ** (1 / 3) * distance.cdist(queries, library, "minkowski", p=3),
        rtol=1e-9,
    )
    assert distances(measure, queries, library[:0]).shape == (2, 0)
    prepared = measure.prepare(library, ENERGY)
    start = time.process_time()
    measure.pairwise(prepared, np.repeat(prepared, 300, axis=0), ENERGY)
    assert (time.process_time() - start < 0.1) == compiled


def test_users_file_is_read_again_after_an_edit(own_file):
    measures.load(own_file())
    measure = measures.load(own_file('"Chebyshev"', '"Edited after the first use"'))
    assert measure.facts.name == "Edited after the first use"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("= Measure", "= tuple, ", "own.py: MEASURE must be a whiteline.measures.Measure"),
        ("def pairwise", "def pairs", "own.py: lacks 'pairwise' or 'distance', one of which"),
        (
            "scale=1.0):\n    return intensity",
            "precision=1.0):\n    return intensity",
            "every measure",
        ),
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
        (".max(-1) ** power", "", r"pairwise returned float32 of shape \(2, 2, 300\)"),
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
