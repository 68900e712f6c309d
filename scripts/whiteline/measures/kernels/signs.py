"""Kendall's tau-b by counting bits."""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

COMPILE = {"cache": True, "nogil": True, "error_model": "numpy"}
BITS = 64


def pack(spectra: np.ndarray) -> np.ndarray:
    """Whether the first of two points is the greater, and whether the lesser, for all pairs.

    Spectra of shape (n, points); uint64, shape (n, 2, words).
    """
    points = spectra.shape[1]
    words = -(-points * (points - 1) // 2 // BITS)
    out = np.zeros((len(spectra), 2, words), dtype=np.uint64)
    _pack(np.ascontiguousarray(spectra), out)
    return out


def agreement(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """tau-b of packed spectra, shape (n, m): concordant less discordant pairs over untied ones."""
    out = np.empty((len(queries), len(library)))
    _agreement(np.ascontiguousarray(queries), np.ascontiguousarray(library), out)
    return out


@njit(**COMPILE)
def _pack(spectra, out):
    for row in range(len(spectra)):
        spectrum, bit = spectra[row], 0
        for i in range(len(spectrum)):
            for j in range(i + 1, len(spectrum)):
                mask = np.uint64(1) << np.uint64(bit % BITS)
                if spectrum[i] > spectrum[j]:
                    out[row, 0, bit // BITS] |= mask
                elif spectrum[i] < spectrum[j]:
                    out[row, 1, bit // BITS] |= mask
                bit += 1


@njit(**COMPILE)
def _agreement(queries, library, out):
    untied = np.empty(len(library))
    for column in range(len(library)):
        untied[column] = _matches(library[column], library[column])
    for row in range(len(queries)):
        own = _matches(queries[row], queries[row])
        for column in range(len(library)):
            # Pairs that are untied in both are concordant or discordant.
            score = _matches(queries[row], library[column])
            out[row, column] = score / np.sqrt(own * untied[column])


@njit(inline="always")
def _matches(a, b):
    """Concordant less discordant pairs."""
    total = 0
    for word in range(a.shape[1]):
        greater, lesser = a[0, word], a[1, word]
        other_greater, other_lesser = b[0, word], b[1, word]
        same = (greater & other_greater) | (lesser & other_lesser)
        opposite = (greater & other_lesser) | (lesser & other_greater)
        total += _count(same) - _count(opposite)
    return total


@intrinsic
def _count(context, word):
    """Number of bits that are set."""

    def build(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), build
