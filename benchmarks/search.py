"""Nearest spectra of a simulated library: search by bounds against other exact searches.

``make bench``, or ``python benchmarks/search.py [MEASURE ...] [--checked N]`` where the package is
installed. The library holds 10,098 spectra of Mn2+, Mn3+ and Mn4+ (10Dq, Slater reduction and line
widths on a grid, 500 points). Queries lie off the grid and have noise of a peak-to-deviation ratio
of 10 to 100. For each measure it prints

- build: seconds to build the index;
- us, best and median: wall time per query on all cores, of several runs;
- CPU us: processor time per query, of the run that used least;
- compared: library spectra compared in full, in double precision, per query;
- checked: queries compared with the whole library by the measure's own ``pairwise``;
- differ: of these, the ones whose nearest spectrum is another, and the ones whose distance isn't
  equal within 1e-9.

Spectra are prepared in double precision, in which the measures have no more rounding than that.
Then other programs search the same spectra with as many threads: scipy, scikit-learn and, where it
is installed, faiss.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable

import numpy as np
from threadpoolctl import threadpool_limits

from whiteline import engines, measures, search
from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.library import axis_zero
from whiteline.preprocessing.normalisation import normalise
from whiteline.search.base import available_threads
from whiteline.simulation import Parameters

ENERGY = 630 + 0.08 * np.arange(500)
IONS = ("Mn2+", "Mn3+", "Mn4+")
TEN_DQ, SLATER = np.linspace(0, 2.5, 51), np.linspace(0.6, 1.0, 11)
# Half width of L3 and Gaussian deviation, eV; that of L2 is this many times the one of L3.
WIDTHS = ((0.15, 0.1), (0.2, 0.2), (0.25, 0.3), (0.3, 0.5), (0.3, 0.8), (0.3, 1.2))
L2_OVER_L3 = 1.8
SNR = (10.0, 100.0)
CLEAN, COPIES = 500, 8  # points off the grid, and line widths of each
MEASURES = (
    "euclidean",
    "cosine",
    "correlation",
    "wasserstein",
    "jensen_shannon",
    "chi_square",
    "dtw",
)
REPEATS = 5
CHUNK = 500
BAND = 0.8  # eV, 10 points


def simulated(points: list, widths: Callable[[], Iterable]) -> np.ndarray:
    """Spectra of points (ion, 10Dq, Slater reduction), each with the widths that it is given."""
    rows = []
    programs = {name: engines.load("multiplet", parse_ion(name), "Oh") for name in IONS}
    for name, ten_dq, slater in points:
        program = programs[name]
        sticks = program.sticks(Parameters(ten_dq=ten_dq, slater_reduction=slater))
        broadenings = [Broadening(l3, L2_OVER_L3 * l3, sigma) for l3, sigma in widths()]
        grid = ENERGY - axis_zero(parse_ion(name), 0.8)
        rows.append(
            broaden(sticks.energy, sticks.intensity, program.l3_l2_boundary, broadenings, grid)
        )
    return np.concatenate(rows)


def spectra(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The library (m, points) and ``count`` queries, both of unit area."""
    rng = np.random.default_rng(0)
    library = simulated(
        [(ion, t, s) for ion in IONS for t in TEN_DQ for s in SLATER], lambda: WIDTHS
    )
    off_grid = [(rng.choice(IONS), *rng.uniform((0, 0.6), (2.5, 1.0))) for _ in range(CLEAN)]
    ends = np.array([WIDTHS[0], WIDTHS[-1]])
    clean = simulated(off_grid, lambda: rng.uniform(*ends, (COPIES, 2)))
    clean /= clean.max(axis=1, keepdims=True)
    deviation = 1 / np.exp(rng.uniform(*np.log(SNR), (count, 1)))
    queries = clean[rng.integers(len(clean), size=count)]
    queries += deviation * rng.normal(size=queries.shape)
    return normalise(library, "area"), normalise(queries, "area")


