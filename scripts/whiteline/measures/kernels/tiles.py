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
TINY = 1e-18  # makes 0 / 0 zero; its square is a normal number in single precision
LN2 = 0.6931471805599453
LN2_SINGLE = np.float32(LN2)
# ln(1 + z) / z between sqrt(1/2) - 1 and sqrt(2) - 1, error below 1e-7: Chebyshev interpolation.
L0, L1, L2, L3, L4, L5, L6, L7, L8 = (
    np.polynomial.Chebyshev.interpolate(lambda z: np.log1p(z) / z, 8, (0.5**0.5 - 1, 2**0.5 - 1))
    .convert(kind=np.polynomial.Polynomial)
    .coef.astype(np.float32)
)


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
    _all_ratios(CANBERRA, queries, library, out)


@njit(**COMPILE)
def _chi_square(queries, library, out):
    _all_ratios(CHI_SQUARE, queries, library, out)


@njit(**COMPILE)
def _entropy_gain(queries, library, out):
    for row in range(0, len(queries), QUERIES):
        # Two queries share what is loaded of a library spectrum; the last may stand in for none.
        other = min(row + 1, len(queries) - 1)
        p, p_log, r, r_log = queries[row, 0], queries[row, 1], queries[other, 0], queries[other, 1]
        for column in range(len(library)):
            q, q_log = library[column, 0], library[column, 1]
            total = other_total = queries.dtype.type(0)
            for point in range(len(p)):
                both, other_both = p[point] + q[point], r[point] + q[point]
                # Point by point the terms nearly cancel; of their sums little would be left.
                total += (p_log[point] + q_log[point]) - both * _log(both)
                other_total += (r_log[point] + q_log[point]) - other_both * _log(other_both)
            out[row, column], out[other, column] = total, other_total


# ``kind`` is a constant in each of the kernels above, so the compiler leaves one branch.
@njit(inline="always")
def _all(kind, queries, library, out):
    for start in range(0, len(library), BLOCK):
        for row in range(0, len(queries), QUERIES):
            for column in range(start, min(start + BLOCK, len(library)), LIBRARY):
                _tile(kind, queries, library, row, column, out)


@njit(inline="always")
def _tile(kind, queries, library, i, j, out):
    zero = queries.dtype.type(0)
    # At the ends the last spectrum stands in for those that are not there.
    last, end = len(queries) - 1, len(library) - 1
    i1, j1, j2, j3 = min(i + 1, last), min(j + 1, end), min(j + 2, end), min(j + 3, end)
    a0, a1 = queries[i], queries[i1]
    b0, b1, b2, b3 = library[j], library[j1], library[j2], library[j3]
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = zero
    for point in range(queries.shape[1]):
        x0, x1 = a0[point], a1[point]
        y0, y1, y2, y3 = b0[point], b1[point], b2[point], b3[point]
        s00 = _add(kind, s00, _term(kind, x0, y0))
        s01 = _add(kind, s01, _term(kind, x0, y1))
        s02 = _add(kind, s02, _term(kind, x0, y2))
        s03 = _add(kind, s03, _term(kind, x0, y3))
        s10 = _add(kind, s10, _term(kind, x1, y0))
        s11 = _add(kind, s11, _term(kind, x1, y1))
        s12 = _add(kind, s12, _term(kind, x1, y2))
        s13 = _add(kind, s13, _term(kind, x1, y3))
    out[i, j], out[i, j1], out[i, j2], out[i, j3] = s00, s01, s02, s03
    out[i1, j], out[i1, j1], out[i1, j2], out[i1, j3] = s10, s11, s12, s13


@njit(inline="always")
def _term(kind, x, y):
    difference = x - y
    if kind == SQUARED:
        return difference * difference
    if kind == CUBED:
        return difference * difference * abs(difference)
    return abs(difference)


@njit(inline="always")
def _add(kind, total, term):
    if kind == LARGEST:
        return _maximum(total, term)
    return total + term


@njit(inline="always")
def _all_ratios(kind, queries, library, out):
    """Sums of ratios. Division is what takes time, so two points share one: a/b + c/d."""
    tiny, half = queries.dtype.type(TINY), queries.shape[1] // 2
    for start in range(0, len(library), BLOCK):
        for row in range(len(queries)):
            a = queries[row]
            for column in range(start, min(start + BLOCK, len(library))):
                b = library[column]
                total = queries.dtype.type(0)
                for point in range(half):
                    x, y, u, v = a[point], b[point], a[half + point], b[half + point]
                    over, under = _term(_top(kind), x, y), _sum(kind, x, y) + tiny
                    other_over, other_under = _term(_top(kind), u, v), _sum(kind, u, v) + tiny
                    above = over * other_under + other_over * under
                    total += above / (under * other_under)
                out[row, column] = total


@njit(inline="always")
def _top(kind):
    return SQUARED if kind == CHI_SQUARE else ABSOLUTE


@njit(inline="always")
def _sum(kind, x, y):
    return x + y if kind == CHI_SQUARE else abs(x) + abs(y)


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
    """Natural logarithm of a positive number, to a few roundings; some finite number for zero.

    Written without branches and with conversions that every SIMD unit has, because numba
    vectorises no call to the logarithm of libm. x = m 2^k with m between sqrt(1/2) and sqrt(2);
    ln m is a polynomial in single precision, the series of 2 artanh((m - 1) / (m + 1)) in double.
    """
    raise NotImplementedError("compiled code only")


# Not with the kernels' options: reordered, (2^52 + k) - 2^52 would lose k.
@overload(_log, jit_options={"forceinline": True, "fastmath": {"contract"}})
def _log_compiled(x):
    return _log_single if x == types.float32 else _log_double


def _log_single(x):
    # Cast at each step: sums of int32 are int64 in numba, which halves the SIMD lanes.
    bits = np.int32(np.float32(x).view(np.int32) - np.int32(0x3F3504F3))
    exponent = np.int32(bits & np.int32(-(1 << 23)))
    mantissa = np.int32(np.float32(x).view(np.int32) - exponent).view(np.float32)
    z = mantissa - np.float32(1)
    series = L5 + z * (L6 + z * (L7 + z * L8))
    series = L0 + z * (L1 + z * (L2 + z * (L3 + z * (L4 + z * series))))
    return np.float32(np.int32(exponent >> np.int32(23))) * LN2_SINGLE + z * series


def _log_double(x):
    bits = np.float64(x).view(np.int64) - np.int64(0x3FE6A09E667F3BCD)
    exponent = bits & np.int64(-(1 << 52))
    mantissa = np.int64(np.float64(x).view(np.int64) - exponent).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    # |s| < 0.172: the first term left out is below 1e-15 s.
    series = 1 / 15 + z * (1 / 17 + z * (1 / 19))
    series = 1 / 9 + z * (1 / 11 + z * (1 / 13 + z * series))
    series = 1 / 3 + z * (1 / 5 + z * (1 / 7 + z * series))
    # The exponent as a number: 2^52 + 2^51 + k has k in its last bits, and AVX2 has no conversion.
    biased = np.int64((exponent >> 52) + np.int64(0x4338000000000000)).view(np.float64)
    return (biased - 6755399441055744.0) * LN2 + 2.0 * (s + s * z * series)
