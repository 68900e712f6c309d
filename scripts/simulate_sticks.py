"""Simulates one batch of the stick spectra of one ion in one symmetry.

Output: sticks (contract "sticks"). An earlier version of it may be there: points that it holds
are taken from it, if the same engine made them.
Settings: engine and its settings, ion, symmetry, axes (grid or range of each parameter), samples
(points of the Sobol sequence over the ranges), seed, batch and of (which batch, from 1, of how
many), polarised (whether the three polarisations are kept).
"""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from whiteline import contracts, engines, sampling
from whiteline.atomic import parse_ion
from whiteline.errors import InputError
from whiteline.simulation import AXES, POLARISATIONS, Parameters, Sticks
from whiteline.sources import fingerprint


def simulate_sticks(
    *,
    sticks: str,
    engine: str,
    settings: dict,
    ion: str,
    symmetry: str,
    axes: dict,
    samples: int,
    seed: int,
    batch: int,
    of: int,
    polarised: bool,
) -> None:
    """Write one stick spectrum per point of the batch."""
    table = sampling.points(axes, samples, seed)
    table = table[sampling.in_batch(table, batch - 1, of)]
    program = engines.load(engine, parse_ion(ion), symmetry, **settings)
    made_by = {
        "engine": engine,
        "settings": contracts.dumps(settings),
        "version": engines.version(engine),
        "fingerprint": fingerprint(engines.source(engine)),
        "ion": ion,
        "symmetry": symmetry,
        "polarised": int(polarised),
    }
    known = _earlier(sticks, made_by)
    missing = sum(row.tobytes() not in known for row in table)
    print(f"{missing} of {len(table)} points to simulate")
    spectra = [
        known.get(row.tobytes())
        or program.sticks(
            Parameters.from_row(dict(zip(AXES, row, strict=True))), polarised=polarised
        )
        for row in tqdm(table, f"{ion} {symmetry} {batch}/{of}", mininterval=5)
    ]
    contracts.write(_dataset(table, spectra, program.l3_l2_boundary, made_by), sticks)


def _earlier(path: str, made_by: dict) -> dict[bytes, Sticks]:
    """Sticks by point of an earlier file, if there is one and the same engine made it."""
    if not Path(path).exists():
        return {}
    try:
        data = contracts.read(path, "sticks")
    except InputError:
        return {}
    if any(data.attrs.get(name) != value for name, value in made_by.items()):
        return {}
    rows = np.column_stack([data[name].values for name in AXES])
    components = data["components"].values if made_by["polarised"] else None
    ends = np.cumsum(data["row_size"].values)
    return {
        row.tobytes(): Sticks(
            data["energy"].values[start:end],
            data["intensity"].values[start:end],
            None if components is None else components[start:end],
        )
        for row, start, end in zip(rows, ends - data["row_size"].values, ends, strict=True)
    }


def _dataset(table: np.ndarray, spectra: list[Sticks], boundary: float, made_by: dict):
    columns = {
        "energy": np.concatenate([[], *(s.energy for s in spectra)]),
        "intensity": np.concatenate([[], *(s.intensity for s in spectra)]),
        "row_size": [len(s.energy) for s in spectra],
        **{name: table[:, column] for column, name in enumerate(AXES)},
    }
    if made_by["polarised"]:
        parts = (s.components for s in spectra)
        columns["components"] = np.concatenate([np.empty((0, len(POLARISATIONS))), *parts])
        columns["polarisation"] = list(POLARISATIONS)
    return contracts.dataset("sticks", columns, l3_l2_boundary=boundary, **made_by)


if __name__ == "__main__":
    from whiteline.stage import run

    run(simulate_sticks, snakemake)  # noqa: F821
