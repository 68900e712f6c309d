"""Every measure against the program that a user would take instead: time per pair, and agreement.

``make bench``, or ``python benchmarks/measures.py`` where the package is installed; peers that are
not installed are left out. All run here on one core, one after the other, on the same spectra, and
each is timed by the processor time of its fastest run. Writes results/benchmarks/measures.csv and
two figures beside it: the ratios, and how the cost grows with the number of spectra and of points.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_info, threadpool_limits

from whiteline import measures
from whiteline.plotting import layout

FOLDER = Path("results/benchmarks")
QUERIES, LIBRARY, POINTS, STEP = 128, 2048, 500, 0.1
BAND = 25  # steps of warping
SHIFTS = 20  # steps of a shift, either way
REPEATS, SECONDS = 9, 0.3  # runs of each, as long as they take less than this in all
NEAR = 0.01  # spectra differ by at least this part of the difference between unlike ones
PRODUCT = "matrix product"
GROWTH_POINTS = [250, 500, 1000]


@dataclass(frozen=True)
class Rival:
    """What a measure is compared with.

    ``function(queries, library)`` gives distances (n, m) of ``pairs`` queries and library spectra;
    ``target`` is the ratio of the peer's time to ours that is to be reached.
    """

    program: str
    function: Callable[[np.ndarray, np.ndarray], np.ndarray]
    pairs: tuple[int, int]
    target: float | None = None


def spectra(count: int, points: int, seed: int) -> np.ndarray:
    """Spectra like simulated ones: multiplets of Lorentzians at L3 and L2, of unit area."""
    random = np.random.default_rng(seed)
    energy, shape = STEP * np.arange(points), (count, 8, 1)
    end = energy[-1]
    l3 = random.normal(0.3 * end, 1.5, shape), random.gamma(2, 1, shape), 0.3
    l2 = random.normal(0.7 * end, 1.5, shape), random.gamma(1, 1, shape), 0.6
    lines = [h * w**2 / ((energy - e) ** 2 + w**2) for e, h, w in (l3, l2)]
    total = sum(line.sum(axis=1) for line in lines)
    return total / total.sum(axis=1, keepdims=True)


def seconds(function: Callable[[], object]) -> float:
    """Processor time of the fastest of several runs."""
    function()
    best, start = np.inf, time.perf_counter()
    for _ in range(REPEATS):
        before = time.process_time()
        function()
        best = min(best, time.process_time() - before)
        if time.perf_counter() - start > SECONDS:
            break
    return best


def pair_by_pair(function: Callable[[np.ndarray, np.ndarray], float]) -> Callable:
    """Distances (n, m) from a function of two spectra."""
    return lambda queries, library: np.array([[function(a, b) for b in library] for a in queries])


def cdist(metric: str, **options: object) -> Callable:
    """scipy's, of float64, its native precision."""
    from scipy.spatial import distance

    return lambda queries, library: distance.cdist(queries, library, metric, **options)


