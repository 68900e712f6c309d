"""Search by bounds against comparison with every library spectrum, for every family."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial import polynomial
from search_pairs import survives

from whiteline import measures, search
from whiteline.errors import InputError
from whiteline.search.divergence import GAP, POLYNOMIAL

ENERGY = 640 + 0.2 * np.arange(101)
# Rounding of distances.
EXACT = {"rtol": 1e-9, "atol": 1e-12}


KINDS = sorted(search.FAMILIES)
# One of each way to a distance, and one without a bound.
WAYS = (
    "euclidean",
    "correlation",
    "wasserstein",
    "jensen_shannon",
    "chi_square",
    "dtw",
    "cityblock",
)


def load(kind, **parameters):
    return measures.load(kind, precision="double", **parameters)


@pytest.fixture(params=WAYS)
def measure(request):
    return load(request.param)


def spectra(count, seed=0, energy=ENERGY):
    """Spectra like simulated ones: lines at L3 and L2 that move and widen smoothly."""
    random = np.random.default_rng(seed)
    field_, width, mixing = random.uniform(size=(3, count, 1))
    total = np.zeros((count, len(energy)))
    for place, height, slope in ((643, 1, 1.5), (645, 0.6, -0.8), (648, 0.3, 2.2), (654, 0.4, 1)):
        centre, half = place + slope * field_, 0.3 + 0.7 * width
        total += (height + mixing * slope / 9) * half**2 / ((energy - centre) ** 2 + half**2)
    return total


def noisy(count, seed=1):
    """Other spectra of the kind, with noise of a peak-to-deviation ratio of 10 to 100."""
    random = np.random.default_rng(seed)
    deviation = 10 ** random.uniform(-2, -1, (count, 1))
    return spectra(count, seed) + deviation * random.normal(size=(count, len(ENERGY)))


def prepared(measure, library, queries):
    return measure.prepare(library, ENERGY), measure.prepare(queries, ENERGY)


def brute_force(measure, queries, library, k):
    """Distances and rows, among equals the lowest row."""
    distance = measure.pairwise(queries, library, ENERGY)
    rows = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distance, rows, axis=1), rows


def assert_nearest(found, measure, queries, library):
    """Distances and rows are those of a comparison with the whole library."""
    distance, row = found
    expected, true_row = brute_force(measure, queries, library, row.shape[1])
    np.testing.assert_allclose(distance, expected, **EXACT)
    by_measure = np.take_along_axis(measure.pairwise(queries, library, ENERGY), row, axis=1)
    np.testing.assert_allclose(by_measure, expected, **EXACT)
    # Distances between ranks are multiples of a number, so different spectra tie.
    if measure.kind != "spearman":
        np.testing.assert_array_equal(row, true_row)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("kind", [*KINDS, "cityblock"])
def test_agrees_with_brute_force(kind, k):
    measure = load(kind)
    library, queries = prepared(measure, spectra(700), noisy(3000 if k == 1 else 300))
    index = search.build(measure, library, ENERGY)
    assert_nearest(index.nearest(queries, k), measure, queries, library)
    assert index.queried == len(queries)
    if search.has_bound(measure.kind):
        assert index.compared < 0.75 * len(queries) * len(library)


@pytest.mark.parametrize("k", [1, 3])
def test_nearest_in_groups(measure, k):
    library, queries = prepared(measure, spectra(150), noisy(60))
    groups = np.random.default_rng(2).choice([2.0, 3.0], size=150, p=[0.7, 0.3])
    groups[77] = 4.0
    index = search.build(measure, library, ENERGY, groups=groups)
    distance, row = index.nearest_in_groups(queries, k)
    np.testing.assert_array_equal(index.groups, [2, 3, 4])
    assert distance.shape == row.shape == (60, 3, k)
    for place, label in enumerate(index.groups):
        members = np.flatnonzero(groups == label)
        count = min(k, len(members))
        assert np.isin(row[:, place, :count], members).all()
        own = np.searchsorted(members, row[:, place, :count])
        assert_nearest((distance[:, place, :count], own), measure, queries, library[members])
        assert (distance[:, place, count:] == np.inf).all()
        assert (row[:, place, count:] == -1).all()
    # The groups change nothing in the search of the whole.
    plain = search.build(measure, library, ENERGY).nearest(queries, k)
    np.testing.assert_array_equal(index.nearest(queries, k)[1], plain[1])


def test_within_a_radius(measure):
    library, queries = prepared(measure, spectra(200), noisy(40))
    true = measure.pairwise(queries, library, ENERGY)
    # Half way between two distances, so that rounding decides nothing.
    ordered = np.unique(true)
    at = len(ordered) // 10
    radius = (ordered[at] + ordered[at + 1]) / 2
    distances, rows = search.build(measure, library, ENERGY).within(queries, radius)
    assert len(distances) == len(rows) == 40
    for distance, row, expected in zip(distances, rows, true, strict=True):
        assert set(row) == set(np.flatnonzero(expected <= radius))
        assert (np.diff(distance) >= 0).all()
        np.testing.assert_allclose(distance, expected[row], **EXACT)


def test_an_infinite_radius_holds_the_whole_library(measure):
    library, queries = prepared(measure, spectra(70), noisy(3))
    _, rows = search.build(measure, library, ENERGY).within(queries, np.inf)
    assert [sorted(row) for row in rows] == 3 * [list(range(70))]


def test_nothing_lies_within_a_tiny_radius(measure):
    library, queries = prepared(measure, spectra(70), noisy(3))
    distances, rows = search.build(measure, library, ENERGY).within(queries, 1e-9)
    assert [len(found) for found in (*distances, *rows)] == 6 * [0]


def test_among_equals_the_lowest_row_comes_first(measure):
    library, queries = prepared(measure, np.tile(spectra(20), (5, 1)), noisy(50))
    distance, row = search.build(measure, library, ENERGY).nearest(queries, k=5)
    np.testing.assert_array_equal(row, row[:, :1] + 20 * np.arange(5))
    assert (row[:, 0] < 20).all()
    assert (distance == distance[:, :1]).all()


def test_a_library_of_equal_spectra(measure):
    library, queries = prepared(measure, np.tile(spectra(1), (100, 1)), noisy(5))
    _, row = search.build(measure, library, ENERGY).nearest(queries, k=3)
    np.testing.assert_array_equal(row, 5 * [[0, 1, 2]])


@pytest.mark.parametrize("size", [1, 2, 7])
def test_tiny_libraries(measure, size):
    library, queries = prepared(measure, spectra(size), noisy(30))
    index = search.build(measure, library, ENERGY)
    assert_nearest(index.nearest(queries, size), measure, queries, library)


def test_random_spectra_which_no_bound_can_tell_apart(measure, rng):
    library, queries = prepared(measure, rng.uniform(size=(300, 101)), rng.uniform(size=(50, 101)))
    index = search.build(measure, library, ENERGY)
    assert_nearest(index.nearest(queries, 4), measure, queries, library)


def test_queries_from_the_library_find_themselves(measure):
    library = measure.prepare(spectra(400), ENERGY)
    distance, row = search.build(measure, library, ENERGY).nearest(library)
    np.testing.assert_array_equal(row[:, 0], np.arange(400))
    # The root of rounding in float64.
    assert distance.max() < 1e-7


def test_spectra_that_differ_by_less_than_single_precision(rng):
    """Bounds in float32 can't tell these apart, so their margin must let all of them pass."""
    base = spectra(1)
    library = base + 1e-7 * rng.normal(size=(200, 101))
    queries = base + 1e-7 * rng.normal(size=(100, 101))
    measure = load("euclidean")
    found = search.build(measure, library, ENERGY).nearest(queries)
    np.testing.assert_array_equal(found[1], brute_force(measure, queries, library, 1)[1])


