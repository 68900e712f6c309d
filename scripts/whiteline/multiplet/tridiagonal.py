"""Components of a few vectors along the eigenvectors of a tridiagonal matrix.

Implicit QL with Wilkinson's shifts (Bowdler, Martin, Reinsch and Wilkinson, Numer. Math. 11, 293
(1968), procedure tql2). Its rotations are applied to the few vectors instead of the identity, as
Golub and Welsch, Math. Comp. 23, 221 (1969), do with a single one for the weights of a quadrature:
of the order of n^2 (k + c) operations for k vectors, where all eigenvectors take n^3. LAPACK has
this for bidiagonal matrices only. Squares of the sines are carried from row to row, as in the
form without roots (Reinsch, Numer. Math. 20, 111 (1972)), because few vectors cost less than the
time that one rotation waits for the one before.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

COMPILE = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
SWEEPS = 50  # for one eigenvalue, of which two or fewer are needed on average
EPSILON = 2.0**-53
TINY = 1e-300  # has an inverse


def components(
    diagonal: np.ndarray, off_diagonal: np.ndarray, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (size,), ascending, and components (size, k) of vectors (size, k).

    Parameters
    ----------
    diagonal, off_diagonal
        Of a real symmetric tridiagonal matrix, shapes (size,) and (size - 1,).
    vectors
        Shape (size, k).

    Raises
    ------
    numpy.linalg.LinAlgError
        If an eigenvalue does not converge.
    """
    eigenvalues, rotated = diagonal.astype(float), np.array(vectors, dtype=float, order="C")
    if not _rotate(eigenvalues, np.append(off_diagonal, 0.0), rotated):
        raise np.linalg.LinAlgError("eigenvalues did not converge")
    order = np.argsort(eigenvalues, kind="stable")
    return eigenvalues[order], rotated[order]


@njit(**COMPILE)
def _rotate(diagonal, off_diagonal, vectors):
    """Whether all converged; eigenvalues and components are left in place, in no order.

    ``off_diagonal`` has one more element, which is scratch.
    """
    size = len(diagonal)
    # What is below the rounding of the matrix as a whole counts as zero.
    negligible = EPSILON * (np.abs(diagonal).max() + 2 * np.abs(off_diagonal).max())
    for low in range(size):
        for _ in range(SWEEPS):
            high = low
            # ASSUME: what is not a number is not negligible, and so never converges.
            while high < size - 1 and not abs(off_diagonal[high]) <= negligible:
                high += 1
            if high == low:
                break
            _sweep(diagonal, off_diagonal, vectors, low, high)
        else:
            return False
    return True


@njit(inline="always", error_model="numpy")
def _sweep(diagonal, off_diagonal, vectors, low, high):
    """One implicit QL step on the rows from ``low`` to ``high``."""
    ratio = (diagonal[low + 1] - diagonal[low]) / (2 * off_diagonal[low])
    root = ratio + math.copysign(math.sqrt(ratio * ratio + 1), ratio)
    shifted = diagonal[high] - diagonal[low] + off_diagonal[low] / root
    sine = cosine = sine_squared = 1.0
    moved = 0.0
    for row in range(high - 1, low - 1, -1):
        beside = off_diagonal[row]
        bulge, reduced = sine * beside, cosine * beside
        bulge_squared = sine_squared * (beside * beside)
        squared = bulge_squared + shifted * shifted
        if squared < TINY:
            # The matrix has come apart here.
            diagonal[row + 1] -= moved
            off_diagonal[row + 1] = off_diagonal[high] = 0
            return
        # The next row waits for a division here, not for roots too: squares of the sine are
        # carried beside it. Taken from them, sine and cosine are normalised to the last bits.
        inverse, length = 1 / squared, math.sqrt(squared)
        above = diagonal[row + 1] - moved
        change = (diagonal[row] - above) * bulge + 2 * shifted * reduced
        moved = (bulge * change) * inverse
        diagonal[row + 1] = above + moved
        off_diagonal[row + 1] = length
        sine_squared = bulge_squared * inverse
        sine = math.copysign(math.sqrt(sine_squared), bulge)
        cosine = shifted * (inverse * length)
        shifted = (shifted * change) * inverse - reduced
        for column in range(vectors.shape[1]):
            upper, lower = vectors[row, column], vectors[row + 1, column]
            vectors[row + 1, column] = sine * upper + cosine * lower
            vectors[row, column] = cosine * upper - sine * lower
    diagonal[low] -= moved
    off_diagonal[low] = shifted
    off_diagonal[high] = 0
