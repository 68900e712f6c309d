"""Components along eigenvectors of a tridiagonal matrix, against all eigenvectors of LAPACK."""

import numpy as np
import pytest
from scipy.linalg import lapack

from whiteline.atomic import parse_ion
from whiteline.multiplet import Multiplet, Parameters
from whiteline.multiplet.tridiagonal import components

SIZES = (2, 3, 4, 25, 62, 126, 210, 600)


def wilkinson(copies: int, glue: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilkinson's W21+, with pairs of nearly equal eigenvalues, joined by small elements."""
    off_diagonal = np.tile(np.append(np.ones(20), glue), copies)[:-1]
    return np.tile(np.abs(np.arange(-10.0, 11.0)), copies), off_diagonal


def random(size: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(size)
    return rng.normal(size=size), rng.normal(size=size - 1)


def coming_apart(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Few values on the diagonal, and beside it zeros, tiny and great elements."""
    rng = np.random.default_rng(size)
    return rng.choice([-1.0, 0, 2], size), rng.choice([0, 1e-300, 1e-17, 1e-9, 1, 50], size - 1)


def graded(size: int, *, falling: bool) -> tuple[np.ndarray, np.ndarray]:
    scale = np.logspace(0, -30, size)[:: 1 if falling else -1]
    return scale, np.sqrt(scale[1:] * scale[:-1]) / 2


def hamiltonian(ion: str, **parameters) -> tuple[np.ndarray, np.ndarray]:
    """The final state of an ion in all its determinants, so with every degeneracy."""
    matrix = Multiplet(parse_ion(ion), "Oh").hamiltonians(Parameters(**parameters))[1].toarray()
    return lapack.dsytrd(matrix, lower=1)[1:3]


MATRICES = {
    **{f"random {size}": random(size) for size in SIZES},
    **{f"coming apart {size}": coming_apart(size) for size in SIZES},
    **{f"Wilkinson glued by {glue}": wilkinson(10, glue) for glue in (0, 1e-14, 1e-8, 1e-3)},
    "falling": graded(200, falling=True),
    "rising": graded(200, falling=False),
    "second differences": (np.full(300, 2.0), np.full(299, -1.0)),
    "no diagonal": (np.zeros(101), np.ones(100)),
    "zero": (np.zeros(40), np.zeros(39)),
    "Ti4+": hamiltonian("Ti4+", ten_dq=1.8),
    "Ni2+": hamiltonian("Ni2+", ten_dq=1.0),
    "Ni2+ in no field": hamiltonian("Ni2+", ten_dq=0),
    "Co2+ without its 3d spin-orbit coupling": hamiltonian("Co2+", ten_dq=0, zeta_3d_scale=0),
}


def levels(energies: np.ndarray, width: float) -> np.ndarray:
    """Where each level of eigenvalues closer than ``width`` to the next starts."""
    return np.append(0, np.flatnonzero(np.diff(energies) > width) + 1)


@pytest.mark.parametrize("name", MATRICES)
def test_agrees_with_all_eigenvectors(name):
    diagonal, off_diagonal = MATRICES[name]
    vectors = np.random.default_rng(1).normal(size=(len(diagonal), 5))
    before = [a.copy() for a in (diagonal, off_diagonal, vectors)]
    energies, amplitudes = components(diagonal, off_diagonal, vectors)
    for array, unchanged in zip((diagonal, off_diagonal, vectors), before, strict=True):
        np.testing.assert_array_equal(array, unchanged)
    expected, eigenvectors, failed = lapack.dstevd(diagonal, off_diagonal)
    assert not failed
    norm = np.abs(expected).max()
    np.testing.assert_allclose(energies, expected, rtol=0, atol=1e-13 * norm)
    assert (np.diff(energies) >= 0).all()
    starts = levels(expected, 1e-3 * norm)
    strengths, right = (
        np.add.reduceat(np.square(a), starts) for a in (amplitudes, eigenvectors.T @ vectors)
    )
    total = np.square(vectors).sum(axis=0)
    np.testing.assert_allclose(strengths / total, right / total, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", MATRICES)
def test_identity_gives_the_eigenvectors(name):
    diagonal, off_diagonal = MATRICES[name]
    matrix = np.diag(diagonal) + np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    energies, eigenvectors = components(diagonal, off_diagonal, np.eye(len(diagonal)))
    np.testing.assert_allclose(eigenvectors @ eigenvectors.T, np.eye(len(matrix)), atol=1e-13)
    residual = matrix @ eigenvectors.T - eigenvectors.T * energies
    assert np.linalg.norm(residual, 2) <= 1e-13 * np.abs(energies).max()


def test_one_element():
    energies, amplitudes = components(np.array([3.0]), np.empty(0), np.array([[2.0, -1.0]]))
    assert energies.tolist() == [3.0]
    assert amplitudes.tolist() == [[2.0, -1.0]]


def test_same_bytes_each_time():
    vectors = np.random.default_rng(2).normal(size=(210, 8))
    first, second = (components(*random(210), vectors) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.tobytes() == other.tobytes()


def test_what_is_not_finite_is_refused():
    with pytest.raises(np.linalg.LinAlgError, match="did not converge"):
        components(np.array([1.0, np.nan, 2.0]), np.ones(2), np.ones((3, 1)))