def test_a_large_offset_costs_no_answers(rng):
    measure = load("euclidean")
    library, queries = spectra(300) + 1e6, noisy(200) + 1e6
    index = search.build(measure, library, ENERGY)
    assert_nearest(index.nearest(queries), measure, queries, library)


def test_zero_intensity_at_some_points():
    zeroed = [np.where(x < 0.15, 0, x) for x in (spectra(300), noisy(200))]
    for kind in ("jensen_shannon", "chi_square"):
        measure = load(kind)
        library, queries = prepared(measure, *zeroed)
        index = search.build(measure, library, ENERGY)
        assert_nearest(index.nearest(queries), measure, queries, library)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dtw"])
def test_no_score_is_above_its_ceiling(kind):
    """The bounds themselves: every pair, and its block, passes at its own distance. Time warping
    has others, see test_search_bounds.
    """
    measure = load(kind)
    library, queries = prepared(measure, spectra(130), noisy(40))
    index = search.build(measure, library, ENERGY)
    asked = index._ask(queries)
    starts = np.arange(len(queries) + 1)
    for column in range(len(library)):
        columns = np.full(len(queries), column)
        distance = index._distances(asked, starts, columns, np.full(len(queries), np.inf))
        assert survives(index, asked, column, distance)
        fine = index._fine(asked, starts, columns)
        if fine is not None:
            assert (fine <= index._fine_ceiling(asked, distance)).all()


