"""Estimates of very many spectra on one axis: time and memory for each, and for a million.

``make bench``, or ``python benchmarks/estimate.py [--spectra N] [--library FILE]`` where the
package is installed. The library is that of ``search.py``, 10,098 spectra of 500 points. Spectra
off its grid, with noise, are written to an HDF5 file in single precision; `whiteline.estimation`
then reads, prepares and estimates them on all cores, and writes a table (netCDF). Printed are the
wall and processor time per spectrum, all steps included, the peak memory of the process, what a
million would take, and how many valences are right.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import search as shared

from whiteline import Estimator, contracts
from whiteline.estimation import output
from whiteline.estimation.session import Session

MILLION = 1_000_000
CHUNK = 10_000


def write_library(path: Path, intensity: np.ndarray) -> None:
    """The spectra of the benchmark of the search as a prepared library."""
    points = [
        (ion, ten_dq, slater, *widths)
        for ion in shared.IONS
        for ten_dq in shared.TEN_DQ
        for slater in shared.SLATER
        for widths in shared.WIDTHS
    ]
    ion, ten_dq, slater, hwhm, sigma = zip(*points, strict=True)
    count = len(points)
    known = {
        "ten_dq": ten_dq,
        "slater_reduction": slater,
        "lorentzian_hwhm_l3": hwhm,
        "lorentzian_hwhm_l2": shared.L2_OVER_L3 * np.array(hwhm),
        "gaussian_sigma": sigma,
    }
    labels = {"id": [str(row) for row in range(count)], "ion": ion, "symmetry": ["Oh"] * count}
    labels |= {"valence": [float(name[2]) for name in ion], "scenario": [""] * count}
    zeros = dict.fromkeys(("energy_uncertainty", "energy_shift", "leave_out"), np.zeros(count))
    data = {"intensity": intensity, "energy": shared.ENERGY}
    background = contracts.dumps({"kind": "none"})
    attributes = {"normalisation": "area", "background": background, "onset": 640.0}
    contracts.write(
        contracts.dataset("spectra", data | labels | known | zeros, **attributes), path
    )


def write_spectra(path: Path, spectra: np.ndarray, count: int) -> None:
    """``count`` spectra, those given and copies of them with other noise."""
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file["energy"] = shared.ENERGY
        stack = file.create_dataset("spectra", (count, spectra.shape[1]), np.float32)
        for start in range(0, count, CHUNK):
            rows = np.arange(start, min(start + CHUNK, count)) % len(spectra)
            noise = rng.standard_normal((len(rows), spectra.shape[1]), dtype=np.float32)
            size = spectra[rows].max(axis=1, keepdims=True)
            stack[start : start + CHUNK] = spectra[rows] + 0.01 * size * noise


def main() -> None:
    """Prepare, estimate, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spectra", type=int, default=50_000)
    parser.add_argument("--estimator", default="profile")
    arguments = parser.parse_args()
    count = arguments.spectra
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("library.nc", "stack.h5", "table.nc")]
        library, spectra = shared.spectra(10_000)
        write_library(paths[0], library)
        write_spectra(paths[1], spectra, count)
        estimator = Estimator(paths[0], estimator=arguments.estimator, energy_uncertainty=0.0)
        estimator.warm_up()
        wall, cpu = time.perf_counter(), time.process_time()
        session = Session(estimator, {}, Path(folder) / "partial")
        estimates = session.run([paths[1]]).dataset(estimator)
        output.write_table(estimates, paths[2])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{arguments.estimator}: {count} spectra of {len(shared.ENERGY)} points against "
        f"{len(library)}: {1e6 * wall / count:.0f} us each, {1e6 * cpu / count:.0f} us of "
        f"processor time, {memory:.1f} GB; a million in {MILLION / count * wall:.0f} s"
    )


if __name__ == "__main__":
    main()
