"""The built-in engine against EDRIXS and Quanty: seconds per spectrum, ratio and agreement.

``make bench``, or ``python benchmarks/engine.py`` where the programs are installed. All run here,
one after the other, on one core, and each as its users call it. EDRIXS builds the operators of
one Hamiltonian and takes a curve from them, by full diagonalisation ("dense") and by Lanczos
("scipy"), which is faster and less exact. Quanty is started on a filled template of Crispy and
writes an isotropic curve.

Seconds are of processor time, which on one core is what a clock shows on an idle machine; those of
Quanty with 2 threads are by the clock. The difference is the largest over the peak, neither
shifted nor scaled; Quanty's is that of its poles.

Targets, for Mn2+, Mn3+ and Mn4+ in Oh: `TARGETS` times faster, and `AGREEMENT`.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from whiteline import engines
from whiteline.atomic import Ion, parse_ion
from whiteline.engines import edrixs as edrixs_engine
from whiteline.engines import quanty as quanty_engine
from whiteline.evaluation.crosscheck import AGREEMENT, HWHM, compare, curve
from whiteline.simulation import Parameters

TARGETS = {"edrixs": 500, "quanty": 150}
AXIS = np.arange(-15.0, 25.0, 0.05)
POPULATED = 30  # ASSUME: no more initial states than these are populated at 300 K
SECONDS = 1.0  # our engine is repeated for about so long, in parts of which the fastest counts
PARTS = 5


@dataclass(frozen=True)
class Case:
    """An ion in a field, and whether the targets are set for it."""

    ion: Ion
    symmetry: str
    parameters: Parameters
    has_target: bool

    def __str__(self) -> str:
        p = self.parameters
        tetragonal = f" {p.ds:g} {p.dt:g}" if self.symmetry == "D4h" else ""
        return f"{self.ion.name} {self.symmetry} {p.ten_dq:g}{tetragonal}"


CASES = [
    *(
        Case(parse_ion(ion), "Oh", Parameters(ten_dq=ten_dq), True)
        for ion, ten_dq in (("Mn2+", 0.9), ("Mn3+", 1.5), ("Mn4+", 2.4))
    ),
    *(
        Case(parse_ion(ion), symmetry, Parameters(**parameters), False)
        for ion, symmetry, parameters in (
            ("Fe2+", "Oh", {"ten_dq": 1.2}),
            ("Ni2+", "Oh", {"ten_dq": 1.1}),
            ("Mn3+", "D4h", {"ten_dq": 1.5, "ds": 0.15, "dt": 0.05}),
            ("Fe2+", "D4h", {"ten_dq": 1.2, "ds": 0.1, "dt": 0.03}),
            ("Cu2+", "D4h", {"ten_dq": 1.2, "ds": 0.3, "dt": 0.1}),
        )
    ),
]


def time_own(case: Case) -> tuple[float, float]:
    """Seconds to build the engine, and per stick spectrum: the fastest of `PARTS` means."""
    start = _processor_time()
    engine = engines.load("multiplet", case.ion, case.symmetry)
    engine.sticks(case.parameters)
    build = _processor_time() - start
    once = _seconds(lambda: engine.sticks(case.parameters))
    repeats = max(1, round(SECONDS / PARTS / once))

    def repeated() -> None:
        for _ in range(repeats):
            engine.sticks(case.parameters)

    return build, min(_seconds(repeated) for _ in range(PARTS)) / repeats


def time_edrixs(case: Case, backend: str) -> tuple[float, float]:
    """Seconds for a curve, and how far it is from ours."""
    import edrixs

    def spectrum() -> np.ndarray:
        *model, shift = edrixs_engine.model(case.ion, case.symmetry, case.parameters)
        initial, final, dipole = edrixs.get_ops(*model, backend=backend)
        options = {"backend_kws": {"seed": 0}} if backend == "scipy" else {}
        states = min(POPULATED, initial.shape[0])
        return edrixs.xas(
            *edrixs.ed(initial, states, shift=shift, **options),
            final,
            dipole,
            AXIS,
            gamma_c=HWHM,
            temperature=case.parameters.temperature,
        )

    start = _processor_time()
    theirs = np.ravel(spectrum()) / edrixs_engine.DIPOLE_NORM
    seconds = _processor_time() - start
    ours = curve(engines.load("multiplet", case.ion, case.symmetry).sticks(case.parameters), AXIS)
    return seconds, float(np.abs(ours - theirs).max() / ours.max())


def time_quanty(case: Case, threads: int) -> float:
    """Seconds for a curve of 2001 points from a template as Crispy fills it."""
    text = quanty_engine.script(case.ion, case.symmetry, case.parameters)
    text = re.sub(r"NPoints = \d+", "NPoints = 2000", text)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "input.lua").write_text(text, encoding="utf-8")

        def spectrum() -> None:
            subprocess.run(
                [quanty_engine.program(), "input.lua"],
                cwd=folder,
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
                stdout=subprocess.DEVNULL,
                check=True,
            )

        if threads == 1:
            return _seconds(spectrum)
        start = time.perf_counter()
        spectrum()
        return time.perf_counter() - start


def peers(case: Case) -> Iterator[tuple[str, str, float, float]]:
    """Kind, name, seconds and difference of each other program that is installed."""
    ours = engines.load("multiplet", case.ion, case.symmetry).sticks(case.parameters)
    if engines.version("edrixs"):
        for backend in ("dense", "scipy"):
            yield "edrixs", f"EDRIXS {backend}", *time_edrixs(case, backend)
    if engines.version("quanty"):
        theirs = engines.load("quanty", case.ion, case.symmetry).sticks(case.parameters)
        difference = compare(ours, theirs).largest
        yield "quanty", "Quanty", time_quanty(case, 1), difference
        if case.has_target and (os.cpu_count() or 1) > 1:
            yield "", "Quanty 2 thr. clock", time_quanty(case, 2), difference


def main() -> int:
    """Print the table and whether targets are met; returns 1 where a program is missing."""
    missing = [kind for kind in TARGETS if engines.version(kind) is None]
    for kind in missing:
        print(f"{engines.facts(kind).name} is missing; {engines.facts(kind).installation}")
    for library in threadpool_info():
        named = (
            str(library[key])
            for key in ("internal_api", "version", "architecture")
            if library.get(key)
        )
        print(" ".join(named), f"on {library['num_threads']} thread")
    if "edrixs" not in missing:
        time_edrixs(Case(parse_ion("Ni2+"), "Oh", Parameters(), False), "dense")  # compiles
    print(
        f"\n{'ion, field (eV)':20} {'build s':>8} {'ms':>8}  {'other':19} {'s':>7} {'ratio':>7}"
        f" {'difference':>11}"
    )
    verdicts = []
    for case in CASES:
        build, own = time_own(case)
        beginning = f"{case!s:20} {build:8.2f} {own * 1e3:8.2f}"
        for kind, name, seconds, difference in peers(case):
            ratio = seconds / own
            print(
                f"{beginning}  {name:19} {seconds:7.2f} {ratio:7.0f} {difference:11.1e}",
                flush=True,
            )
            beginning = " " * len(beginning)
            if case.has_target and kind:
                met = ratio >= TARGETS[kind] and difference <= AGREEMENT
                verdicts.append((f"{case}, {name}: {ratio:.0f} of {TARGETS[kind]} times", met))
    print()
    for text, met in verdicts:
        print(f"{'met' if met else 'NOT MET':8} {text}")
    return 1 if missing else 0


def _seconds(function: Callable[[], object]) -> float:
    """Processor time of a call, its processes included."""
    start = _processor_time()
    function()
    return _processor_time() - start


def _processor_time() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in usage)


if __name__ == "__main__":
    # What the solvers under EDRIXS say of small spaces and of residuals, page after page.
    warnings.filterwarnings("ignore", message="The problem size|Exited|Failed at iteration")
    with threadpool_limits(1, "blas"):
        sys.exit(main())
