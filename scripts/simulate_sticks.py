"""Simulates the stick spectra of one ion in one symmetry over a grid of parameters.

Output: sticks (contract "sticks"). Settings: ion, symmetry, axes (values of each parameter).
"""

from itertools import product

import numpy as np
from tqdm import tqdm

from whiteline import __version__, contracts
from whiteline.atomic import parse_ion
from whiteline.grids import grid
from whiteline.multiplet import Multiplet, Parameters


def simulate_sticks(*, sticks: str, ion: str, symmetry: str, axes: dict) -> None:
    """Write one stick spectrum per point of the product of the axes."""
    points = [
        Parameters(**dict(zip(axes, map(float, values), strict=True)))
        for values in product(*(grid(spec) for spec in axes.values()))
    ]
    multiplet = Multiplet(parse_ion(ion), symmetry)
    spectra = [
        multiplet.sticks(point) for point in tqdm(points, f"{ion} {symmetry}", mininterval=5)
    ]
    pd = [
        p.slater_reduction if p.slater_reduction_pd is None else p.slater_reduction_pd
        for p in points
    ]
    columns = ("ten_dq", "ds", "dt", "slater_reduction", "zeta_3d_scale", "temperature")
    data = contracts.dataset(
        "sticks",
        {
            "energy": np.concatenate([s.energy for s in spectra]),
            "intensity": np.concatenate([s.intensity for s in spectra]),
            "row_size": [len(s.energy) for s in spectra],
            "slater_reduction_pd": pd,
            **{name: [getattr(p, name) for p in points] for name in columns},
        },
        ion=ion,
        symmetry=symmetry,
        l3_l2_boundary=multiplet.l3_l2_boundary,
        engine="whiteline.multiplet",
        version=__version__,
        parameters=contracts.dumps(axes),
    )
    contracts.write(data, sticks)


if __name__ == "__main__":
    from whiteline.stage import run

    run(simulate_sticks, snakemake)  # noqa: F821
