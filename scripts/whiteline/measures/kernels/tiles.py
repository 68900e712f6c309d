"""Sums over energy points for all pairs of spectra: one pass, eight pairs at a time.

A tile of 4 library spectra by 2 queries keeps its sums in registers, so that each value which is
loaded serves several pairs; a block of the library stays in the second-level cache. Terms add up
in the precision of the spectra. The spectra of one call are padded with zeros, which add nothing,
to whole SIMD registers.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

COMPILE = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    # All but "reciprocals": sums may be reordered, values are finite.
    "fastmath": {"nnan", "ninf", "nsz", "reassoc", "contract"},
}
ABSOLUTE, SQUARED, LARGEST, CUBED, CANBERRA, CHI_SQUARE = range(6)
LIBRARY, QUERIES = 4, 2  # the tile
BLOCK = 96  # library spectra; of 500 points in single precision 190 kB
PADDING = 32  # points; LLVM takes four AVX registers of single precision at a time
TINY = 1e-30  # makes 0 / 0 and 0 log 0 zero; normal in single precision


def absolute(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Sums of |x - y|, shape (n, m), for spectra of shapes (n, points) and (m, points)."""
    return _run(_absolute, queries, library)


def squared(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Sums of (x - y)^2, shape (n, m). Near duplicates lose nothing to cancellation."""
    return _run(_squared, queries, library)


def largest(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Greatest |x - y|, shape (n, m)."""
    return _run(_largest, queries, library)


def cubed(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Sums of |x - y|^3, shape (n, m)."""
    return _run(_cubed, queries, library)


def canberra(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Sums of |x - y| / (|x| + |y|), shape (n, m)."""
    return _run(_canberra, queries, library)


def chi_square(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Sums of (x - y)^2 / (x + y), shape (n, m), for values that are not negative."""
    return _run(_chi_square, queries, library)


def entropy_gain(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Sums of p ln 2p + q ln 2q - (p + q) ln(p + q), shape (n, m).

    Spectra of shapes (n, 2, points) and (m, 2, points): p, and p ln 2p.
    """
    return _run(_entropy_gain, queries, library)


def _run(kernel, queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    out = np.empty((len(queries), len(library)), dtype=queries.dtype)
    kernel(_padded(queries), _padded(library), out)
    return out


def _padded(spectra: np.ndarray) -> np.ndarray:
    points = spectra.shape[-1]
    if points % PADDING == 0:
        return np.ascontiguousarray(spectra)
    wide = np.zeros((*spectra.shape[:-1], points + -points % PADDING), dtype=spectra.dtype)
    wide[..., :points] = spectra
    return wide


@njit(**COMPILE)
def _absolute(queries, library, out):
    _all(ABSOLUTE, queries, library, out)


@njit(**COMPILE)
def _squared(queries, library, out):
    _all(SQUARED, queries, library, out)


@njit(**COMPILE)
def _largest(queries, library, out):
    _all(LARGEST, queries, library, out)


@njit(**COMPILE)
def _cubed(queries, library, out):
    _all(CUBED, queries, library, out)


@njit(**COMPILE)
def _canberra(queries, library, out):
    _all(CANBERRA, queries, library, out)


@njit(**COMPILE)
def _chi_square(queries, library, out):
    _all(CHI_SQUARE, queries, library, out)


@njit(**COMPILE)
def _entropy_gain(queries, library, out):
    tiny = queries.dtype.type(TINY)
    for row in range(len(queries)):
        p, p_log = queries[row, 0], queries[row, 1]
        for column in range(len(library)):
            q, q_log = library[column, 0], library[column, 1]
            total = queries.dtype.type(0)
            for point in range(len(p)):
                both = p[point] + q[point]
                # Point by point the terms nearly cancel; of their sums little would be left.
                total += (p_log[point] + q_log[point]) - both * _log(both + tiny)
            out[row, column] = total


# ``kind`` is a constant in each of the kernels above, so the compiler leaves one branch.
@njit(inline="always")
def _all(kind, queries, library, out):
    for start in range(0, len(library), BLOCK):
        for row in range(0, len(queries), QUERIES):
            for column in range(start, min(start + BLOCK, len(library)), LIBRARY):
                _tile(kind, queries, library, row, column, out)


@njit(inline="always")
def _tile(kind, queries, library, i, j, out):
    tiny, zero = queries.dtype.type(TINY), queries.dtype.type(0)
    # At the ends the last spectrum stands in for those that are not there.
    last, end = len(queries) - 1, len(library) - 1
    i1, j1, j2, j3 = min(i + 1, last), min(j + 1, end), min(j + 2, end), min(j + 3, end)
    a0, a1 = queries[i], queries[i1]
    b0, b1, b2, b3 = library[j], library[j1], library[j2], library[j3]
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = zero
    for point in range(queries.shape[1]):
        x0, x1 = a0[point], a1[point]
        y0, y1, y2, y3 = b0[point], b1[point], b2[point], b3[point]
        s00 = _add(kind, s00, _term(kind, x0, y0, tiny))
        s01 = _add(kind, s01, _term(kind, x0, y1, tiny))
        s02 = _add(kind, s02, _term(kind, x0, y2, tiny))
        s03 = _add(kind, s03, _term(kind, x0, y3, tiny))
        s10 = _add(kind, s10, _term(kind, x1, y0, tiny))
        s11 = _add(kind, s11, _term(kind, x1, y1, tiny))
        s12 = _add(kind, s12, _term(kind, x1, y2, tiny))
        s13 = _add(kind, s13, _term(kind, x1, y3, tiny))
    out[i, j], out[i, j1], out[i, j2], out[i, j3] = s00, s01, s02, s03
    out[i1, j], out[i1, j1], out[i1, j2], out[i1, j3] = s10, s11, s12, s13


@njit(inline="always")
def _term(kind, x, y, tiny):
    difference = x - y
    if kind == SQUARED:
        return difference * difference
    if kind == CUBED:
        return difference * difference * abs(difference)
    if kind == CANBERRA:
        return abs(difference) / (abs(x) + abs(y) + tiny)
    if kind == CHI_SQUARE:
        return difference * difference / (x + y + tiny)
    return abs(difference)


@njit(inline="always")
def _add(kind, total, term):
    if kind == LARGEST:
        return _maximum(total, term)
    return total + term


@intrinsic
def _maximum(context, a, b):
    """The greater of two finite numbers. The compiler vectorises this but no comparison."""

    def build(context, builder, signature, arguments):
        kind = arguments[0].type
        signature = ir.FunctionType(kind, [kind, kind])
        function = builder.module.declare_intrinsic("llvm.maxnum", [kind], signature)
        return builder.call(function, arguments, fastmath=("nnan", "ninf", "nsz"))

    return a(a, b), build


def _log(x):
    """Natural logarithm of a positive normal number, relative error of a few roundings.

    Written without branches and with conversions that every SIMD unit has, because numba
    vectorises no call to the logarithm of libm. x = m 2^k with m between sqrt(1/2) and sqrt(2);
    ln m = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172, by its power series.
    """
    raise NotImplementedError("compiled code only")


# Not with the kernels' options: reordered, (2^52 + k) - 2^52 would lose k.
@overload(_log, jit_options={"forceinline": True, "fastmath": {"contract"}})
def _log_compiled(x):
    return _log_single if x == types.float32 else _log_double


def _log_single(x):
    one = np.float32(1)
    bits = np.float32(x).view(np.int32) - np.int32(0x3F3504F3)
    exponent = bits & np.int32(-(1 << 23))
    mantissa = np.int32(np.float32(x).view(np.int32) - exponent).view(np.float32)
    s = (mantissa - one) / (mantissa + one)
    z = s * s
    # The first term left out is 2 s^11 / 11 < 1e-9.
    series = np.float32(1 / 3) + z * (
        np.float32(1 / 5) + z * (np.float32(1 / 7) + z * np.float32(1 / 9))
    )
    power = np.float32(np.int32(exponent >> np.int32(23)))
    return power * np.float32(0.6931471805599453) + (s + s) * (one + z * series)


def _log_double(x):
    bits = np.float64(x).view(np.int64) - np.int64(0x3FE6A09E667F3BCD)
    exponent = bits & np.int64(-(1 << 52))
    mantissa = np.int64(np.float64(x).view(np.int64) - exponent).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    # The first term left out is below 1e-15 s.
    series = 1 / 15 + z * (1 / 17 + z * (1 / 19))
    series = 1 / 9 + z * (1 / 11 + z * (1 / 13 + z * series))
    series = 1 / 3 + z * (1 / 5 + z * (1 / 7 + z * series))
    # The exponent as a number: 2^52 + 2^51 + k has k in its last bits, and AVX2 has no conversion.
    biased = np.int64((exponent >> 52) + np.int64(0x4338000000000000)).view(np.float64)
    return (biased - 6755399441055744.0) * 0.6931471805599453 + 2.0 * (s + s * z * series)