@pytest.mark.parametrize("kind", ["euclidean", "jensen_shannon", "chi_square"])
def test_most_blocks_are_ruled_out_by_their_box(kind):
    measure = load(kind)
    library, queries = prepared(measure, spectra(2000), noisy(40))
    index = search.build(measure, library, ENERGY)
    asked = index._ask(queries)
    asked.lowest(index._whole, 0)
    ceiling = index._ceiling(asked, index.nearest(queries)[0][:, 0])
    near = asked._bounds <= ceiling[:, None]
    assert near.any(axis=1).all()
    assert near.mean() < 0.5


@pytest.mark.parametrize("kind", WAYS)
def test_threads_and_chunks_change_nothing(kind):
    measure = load(kind)
    library, queries = prepared(measure, spectra(90), noisy(300))
    one = search.build(measure, library, ENERGY, threads=1)
    two = search.build(measure, library, ENERGY, threads=2)
    for a, b in zip(one.nearest(queries, 2), two.nearest(queries, 2), strict=True):
        np.testing.assert_array_equal(a, b)
    apart = [one.nearest(query[None], 2)[1][0] for query in queries[:20]]
    np.testing.assert_array_equal(apart, two.nearest(queries[:20], 2)[1])


def test_no_queries(measure):
    library, queries = prepared(measure, spectra(10), spectra(1))
    index = search.build(measure, library, ENERGY, groups=np.arange(10) % 2)
    assert index.nearest(queries[:0], 3)[0].shape == (0, 3)
    assert index.nearest_in_groups(queries[:0], 3)[1].shape == (0, 2, 3)
    assert index.within(queries[:0], 1.0) == ([], [])


def test_parameters_of_the_measure_count():
    """Another band is another distance."""
    narrow, wide = load("dtw", band=0.2), load("dtw", band=2.0)
    library, queries = prepared(narrow, spectra(60), noisy(30))
    for measure in (narrow, wide):
        index = search.build(measure, library, ENERGY)
        assert_nearest(index.nearest(queries), measure, queries, library)


def test_refuses_a_measure_whose_distances_it_does_not_compute(monkeypatch):
    monkeypatch.setitem(search.FAMILIES, "cityblock", search.FAMILIES["wasserstein"])
    monkeypatch.setitem(search.FAMILIES, "kolmogorov_smirnov", search.FAMILIES["wasserstein"])
    search.build(load("cityblock"), spectra(20), ENERGY)
    measure = load("kolmogorov_smirnov")
    with pytest.raises(InputError, match="kolmogorov_smirnov: the index computes other distances"):
        search.build(measure, measure.prepare(spectra(20), ENERGY), ENERGY)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_agrees_within_its_rounding(kind):
    measure = measures.load(kind, precision="single")
    library, queries = prepared(measure, spectra(200), noisy(100))
    distance, row = search.build(measure, library, ENERGY).nearest(queries)
    every = measure.pairwise(queries, library, ENERGY)
    np.testing.assert_allclose(distance[:, 0], every.min(1), rtol=1e-4, atol=1e-6)
    chosen = np.take_along_axis(every, row, axis=1)[:, 0]
    np.testing.assert_allclose(chosen, every.min(1), rtol=1e-4, atol=1e-6)


def test_a_derivative_is_searched_like_the_spectra():
    measure = load("correlation", derivative=1)
    library, queries = prepared(measure, spectra(200), noisy(100))
    index = search.build(measure, library, ENERGY)
    assert_nearest(index.nearest(queries), measure, queries, library)


