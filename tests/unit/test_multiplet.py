"""The multiplet engine as a piece of software; its physics is in tests/physics."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from whiteline.atomic import parse_ion
from whiteline.errors import InputError
from whiteline.multiplet import Multiplet, Parameters
from whiteline.multiplet.angular import gaunt, wigner_3j
from whiteline.multiplet.determinants import configuration, one_body
from whiteline.multiplet.operators import operators
from whiteline.multiplet.symmetry import irreps

NOT_CUBIC = ("ds", "dt", "sz", "lz", "ten_dq_along_c3")
SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_wigner_3j():
    assert wigner_3j(1, 1, 0, 0, 0, 0) == pytest.approx(-1 / np.sqrt(3))
    assert wigner_3j(2, 2, 4, 1, -2, 1) == pytest.approx(wigner_3j(2, 4, 2, -2, 1, 1))
    assert wigner_3j(2, 1, 1, 1, 0, 0) == 0.0
    assert wigner_3j(3, 1, 1, 0, 0, 0) == 0.0


def test_gaunt_is_hermitian():
    for m in range(-1, 2):
        for q in range(-1, 2):
            assert gaunt(1, q, 2, m + q, 1, m) == pytest.approx(
                (-1) ** q * gaunt(1, -q, 1, m, 2, m + q)
            )


def test_sizes_of_configurations():
    assert len(configuration(6, 5)) == 252
    assert len(configuration(5, 6)) == 1260
    assert len(configuration(4, 11)) == 0


def test_one_body_counts_electrons():
    basis = configuration(5, 4)
    number = one_body(np.eye(16), basis)
    assert np.abs(number.toarray() - 9 * np.eye(len(basis))).max() < 1e-14


def test_one_body_keeps_products():
    """[A, B] of one-body operators is that of their matrices: the signs are right."""
    basis = configuration(5, 2)
    first, second = np.random.default_rng(3).normal(size=(2, 16, 16))
    first[:6, 6:] = first[6:, :6] = second[:6, 6:] = second[6:, :6] = 0.0
    a, b = (one_body(matrix, basis).toarray() for matrix in (first, second))
    commutator = one_body(first @ second - second @ first, basis).toarray()
    assert np.abs(a @ b - b @ a - commutator).max() < 1e-10


@pytest.mark.parametrize("d_count", [0, 4, 5, 9])
def test_operators_are_symmetric(d_count):
    found = operators(d_count)
    for operator in (*found.initial.values(), *found.final.values()):
        assert abs(operator - operator.T).max() < 1e-14


def test_rows_of_irreps_span_the_space():
    found = operators(4)
    invariants = [found.final[name] for name in found.final if name not in NOT_CUBIC]
    parts = irreps(invariants, found.final_basis.twice_jz, axis_order=4)
    assert sorted(part.dimension for part in parts) == [1, 1, 2, 3, 3]
    rows = np.hstack([row for part in parts for row in part.rows])
    assert np.abs(rows.T @ rows - np.eye(len(found.final_basis))).max() < 1e-10
    for part in parts:
        blocks = [row.T @ (found.final["g1_pd"] @ row) for row in part.rows]
        assert all(np.abs(block - blocks[0]).max() < 1e-10 for block in blocks)


def test_sticks_are_ascending_and_bounded():
    multiplet = Multiplet(parse_ion("Mn3+"), "Oh")
    few, every = (
        multiplet.sticks(Parameters(ten_dq=1.0), negligible=part) for part in (1e-4, 0.0)
    )
    assert few.intensity.sum() > (1 - 1e-4) * every.intensity.sum()
    default = multiplet.sticks(Parameters(ten_dq=1.0))
    assert len(few.energy) < len(default.energy) < len(every.energy)
    assert default.intensity.sum() == pytest.approx(2 / 15 * 6, rel=1e-6)
    assert (np.diff(default.energy) > 0).all()
    assert (default.intensity > 0).all()


def test_two_reductions_are_one_by_default():
    multiplet = Multiplet(parse_ion("Co2+"), "Oh")
    one = multiplet.sticks(Parameters(ten_dq=0.9, slater_reduction=0.7))
    two = multiplet.sticks(Parameters(ten_dq=0.9, slater_reduction=0.7, slater_reduction_pd=0.7))
    other = multiplet.sticks(Parameters(ten_dq=0.9, slater_reduction=0.7, slater_reduction_pd=0.9))
    assert np.array_equal(one.energy, two.energy)
    assert one.energy[0] != other.energy[0]


@pytest.mark.parametrize("symmetry", ["Oh", "Td"])
@pytest.mark.parametrize("name", ["ds", "dt"])
def test_tetragonal_field_needs_its_symmetry(symmetry, name):
    multiplet = Multiplet(parse_ion("Ni2+"), symmetry)
    with pytest.raises(InputError, match=f"must be 0 in {symmetry}.*needs the symmetry D4h"):
        multiplet.sticks(Parameters(**{name: 0.1}))


def test_refusals():
    with pytest.raises(InputError, match="'D3h' is not one of Oh, Td, D4h, C3v"):
        Multiplet(parse_ion("Ni2+"), "D3h")
    with pytest.raises(InputError, match="temperature must be above 0 K"):
        Parameters(temperature=0.0)
    with pytest.raises(InputError, match="ten_dq must be a finite number"):
        Parameters(ten_dq=float("nan"))


CODE = """
import hashlib
from whiteline.atomic import parse_ion
from whiteline.multiplet import Multiplet, Parameters
digest = hashlib.sha256()
for name, symmetry in (("Mn3+", "Oh"), ("Fe2+", "D4h"), ("Co2+", "Td")):
    sticks = Multiplet(parse_ion(name), symmetry).sticks(Parameters(ten_dq=1.1))
    digest.update(sticks.energy.tobytes() + sticks.intensity.tobytes())
print(digest.hexdigest())
"""


def test_same_bytes_from_run_to_run():
    """Different hash seeds and memory layouts, and the parameters before do not matter either."""
    digests = set()
    for seed in ("1", "2", "3"):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(SCRIPTS),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PADDING": "x" * 100 * int(seed),
        }
        run = subprocess.run(
            [sys.executable, "-c", CODE], env=environment, capture_output=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1


def test_order_of_points_does_not_matter():
    def digest(multiplet):
        sticks = multiplet.sticks(Parameters(ten_dq=1.1))
        return hashlib.sha256(sticks.energy.tobytes() + sticks.intensity.tobytes()).hexdigest()

    fresh, used = (Multiplet(parse_ion("Fe2+"), "Oh") for _ in range(2))
    used.sticks(Parameters(ten_dq=2.3))
    assert digest(fresh) == digest(used)
