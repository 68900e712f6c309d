"""Maps of thousands of spectra: processor time and memory of their distances and of each method.

``make bench``, or ``python benchmarks/embeddings.py [SIZE ...]`` where the package is installed.
Each case runs in a process of its own, through the stage scripts, after a small one that compiles
what is to be compiled. Nickel spectra of random parameters; correlation. Prints a table and writes
results/benchmarks/embeddings.csv.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from whiteline import contracts, registry
from whiteline.atomic import parse_ion
from whiteline.broadening import Broadening, broaden
from whiteline.embeddings import facts, load
from whiteline.library import axis_zero
from whiteline.multiplet import Multiplet, Parameters
from whiteline.neighbors import blocks

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "scripts"))

FOLDER = Path("results/benchmarks")
SIZES = (3000, 10_000, 30_000)
LARGEST = 50_000  # of the distances alone
WIDTHS = [
    Broadening(lorentzian, 1.5 * lorentzian, gaussian)
    for lorentzian in (0.15, 0.2, 0.25, 0.3, 0.4)
    for gaussian in (0.1, 0.4)
]
ENERGY = np.round(846 + 0.1 * np.arange(361), 6)
RANGES = np.array([[0.3, 2.5], [0.7, 0.9], [0.8, 1.1]])  # 10Dq (eV), Slater and zeta factors
QUERIES = 20
SEED = 1


def spectra(count: int) -> dict[str, np.ndarray]:
    """Intensity (count, points), ion, valence and 10Dq of spectra of Ni2+ and Ni3+."""
    ions = ("Ni2+", "Ni3+")
    points = -(-count // (len(ions) * len(WIDTHS)))
    drawn = np.random.default_rng(SEED).uniform(*RANGES.T, size=(points, 3))
    parts, labels = [], []
    for name in ions:
        engine = Multiplet(parse_ion(name), "Oh")
        for ten_dq, slater, zeta in drawn:
            sticks = engine.sticks(
                Parameters(ten_dq=ten_dq, slater_reduction=slater, zeta_3d_scale=zeta)
            )
            axis = ENERGY - axis_zero(parse_ion(name), chemical_shift=0.8)
            rows = broaden(sticks.energy, sticks.intensity, engine.l3_l2_boundary, WIDTHS, axis)
            parts.append(rows.astype(np.float32))
            labels += [(name, parse_ion(name).valence, ten_dq)] * len(rows)
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(labels))[:count])
    intensity = np.concatenate(parts)[chosen].astype(float)
    ion, valence, ten_dq = (np.array(column)[chosen] for column in zip(*labels, strict=True))
    intensity /= intensity.sum(axis=1, keepdims=True)
    return {"intensity": intensity, "ion": ion, "valence": valence, "ten_dq": ten_dq}


def write_spectra(columns: dict[str, np.ndarray], path: Path) -> None:
    """A file of contract "spectra" without a margin."""
    count = len(columns["ion"])
    constant = {
        "symmetry": np.full(count, "Oh"),
        "scenario": np.full(count, ""),
        "energy_uncertainty": np.zeros(count),
        "leave_out": np.zeros(count),
        "energy_shift": np.zeros(count),
        "id": [f"x{number}" for number in range(count)],
        "energy": ENERGY,
    }
    contracts.write(contracts.dataset("spectra", {**columns, **constant}, margin=0), path)


def distances(size: int, block: int, of: int) -> None:
    """One block of the distances to a map, of its spectra and then of the queries."""
    from compute_map_distances import compute_map_distances

    compute_map_distances(
        queries=[str(FOLDER / f"queries_{size}.nc")] if block == of else [],
        map_spectra=str(FOLDER / f"map_{size}.nc"),
        library="",
        distances=str(FOLDER / f"map_{size}" / f"{block}_of_{of}.nc"),
        kind="correlation",
        parameters={},
        neighbors=90,
        landmarks=1000,
        block=block,
        of=of,
        seed=SEED,
    )


def embed(size: int, kind: str) -> None:
    """One map with the queries in it, from its distances."""
    from embed_spectra import embed_spectra

    of = blocks(size)
    embed_spectra(
        map_spectra=str(FOLDER / f"map_{size}.nc"),
        queries=[str(FOLDER / f"queries_{size}.nc")],
        distances=[str(FOLDER / f"map_{size}" / f"{n}_of_{of}.nc") for n in range(1, of + 1)],
        embedding=str(FOLDER / f"map_{size}" / f"{kind}.nc"),
        kind=kind,
        parameters={},
        seed=SEED,
    )


def score(size: int, kind: str) -> dict[str, float]:
    """The scores of a map."""
    from score_maps import score_maps

    of, path = blocks(size), FOLDER / f"map_{size}" / f"{kind}.csv"
    score_maps(
        embeddings=[str(FOLDER / f"map_{size}" / f"{kind}.nc")],
        distances=[str(FOLDER / f"map_{size}" / f"{n}_of_{of}.nc") for n in range(1, of + 1)],
        quality=str(path),
        names=[("correlation", kind)],
        labels={},
        seed=SEED,
    )
    return pd.read_csv(path).iloc[0].to_dict()


def make(size: int) -> None:
    """The spectra of a map, and queries that are noisy copies of some of them."""
    columns = spectra(size)
    write_spectra(columns, FOLDER / f"map_{size}.nc")
    chosen = np.random.default_rng(SEED).permutation(size)[:QUERIES]
    some = {name: column[chosen] for name, column in columns.items()}
    noise = np.random.default_rng(SEED).normal(0, some["intensity"].max() / 100, (QUERIES, 361))
    write_spectra({**some, "intensity": some["intensity"] + noise}, FOLDER / f"queries_{size}.nc")


def compiled(kind: str) -> None:
    """Run a small case, so that compiling is not timed."""
    from whiteline.neighbors import draw_landmarks, reduce

    points = np.random.default_rng(0).uniform(size=(200, 3))
    rows = np.linalg.norm(points[:, None] - points, axis=2)
    marks = draw_landmarks(200, 200, 0)
    load(kind)(reduce(rows, 90, marks, np.arange(200)), reduce(rows[:5], 90, marks), 0)


def case(size: int, what: str) -> None:
    """Run one case here and print its processor time (s), peak memory (MB) and scores."""
    of, more = blocks(size), {}
    if what in registry.kinds("embeddings"):
        compiled(what)
    start = time.process_time()
    if what == "spectra":
        make(size)
    elif what == "distances":
        for block in range(1, of + 1) if size in SIZES else [1, of]:
            distances(size, block, of)
        more["blocks"] = of if size in SIZES else 2
    elif what.startswith("score_"):
        more = score(size, what.removeprefix("score_"))
    else:
        embed(size, what)
    seconds = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"spectra": size, "case": what, "cpu_s": seconds, "peak_mb": memory} | more))


def run(size: int, what: str) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--case", str(size), what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"spectra": size, "case": what, "failed": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def main(sizes: list[int]) -> None:
    """All cases, one after the other."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = []
    for size in sizes:
        cases = ["spectra", "distances"]
        if size in SIZES:
            kinds = registry.kinds("embeddings")
            cases += [text for kind in kinds for text in (kind, f"score_{kind}")]
        for what in cases:
            rows.append(run(size, what))
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(FOLDER / "embeddings.csv", index=False, float_format="%.4g")
    print(table.to_string(float_format="%.3g", na_rep=""))
    for kind in registry.kinds("embeddings"):
        print(f"{kind}: queries are placed {facts(kind).placing}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        case(int(sys.argv[2]), sys.argv[3])
    else:
        main([int(size) for size in sys.argv[1:]] or [*SIZES, LARGEST])