def test_refusals():
    measure = load("cosine")
    library, queries = prepared(measure, spectra(12), noisy(3))
    index = search.build(measure, library, ENERGY)
    for k in (0, 13):
        with pytest.raises(InputError, match="1 to 12, the size of the library"):
            index.nearest(queries, k)
    for radius in (-1.0, np.nan):
        with pytest.raises(InputError, match=r"radius is .*; it must be zero or more"):
            index.within(queries, radius)
    with pytest.raises(InputError, match="has no groups"):
        index.nearest_in_groups(queries)
    with pytest.raises(InputError, match="not prepared alike by cosine"):
        index.nearest(queries[:, 1:])
    with pytest.raises(InputError, match="a query has values that are not finite"):
        index.nearest(np.where(queries > 0.05, np.nan, queries))
    with pytest.raises(InputError, match="must be 1 or more"):
        search.build(measure, library, ENERGY, groups=np.zeros(12)).nearest_in_groups(queries, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"library": np.empty((0, 101))}, "no spectra"),
        ({"library": np.full((2, 101), np.inf)}, "not finite"),
        ({"groups": np.zeros(3)}, r"groups of shape \(3,\) for a library of 12 spectra"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_build_refuses(change, message):
    measure = load("cosine")
    given = {"library": measure.prepare(spectra(12), ENERGY), "energy": ENERGY, **change}
    with pytest.raises(InputError, match=message):
        search.build(measure, **given)


def test_the_polynomial_is_nowhere_above_the_divergence():
    """Between the points of a grid the function falls, so the polynomial may not rise more."""
    w = np.linspace(0, 0.9999, 1_000_000)
    t = np.sqrt(1 - w**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        falling = np.where(t < 1, (1 - t) * np.log1p(-t), 0)
    function = ((1 + t) * np.log1p(t) + falling) / (2 * t**2)
    value = polynomial.polyval(2 * w - 1, POLYNOMIAL)
    slopes = 2 * polynomial.polyval(2 * w - 1, polynomial.polyder(POLYNOMIAL))
    change = np.abs(slopes).max() * (w[1] - w[0])
    # Horner's rule in float32 rounds each coefficient's part, which is rounded itself, and w has
    # six roundings.
    rounding = 2.0**-24 * (3 * np.abs(POLYNOMIAL).sum() + 6 * np.abs(slopes).max())
    assert (value[:-1] + change + rounding <= function[1:]).all()
    # From w = 0 on the function falls, between points of the grid as well.
    assert (function[:-1] <= (value[1:] - change - rounding) * (1 + GAP)).all()
    # Above, all the terms of the series in t are positive: the function is at least 1/2, and the
    # first two give it up to t^4.
    w = np.linspace(0.9999, 1, 1001)
    value = polynomial.polyval(2 * w - 1, POLYNOMIAL)
    assert (value + rounding <= 0.5).all()
    assert (0.5 + (1 - w**2) / 12 + (1 - w**2) ** 2 <= (value - rounding) * (1 + GAP)).all()


def test_unions_of_groups_around_the_nearest_are_searched(rng):
    library = rng.normal(size=(60, 30)).cumsum(axis=1)
    queries = library[::7] + 0.3 * rng.normal(size=(9, 30))
    energy = np.arange(30.0)
    measure = measures.load("correlation", precision="double")
    prepared, asked = (measure.prepare(rows, energy) for rows in (library, queries))
    group = np.arange(60) // 5
    # Twelve groups: two parents of six, united in pairs, and by their place in the parent.
    pairs, places = np.arange(12) // 2, np.arange(12) % 6 + 6 * (np.arange(12) // 6)
    near = [np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= 1 for n in (6, 12)]
    axes = [
        search.Axis(pairs, np.repeat([0, 1], 3), near[0]),
        search.Axis(places, np.repeat([0, 1], 6), near[1]),
    ]
    index = search.build(measure, prepared, energy, group)
    distance = measure.pairwise(asked, prepared, energy)
    parent = group // 6
    for axis, (found, rows) in zip(axes, index.nearest_around(asked, axes), strict=True):
        union = axis.union[group]
        best = [np.where(parent == p, distance, np.inf).argmin(1) for p in (0, 1)]
        wanted = axis.near[union[best[0]]] | axis.near[union[best[1]]]
        np.testing.assert_array_equal(np.isfinite(found), wanted)
        for number in range(len(axis.parent)):
            own = np.where(union == number, distance, np.inf)
            some = wanted[:, number]
            np.testing.assert_array_equal(rows[some, number], own.argmin(1)[some])
            np.testing.assert_allclose(found[some, number], own.min(1)[some], atol=1e-12)


def test_every_query_may_have_its_own_radius(rng):
    library, energy = rng.normal(size=(40, 20)), np.arange(20.0)
    measure = measures.load("euclidean", precision="double")
    prepared = measure.prepare(library, energy)
    index = search.build(measure, prepared, energy)
    distance = measure.pairwise(prepared[:5], prepared, energy)
    radius = np.sort(distance, axis=1)[np.arange(5), [0, 3, 9, 20, 39]] + 1e-9
    _, rows = index.within(prepared[:5], radius)
    assert [len(found) for found in rows] == [1, 4, 10, 21, 40]