def rooted(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Hellinger distances by scipy."""
    return cdist("euclidean")(np.sqrt(queries), np.sqrt(library)) / np.sqrt(2)


def by_fft(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Shift-tolerant correlation, all shifts of a pair at once by Fourier transforms (float32)."""
    from scipy import fft

    count = queries.shape[1] - np.abs(np.arange(-SHIFTS, SHIFTS + 1))
    length = fft.next_fast_len(queries.shape[1] + SHIFTS, real=True)
    a, b = ((x - x.mean(axis=1, keepdims=True)).astype(np.float32) for x in (queries, library))
    forward = [fft.rfft(x, length, axis=1) for x in (a, b)]
    ones = fft.rfft(np.ones(queries.shape[1], dtype=np.float32), length)
    squares = [fft.rfft(x**2, length, axis=1) for x in (a, b)]

    def lags(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        product = fft.irfft(first.conj() * second, length, axis=-1)
        return np.concatenate([product[..., -SHIFTS:], product[..., : SHIFTS + 1]], axis=-1)

    sums = lags(forward[0], ones), lags(ones, forward[1])
    powers = lags(squares[0], ones), lags(ones, squares[1])
    powers = [power - total**2 / count for power, total in zip(powers, sums, strict=True)]
    out = np.empty((len(a), len(b)))
    for row in range(len(a)):
        moved = lags(forward[0][row], forward[1]) - sums[0][row] * sums[1] / count
        out[row] = 1 - (moved / np.sqrt(powers[0][row] * powers[1])).max(axis=1)
    return out


def standardised(x: np.ndarray) -> np.ndarray:
    """Mean 0 and unit norm."""
    x = x - x.mean(axis=1, keepdims=True)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def rivals_of_scipy() -> dict[str, list[Rival]]:
    """What scipy and scikit-learn offer."""
    from scipy import stats
    from scipy.special import rel_entr
    from sklearn.metrics import pairwise

    grid = STEP * np.arange(POINTS)
    some, few = (32, LIBRARY), (4, 16)
    return {
        "euclidean": [
            Rival("scipy cdist", cdist("euclidean"), some),
            Rival("scikit-learn", pairwise.euclidean_distances, some),
        ],
        "squared_euclidean": [Rival("scipy cdist", cdist("sqeuclidean"), some)],
        "cityblock": [Rival("scipy cdist", cdist("cityblock"), some, 10)],
        "chebyshev": [Rival("scipy cdist", cdist("chebyshev"), some, 10)],
        "minkowski": [Rival("scipy cdist", cdist("minkowski", p=3), few)],
        "canberra": [Rival("scipy cdist", cdist("canberra"), some)],
        "bray_curtis": [Rival("scipy cdist", cdist("braycurtis"), some)],
        "cosine": [Rival("scipy cdist", cdist("cosine"), some)],
        "correlation": [Rival("scipy cdist", cdist("correlation"), some)],
        "spearman": [
            Rival("scipy.stats", pair_by_pair(lambda a, b: 1 - stats.spearmanr(a, b)[0]), few)
        ],
        "kendall": [
            Rival("scipy.stats", pair_by_pair(lambda a, b: 1 - stats.kendalltau(a, b)[0]), few)
        ],
        "kullback_leibler": [
            Rival("scipy.special", pair_by_pair(lambda a, b: rel_entr(a, b).sum()), (16, 256))
        ],
        "jensen_shannon": [Rival("scipy cdist", cdist("jensenshannon"), (4, 256), 35)],
        "hellinger": [Rival("scipy cdist", rooted, some)],
        "chi_square": [
            Rival("scikit-learn", lambda a, b: -pairwise.additive_chi2_kernel(a, b), some, 13)
        ],
        "wasserstein": [
            Rival(
                "scipy.stats",
                pair_by_pair(lambda a, b: stats.wasserstein_distance(grid, grid, a, b)),
                few,
                3000,
            )
        ],
        "energy_distance": [
            Rival(
                "scipy.stats",
                pair_by_pair(lambda a, b: stats.energy_distance(grid, grid, a, b)),
                few,
            )
        ],
        # What is done once for each spectrum is shared by many pairs, as in ours.
        "shifted_correlation": [Rival("scipy.fft", by_fft, (64, LIBRARY), 20)],
    }


def rivals_of_peers() -> dict[str, list[Rival]]:
    """What the packages of the extra ``peers`` offer, as far as they are installed."""
    found: dict[str, list[Rival]] = {}
    grid = STEP * np.arange(POINTS)
    try:
        import ot

        for kind, p in (("wasserstein", 1), ("wasserstein_2", 2)):
            root = lambda a, b, p=p: ot.wasserstein_1d(grid, grid, a, b, p=p) ** (1 / p)  # noqa: E731
            found.setdefault(kind, []).append(Rival("POT", pair_by_pair(root), (4, 16)))
    except ImportError:
        pass
    try:
        from dtaidistance import dtw as theirs

        warp = pair_by_pair(partial(theirs.distance_fast, window=BAND + 1))
        rival = Rival(
            "dtaidistance", lambda a, b: warp(standardised(a), standardised(b)), (4, 16), 50
        )
        found.setdefault("dtw", []).append(rival)
    except ImportError:
        pass
    try:
        from aeon import distances

        found.setdefault("dtw", []).append(Rival("aeon", partial(by_aeon, distances), (4, 16)))
        soft = partial(soft_by_aeon, distances)
        found.setdefault("soft_dtw", []).append(Rival("aeon", soft, (4, 16), 40))
    except ImportError:
        pass
    try:
        import faiss

        found.setdefault("euclidean", []).append(
            Rival("faiss flat", partial(by_faiss, faiss), (QUERIES, LIBRARY))
        )
    except ImportError:
        pass
    return found


def by_aeon(distances: object, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """DTW by aeon, which leaves the square."""
    window = BAND / POINTS
    a, b = (standardised(x)[:, None] for x in (a, b))
    return np.sqrt(distances.dtw_pairwise_distance(a, b, window=window))


def soft_by_aeon(distances: object, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Soft-DTW divergences by aeon.

    Its cost matrices have the sign that its distances lack; and it answers 0 for a spectrum and
    itself, so a copy takes its place that differs by rounding.
    """

    def soft(x: np.ndarray, y: np.ndarray) -> float:
        costs = distances.soft_dtw_cost_matrix(x, y, gamma=1e-3, window=BAND / POINTS)
        return costs[-1, -1]

    a, b = standardised(a), standardised(b)
    own = [np.array([soft(x, x + 1e-12) for x in rows]) for rows in (a, b)]
    return pair_by_pair(soft)(a, b) - (own[0][:, None] + own[1]) / 2


def by_faiss(faiss: object, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distances to the nearest spectrum only, which is what a flat index is for; (n, 1)."""
    index = faiss.IndexFlatL2(a.shape[1])
    index.add(b.astype(np.float32))
    return np.sqrt(index.search(a.astype(np.float32), 1)[0])


def ours(kind: str, points: int = POINTS, precision: str = "single") -> tuple:
    """A measure and the grid, with the bands and shifts of the comparison."""
    parameters = {
        "dtw": {"band": BAND * STEP},
        "soft_dtw": {"band": BAND * STEP},
        "shifted_correlation": {"max_shift": SHIFTS * STEP},
        "shifted_cosine": {"max_shift": SHIFTS * STEP},
        "shifted_euclidean": {"max_shift": SHIFTS * STEP},
    }.get(kind, {})
    if kind != "ensemble":
        parameters = {**parameters, "precision": precision}
    energy = 700 + STEP * np.arange(points)
    library = spectra(240, points, 3)
    labels = {"valence": np.arange(240) % 3, "ten_dq": np.arange(240) // 40}
    return measures.load(kind, **parameters).fit(library, labels, energy, 0), energy


def sizes(kind: str) -> tuple[int, int]:
    """How many queries and library spectra a run of ours takes, so that it lasts about as long."""
    if kind.startswith("shifted"):  # components of the library are for many queries
        return 4 * QUERIES, LIBRARY
    return {"dtw": (8, 512), "soft_dtw": (4, 64), "kendall": (16, 256), "ensemble": (32, 512)}.get(
        kind, (QUERIES, LIBRARY)
    )


def time_of(kind: str, counts: tuple[int, int], points: int = POINTS) -> float:
    """Nanoseconds per pair of a measure, its spectra prepared, in single precision."""
    measure, energy = ours(kind, points)
    prepared = [
        measure.prepare(spectra(count, points, seed), energy) for seed, count in enumerate(counts)
    ]
    return 1e9 * seconds(lambda: measure.pairwise(*prepared, energy)) / np.prod(counts)


def compare(kind: str, rival: Rival | None, product: float) -> dict[str, object]:
    """A line of the table: both times, their ratio, and the greatest relative difference."""
    own = time_of(kind, sizes(kind))
    row = {"measure": kind, "cost": measures.load(kind).facts.cost, "ns": own}
    if row["cost"] == PRODUCT:
        row |= {"per product": own / product, "met": own <= 1.5 * product}
    if rival is None:
        return row
    queries, library = (spectra(count, POINTS, seed) for seed, count in enumerate(rival.pairs))
    theirs = 1e9 * seconds(lambda: rival.function(queries, library)) / np.prod(rival.pairs)
    expected = rival.function(queries, library)
    measure, energy = ours(kind)
    found = measure.pairwise(*(measure.prepare(x, energy) for x in (queries, library)), energy)
    if expected.shape != found.shape:
        found = found.min(axis=1, keepdims=True)
    row |= {
        "peer": rival.program,
        "peer ns": theirs,
        "ratio": theirs / own,
        "difference": np.abs(found / expected - 1).max(),
    }
    if rival.target is not None:
        row |= {"target": rival.target, "met": theirs / own >= rival.target}
    return row


def exponents(kind: str) -> dict[str, object]:
    """How the time grows with the number of library spectra and of points: t ~ n^a, points^b."""
    queries, library = sizes(kind)
    counts = [library // 4, library // 2, library]
    by_count = [count * time_of(kind, (queries, count)) for count in counts]
    times = [time_of(kind, (queries, library // 2), points) for points in GROWTH_POINTS]

    def slope(sizes: list[int], times: list[float]) -> float:
        return np.polyfit(np.log(sizes), np.log(times), 1)[0]

    return {
        "measure": kind,
        "library": slope(counts, by_count),
        "points": slope(GROWTH_POINTS, times),
        "times": times,
    }


def draw(table: pd.DataFrame, path: Path) -> None:
    """Bars of the ratios, with the targets, as PNG."""
    shown = table.dropna(subset=["ratio"]).sort_values("ratio")
    names = shown["measure"] + " / " + shown["peer"]
    figure = layout.single(26 * len(shown) + 140, 860)
    figure.add_bar(x=shown["ratio"], y=names, orientation="h", name="measured")
    mark = {"symbol": "line-ns-open", "size": 14, "line": {"width": 3}, "color": "black"}
    figure.add_scatter(x=shown["target"], y=names, mode="markers", name="target", marker=mark)
    figure.update_xaxes(type="log", title="times faster than the peer (500 points, one core)")
    figure.update_layout(margin={"l": 260})
    figure.write_image(path, scale=2)


def draw_growth(growth: pd.DataFrame, path: Path) -> None:
    """Time per pair against the number of points, with the fitted exponents, as PNG."""
    figure = layout.single(900, 860)
    for row in growth.itertuples():
        name = f"{row.measure}: library^{row.library:.1f} points^{row.points:.1f}"
        figure.add_scatter(x=GROWTH_POINTS, y=row.times, mode="lines+markers", name=name)
    figure.update_xaxes(type="log", title="energy points", tickvals=GROWTH_POINTS)
    figure.update_yaxes(type="log", title="ns per pair")
    figure.update_layout(showlegend=True)
    figure.write_image(path, scale=2)


def main() -> int:
    """Print and write the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    blas = [info["architecture"] for info in threadpool_info() if info["user_api"] == "blas"]
    a, b = (spectra(count, POINTS, 0).astype(np.float32) for count in (QUERIES, LIBRARY))
    product = 1e9 * seconds(lambda: a @ b.T) / (QUERIES * LIBRARY)
    print(f"matrix product, single precision, BLAS kernel {', '.join(blas)}: {product:.1f} ns")
    rivals = rivals_of_scipy()
    for kind, more in rivals_of_peers().items():
        rivals.setdefault(kind, []).extend(more)
    rows = []
    for kind in measures.kinds():
        for rival in rivals.get(kind, [None]):
            rows.append(compare(kind, rival, product))
            values = {k: f"{v:.3g}" if isinstance(v, float) else v for k, v in rows[-1].items()}
            print(" ".join(f"{key}={value}" for key, value in values.items()), flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(FOLDER / "measures.csv", index=False)
    draw(table, FOLDER / "measures.png")
    growth = pd.DataFrame([exponents(kind) for kind in measures.kinds()])
    growth.to_csv(FOLDER / "measures_growth.csv", index=False)
    draw_growth(growth, FOLDER / "measures_growth.png")
    print(growth.drop(columns="times").to_string(index=False, float_format="{:.2f}".format))
    return 0


if __name__ == "__main__":
    with threadpool_limits(1, "blas"):
        sys.exit(main())
