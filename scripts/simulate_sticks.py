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
from whiteline.simulation import AXES, Sticks
from whiteline.sources import fingerprint
from whiteline.sticks import dataset, made_by, simulate


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
    origin = {
        **made_by(engine, settings, ion, symmetry, polarised),
        "fingerprint": fingerprint(engines.source(engine)),
    }
    known = _earlier(sticks, origin)
    missing = sum(row.tobytes() not in known for row in table)
    print(f"{missing} of {len(table)} points to simulate")
    spectra = [
        known.get(row.tobytes()) or simulate(program, row, polarised)
        for row in tqdm(table, f"{ion} {symmetry} {batch}/{of}", mininterval=5)
    ]
    contracts.write(dataset(table, spectra, program.l3_l2_boundary, **origin), sticks)


def _earlier(path: str, origin: dict) -> dict[bytes, Sticks]:
    """Sticks by point of an earlier file, if there is one and the same engine made it."""
    if not Path(path).exists():
        return {}
    try:
        data = contracts.read(path, "sticks")
    except InputError:
        return {}
    if any(data.attrs.get(name) != value for name, value in origin.items()):
        return {}
    rows = np.column_stack([data[name].values for name in AXES])
    components = data["components"].values if origin["polarised"] else None
    ends = np.cumsum(data["row_size"].values)
    return {
        row.tobytes(): Sticks(
            data["energy"].values[start:end],
            data["intensity"].values[start:end],
            None if components is None else components[start:end],
        )
        for row, start, end in zip(rows, ends - data["row_size"].values, ends, strict=True)
    }


if __name__ == "__main__":
    from whiteline.stage import run

    run(simulate_sticks, snakemake)  # noqa: F821
