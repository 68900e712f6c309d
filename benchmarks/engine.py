"""The built-in engine against EDRIXS: time per spectrum and agreement, for Mn2+, Mn3+, Mn4+ in Oh.

``make bench``, or ``python benchmarks/engine.py`` where the package is installed. Both engines run
here, one after the other, on one core. EDRIXS is timed twice: full diagonalisation of the initial
states and exact solution of the final ones ("dense"), and Lanczos ("scipy"), which is faster and
less exact. A spectrum of EDRIXS includes its operators, because they hold the parameters.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from whiteline.atomic import Ion, atomic_parameters, parse_ion
from whiteline.multiplet import Multiplet, Parameters, Sticks

CASES = (("Mn2+", 0.9), ("Mn3+", 1.5), ("Mn4+", 2.4))
AXIS = np.arange(-12.0, 20.0, 0.05)
HWHM = 0.2
POPULATED = 30  # ASSUME: no more initial states than these are populated at 300 K
REPEATS = 20


def broaden(sticks: Sticks) -> np.ndarray:
    """Lorentzian curve on `AXIS`."""
    offset = AXIS[:, None] - sticks.energy
    return (HWHM / np.pi / (offset**2 + HWHM**2)) @ sticks.intensity


def run_own(ion: Ion, parameters: Parameters) -> tuple[np.ndarray, float, float]:
    """Curve of all sticks, seconds to build the engine, and seconds per stick spectrum."""
    start = time.perf_counter()
    multiplet = Multiplet(ion, "Oh")
    multiplet.sticks(parameters)
    build = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(REPEATS):
        multiplet.sticks(parameters)
    seconds = (time.perf_counter() - start) / REPEATS
    return broaden(multiplet.sticks(parameters, negligible=0.0)), build, seconds


def edrixs_model(ion: Ion, parameters: Parameters) -> tuple:
    """What ``edrixs.model_1v1c`` makes of the same Hamiltonian."""
    import edrixs

    values, factor = atomic_parameters(ion), parameters.slater_reduction

    def slater(f2: float, f4: float, f2_pd: float, g1: float, g3: float) -> list[float]:
        f0, f0_pd = 2 / 63 * (f2 + f4), g1 / 15 + 3 / 70 * g3
        return [factor * value for value in (f0, f2, f4, f0_pd, f2_pd, g1, g3)]

    return edrixs.model_1v1c(
        ("d", "p"),
        v_soc=(values.zeta_3d_initial, values.zeta_3d_final),
        c_soc=values.zeta_2p,
        v_noccu=ion.d_count,
        slater=(
            slater(values.f2_dd_initial, values.f4_dd_initial, 0.0, 0.0, 0.0),
            slater(
                values.f2_dd_final, values.f4_dd_final, values.f2_pd, values.g1_pd, values.g3_pd
            ),
        ),
        v_cfmat=edrixs.cf_cubic_d(parameters.ten_dq),
    )


def run_edrixs(ion: Ion, parameters: Parameters, backend: str) -> tuple[np.ndarray, float]:
    """Curve, and seconds for it."""
    import edrixs

    start = time.perf_counter()
    *model, shift = edrixs_model(ion, parameters)
    initial, final, dipole = edrixs.get_ops(*model, backend=backend)
    options = {"backend_kws": {"seed": 0}} if backend == "scipy" else {}
    energies, vectors = edrixs.ed(initial, POPULATED, shift=shift, **options)
    curve = edrixs.xas(
        energies, vectors, final, dipole, AXIS, gamma_c=HWHM, temperature=parameters.temperature
    )
    return np.asarray(curve).ravel(), time.perf_counter() - start


def main() -> int:
    """Print one line per ion and backend."""
    try:
        import edrixs  # noqa: F401
    except ImportError:
        print("EDRIXS is not installed: pip install edrixs==0.2.0 (or whiteline[engines]).")
        return 1
    print(
        f"{'ion':5} {'10Dq':>5} {'EDRIXS':>7} {'build s':>8} {'ms':>7} {'EDRIXS s':>9}"
        f" {'ratio':>6} {'difference':>11}"
    )
    for backend in ("dense", "scipy"):
        run_edrixs(parse_ion("Ni2+"), Parameters(), backend)  # compiles, outside the timing
        for name, ten_dq in CASES:
            ion, parameters = parse_ion(name), Parameters(ten_dq=ten_dq)
            own, build, own_seconds = run_own(ion, parameters)
            other, seconds = run_edrixs(ion, parameters, backend)
            difference = np.abs(own / own.sum() - other / other.sum()).max() * own.sum()
            print(
                f"{name:5} {ten_dq:5.1f} {backend:>7} {build:8.2f} {own_seconds * 1e3:7.2f}"
                f" {seconds:9.2f} {seconds / own_seconds:6.0f} {difference / own.max():11.1e}"
            )
    return 0


if __name__ == "__main__":
    # Its Lanczos solver says so whenever it takes a dense one for a small space.
    warnings.filterwarnings("ignore", message="The problem size")
    with threadpool_limits(1, "blas"):
        sys.exit(main())
