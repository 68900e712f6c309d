"""The noise of very many spectra, by the formula of `whiteline.preprocessing.edge.noise`.

Its median is found by halving a range of values until as many lie below as should, which goes
through a spectrum about ten times without a branch; to partition it takes several times as long.
It is compiled, which a job with few spectra would wait for longer than it gains.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Integers of the same width, in the same order where numbers are not negative.
BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}


def noise_of_many(signals: np.ndarray) -> np.ndarray:
    """Deviation of the noise of finite spectra (n, points), three points at least, shape (n,)."""
    signals = np.ascontiguousarray(signals)
    size = np.empty(signals.shape[1] - 2, signals.dtype)
    middle = np.empty((len(signals), 2), signals.dtype)
    bits = BITS[signals.dtype]
    _medians(signals, size, size.view(bits), middle.view(bits))
    return middle.mean(axis=1) / 0.6745 / np.sqrt(6)


@njit(cache=True, nogil=True)
def _medians(signals, size, bits, middle):
    """The two middle values of the sizes of second differences of each spectrum, (n, 2).

    The median is their mean. ``bits`` and ``middle`` are integers; ``bits`` views ``size``, which
    is room for the sizes of one spectrum.
    """
    points = len(size)
    rank = (points - 1) // 2
    for row in range(len(signals)):
        signal = signals[row]
        for point in range(points):
            first = signal[point + 1] - signal[point]
            size[point] = abs(signal[point + 2] - signal[point + 1] - first)
        lower, upper, below = _around(bits, _limit(bits, rank))
        middle[row, 0] = lower
        middle[row, 1] = upper if points % 2 == 0 and below == rank + 1 else lower


@njit(cache=True, nogil=True)
def _limit(bits, rank):
    """A number that is as high as the value of this rank, from 0, and no other above it."""
    low, high = _ends(bits)
    while low < high:
        # Else it would be of 64 bits, and so would all comparisons.
        limit = bits.dtype.type(low + (high - low) // 2)
        below = np.int32(0)
        for point in range(len(bits)):
            below += np.int32(bits[point] <= limit)
        if below == rank + 1:
            return limit
        if below > rank:
            high = limit
        else:
            low = bits.dtype.type(limit + 1)
    return high


@njit(cache=True, nogil=True)
def _ends(bits):
    low = high = bits[0]
    for point in range(len(bits)):
        low, high = min(low, bits[point]), max(high, bits[point])
    return low, high


@njit(cache=True, nogil=True)
def _around(bits, limit):
    """The greatest value up to the limit, the least above it, and how many lie up to it."""
    lower, upper = _ends(bits)
    below = np.int32(0)
    for point in range(len(bits)):
        value = bits[point]
        below += np.int32(value <= limit)
        lower = max(lower, value if value <= limit else lower)
        upper = min(upper, value if value > limit else upper)
    return lower, upper, below