def timed(function: Callable[[], object], repeats: int) -> tuple[float, float, float]:
    """Seconds of the fastest run, of the median one, and least processor time."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        function()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), float(np.median(walls)), min(cpus)


def disagreements(
    measure: measures.BoundMeasure, queries: np.ndarray, library: np.ndarray, found: tuple
) -> tuple[int, int]:
    """Queries with another nearest row than by brute force, and with another distance."""
    rows = distances = 0
    for start in range(0, len(queries), CHUNK):
        part = slice(start, start + CHUNK)
        every = measure.pairwise(queries[part], library, ENERGY)
        row = found[1][part, 0]
        rows += int((every.argmin(1) != row).sum())
        gap = every[np.arange(len(row)), row] - every.min(1)
        wrong = np.abs(found[0][part, 0] - every.min(1))
        distances += int((np.maximum(gap, wrong) > 1e-9 * every.min(1) + 1e-12).sum())
    return rows, distances


def run(kind: str, library: np.ndarray, queries: np.ndarray, checked: int) -> None:
    """Print the line of one measure."""
    band = {"band": BAND} if kind == "dtw" else {}
    measure = measures.load(kind, precision="double", **band)
    prepared = measure.prepare(library, ENERGY)
    asked = measure.prepare(queries, ENERGY)
    start = time.perf_counter()
    index = search.build(measure, prepared, ENERGY)
    build = time.perf_counter() - start
    # The first search compiles.
    index.nearest(asked[:200])
    index.queried = index.compared = 0
    some = asked[:2000]
    best, median, cpu = timed(lambda: index.nearest(some), REPEATS)
    compared = index.compared / index.queried
    asked = asked[:checked]
    rows, distances = disagreements(measure, asked, prepared, index.nearest(asked))
    best, median, cpu = (1e6 * seconds / len(some) for seconds in (best, median, cpu))
    print(
        f"{kind:15} {build:8.2f} {best:9.1f} {median:9.1f} {cpu:9.1f} {compared:9.1f}"
        f" {len(asked):8d} {rows:6d} {distances:6d}",
        flush=True,
    )


def peers(library: np.ndarray, queries: np.ndarray, threads: int) -> None:
    """Print the time per query of other exact searches by euclidean distance."""
    from scipy.spatial.distance import cdist
    from sklearn.neighbors import NearestNeighbors

    def show(name: str, function: Callable[[np.ndarray], object], count: int) -> None:
        best, median, cpu = timed(lambda: function(queries[:count]), REPEATS)
        best, median, cpu = (1e6 * seconds / count for seconds in (best, median, cpu))
        print(f"{name:24} {best:9.1f} {median:9.1f} {cpu:9.1f}", flush=True)

    measure = measures.load("euclidean", precision="double")
    index = search.build(measure, library, ENERGY)
    show("whiteline euclidean", index.nearest, 2000)
    brute = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(library)
    with threadpool_limits(threads):
        show("scikit-learn brute", brute.kneighbors, 500)
    show("scipy cdist, one core", lambda part: cdist(part, library).argmin(1), 50)
    try:
        import faiss
    except ImportError:
        print("faiss is not installed: pip install faiss-cpu")
        return
    faiss.omp_set_num_threads(threads)
    flat = faiss.IndexFlatL2(library.shape[1])
    flat.add(library.astype(np.float32))
    show("faiss flat, float32", lambda part: flat.search(part.astype(np.float32), 1), 2000)
    show("whiteline euclidean", index.nearest, 2000)


def main() -> int:
    """Print one line per measure and per peer."""
    parser = argparse.ArgumentParser(description="Times the search for the nearest spectrum.")
    parser.add_argument("measures", nargs="*", default=MEASURES)
    parser.add_argument("--checked", type=int, default=2000, help="queries to check")
    arguments = parser.parse_args()
    # Small matrices: threads would only wait for each other.
    with threadpool_limits(1, "blas"):
        library, queries = spectra(max(arguments.checked, 2000))
    print(f"{len(library)} library spectra, {available_threads()} cores; us per query")
    print(
        f"{'':15} {'build s':>8} {'best':>9} {'median':>9} {'CPU':>9} {'compared':>9}"
        f" {'checked':>8} {'differ':>13}"
    )
    for kind in arguments.measures:
        run(kind, library, queries, arguments.checked)
    print(f"\n{'':24} {'best':>9} {'median':>9} {'CPU':>9}")
    peers(library, queries, available_threads())
    return 0


if __name__ == "__main__":
    sys.exit(main())
