"""Sums over energy points for all pairs of spectra: one pass, eight pairs at a time.

A tile of 4 library spectra by 2 queries keeps its sums in SIMD registers, so that each value which
is loaded serves several pairs; a block of the library stays in the first-level cache. The loop of
a tile is written as LLVM's vector instructions, because the compiler's own vectoriser adds up the
lanes of each sum on its own and runs out of registers. A measure is a formula of vectors
(`TERMS`). Terms add up in the precision of the spectra. Spectra are padded with zeros, which add
nothing, to whole registers.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

COMPILE = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nnan", "ninf", "nsz", "contract"},
}
ABSOLUTE, SQUARED, CUBED, CANBERRA, CHI_SQUARE, ENTROPY_GAIN = range(6)
LIBRARY, QUERIES = 4, 2  # the tile
BLOCK = 8  # library spectra; of 500 points in single precision 16 kB
REGISTER = 32  # bytes
PROMISED = 4  # bytes of alignment; numba gives its own arrays more but promises none
PADDING = 16  # points: a register of single precision for each half of a spectrum
TINY = 1e-18  # makes 0 / 0 zero; its square is a normal number in single precision
LN2 = float(np.log(2))
# Coefficients of 2 artanh(s) / s in s^2 for |s| < 0.1716, by Chebyshev interpolation: errors of
# the logarithm stay below 5e-8 in single precision and 1e-15 in double.
LOG_SINGLE, LOG_DOUBLE = (
    np.polynomial.Chebyshev.interpolate(
        lambda z: 2 * np.arctanh(np.sqrt(z)) / np.sqrt(z), degree, (0, 0.1716**2)
    )
    .convert(kind=np.polynomial.Polynomial)
    .coef
    for degree in (2, 7)
)
FLAGS = ("nnan", "ninf", "nsz", "contract")


def absolute(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Sums of |x - y|, shape (n, m), for spectra of shapes (n, points) and (m, points)."""
    return _run(_absolute, queries, library)


def squared(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Sums of (x - y)^2, shape (n, m). Near duplicates lose nothing to cancellation."""
    return _run(_squared, queries, library)


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
    if out.size:
        points = queries.shape[-1]
        parts = queries[0].size // points
        queries, library = (x.reshape(len(x), parts, points) for x in (queries, library))
        # The kernel must not know that it multiplies by one.
        kernel(queries, library, queries.dtype.type(1), out)
    return out


@njit(**COMPILE)
def _absolute(queries, library, one, out):
    _all(ABSOLUTE, queries, library, one, out)


@njit(**COMPILE)
def _squared(queries, library, one, out):
    _all(SQUARED, queries, library, one, out)


@njit(**COMPILE)
def _cubed(queries, library, one, out):
    _all(CUBED, queries, library, one, out)


@njit(**COMPILE)
def _canberra(queries, library, one, out):
    _all(CANBERRA, queries, library, one, out)


@njit(**COMPILE)
def _chi_square(queries, library, one, out):
    _all(CHI_SQUARE, queries, library, one, out)


@njit(**COMPILE)
def _entropy_gain(queries, library, one, out):
    _all(ENTROPY_GAIN, queries, library, one, out)


@njit(inline="always")
def _all(kind, queries, library, one, out):
    parts, points = queries.shape[1:]
    width = points + -points % PADDING
    # Made here, where numba aligns arrays to whole registers, which are then read faster.
    asked = np.zeros((len(queries) + len(queries) % QUERIES, parts * width), queries.dtype)
    block = np.zeros((BLOCK, parts * width), queries.dtype)
    sums = np.empty(len(asked) * BLOCK, queries.dtype)
    _fill(asked, queries, 0, width)
    for start in range(0, len(library), BLOCK):
        used = _fill(block, library, start, width)
        for row in range(0, len(asked), QUERIES):
            for column in range(0, used, LIBRARY):
                _tile(kind, asked, row, block, column, one, sums)
        for row in range(len(queries)):
            of_row, line = sums[_place(row, 0) :], out[row, start:]
            for column in range(used):
                line[column] = of_row[_place(0, column)]


@njit(inline="always")
def _place(row, column):
    """Where the sum of a pair is, tile after tile."""
    tile = row // QUERIES * (BLOCK // LIBRARY) + column // LIBRARY
    return tile * QUERIES * LIBRARY + row % QUERIES * LIBRARY + column % LIBRARY


@njit(inline="always")
def _fill(wide, spectra, start, width):
    """Copy spectra from ``start`` on, and tell how many there were."""
    used = min(len(wide), len(spectra) - start)
    for row in range(used):
        for part in range(spectra.shape[1]):
            source, target = spectra[start + row, part], wide[row, part * width :]
            for point in range(len(source)):
                target[point] = source[point]
    return used


class _Vector:
    """A SIMD register of the code that is being written; arithmetic adds instructions to it."""

    def __init__(self, builder, value):
        self.builder, self.value, self.type = builder, value, value.type

    def splat(self, number):
        """A vector of one constant."""
        constant = ir.Constant(self.type, [float(number)] * self.type.count)
        return _Vector(self.builder, constant)

    def _then(self, instruction, other):
        if not isinstance(other, _Vector):
            other = self.splat(other)
        write = getattr(self.builder, instruction)
        return _Vector(self.builder, write(self.value, other.value, flags=FLAGS))

    def _call(self, function, *others):
        kind = self.type
        name = f"llvm.{function}.v{kind.count}{kind.element.intrinsic_name}"
        signature = ir.FunctionType(kind, [kind] * (1 + len(others)))
        function = cgutils.get_or_insert_function(self.builder.module, signature, name)
        values = [self.value, *(other.value for other in others)]
        return _Vector(self.builder, self.builder.call(function, values, fastmath=FLAGS))

    def __add__(self, other):
        return self._then("fadd", other)

    def __sub__(self, other):
        return self._then("fsub", other)

    def __mul__(self, other):
        return self._then("fmul", other)

    def __truediv__(self, other):
        return self._then("fdiv", other)

    def __neg__(self):
        return _Vector(self.builder, self.builder.fneg(self.value))

    def __abs__(self):
        return self._call("fabs")

    def times_plus(self, factor, addend):
        """Product and sum in one instruction, where the processor has it."""
        return self._call("fmuladd", factor, addend)

    def shuffled(self, other, lanes):
        """Some lanes of both."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))
        return _Vector(self.builder, self.builder.shuffle_vector(self.value, other.value, mask))


# Terms of the sums: x and y are lists of the vectors at one place in each part, or half, of the
# spectra. Zen processors add in two units and multiply and add in two others: where additions and
# subtractions would fill the former, some multiply by one.


def _absolute_term(total, x, y, one):
    return abs(x[0] - y[0]).times_plus(one, total)


def _squared_term(total, x, y, one):
    difference = x[0] - y[0]
    return difference.times_plus(difference, total)


def _cubed_term(total, x, y, one):
    difference = x[0] - y[0]
    return (difference * difference).times_plus(abs(difference), total)


def _canberra_term(total, x, y, one):
    over = [abs(a - b) for a, b in zip(x, y, strict=True)]
    under = [(abs(a) + TINY) + abs(b) for a, b in zip(x, y, strict=True)]
    return _two_ratios(over, under).times_plus(one, total)


def _chi_square_term(total, x, y, one):
    differences = [a - b for a, b in zip(x, y, strict=True)]
    over = [difference * difference for difference in differences]
    under = [(a + TINY) + b for a, b in zip(x, y, strict=True)]
    return _two_ratios(over, under).times_plus(one, total)


def _two_ratios(over, under):
    """a / b + c / d by one division, which is what takes time."""
    (a, c), (b, d) = over, under
    return a.times_plus(d, c * b) / (b * d)


def _entropy_gain_term(total, x, y, one):
    both = x[0] + y[0]
    # Point by point the terms nearly cancel; of their sums little would be left.
    return total + (-both).times_plus(_log(both), x[1] + y[1])


def _log(x):
    """Natural logarithm of a positive number, to a few roundings; some finite number for zero.

    x = m 2^k with m between sqrt(1/2) and sqrt(2), and ln m = 2 artanh s, s times a polynomial of
    s^2, with s = (m - 1) / (m + 1). A division takes less time than a longer polynomial.
    """
    builder, single = x.builder, x.type.element == ir.FloatType()
    length, half = (23, 0x3F3504F3) if single else (52, 0x3FE6A09E667F3BCD)
    kind = ir.VectorType(ir.IntType(32 if single else 64), x.type.count)

    def constant(number):
        return ir.Constant(kind, [number] * kind.count)

    bits = builder.bitcast(x.value, kind)
    power = builder.and_(builder.sub(bits, constant(half)), constant(-(1 << length)))
    m = _Vector(builder, builder.bitcast(builder.sub(bits, power), x.type))
    if single:
        ln_power = _Vector(builder, builder.sitofp(power, x.type)) * (LN2 * 2.0**-length)
    else:
        # AVX2 does not convert 64-bit integers. As a number, the bits of 2^52 with a positive
        # integer in the last places are their sum.
        biased = builder.lshr(builder.add(power, constant(1023 << length)), constant(length))
        both = builder.or_(biased, constant(0x433 << length))
        ln_power = (_Vector(builder, builder.bitcast(both, x.type)) - float(2**52 + 1023)) * LN2
    s = (m - 1) / (m + 1)
    series = _polynomial(s * s, LOG_SINGLE if single else LOG_DOUBLE)
    return s.times_plus(series, ln_power)


def _polynomial(z, coefficients):
    *lower, last = coefficients
    total = z.splat(last)
    for coefficient in reversed(lower):
        total = total.times_plus(z, z.splat(coefficient))
    return total


TERMS = {
    ABSOLUTE: _absolute_term,
    SQUARED: _squared_term,
    CUBED: _cubed_term,
    CANBERRA: _canberra_term,
    CHI_SQUARE: _chi_square_term,
    ENTROPY_GAIN: _entropy_gain_term,
}
# These take two halves of a spectrum, or two parts, at a time.
BY_HALVES = CANBERRA, CHI_SQUARE, ENTROPY_GAIN


@intrinsic(prefer_literal=True)
def _tile(context, kind, queries, row, library, column, one, sums):
    """Sums for two queries from ``row`` on and four library spectra from ``column`` on."""

    def build(context, builder, signature, arguments):
        _, asked, row, block, column, one, sums = arguments
        asked, block, sums = (
            context.make_array(signature.args[n])(context, builder, arguments[n])
            for n in (1, 3, 6)
        )
        register = ir.VectorType(one.type, REGISTER // context.get_abi_sizeof(one.type))
        width = cgutils.unpack_tuple(builder, asked.shape)[1]
        parts = 2 if kind.literal_value in BY_HALVES else 1
        length = builder.udiv(width, width.type(parts))

        def pointers(array, first, count):
            start = builder.mul(first, width)
            offsets = [builder.mul(width.type(n), length) for n in range(count * parts)]
            places = [builder.gep(array.data, [builder.add(start, o)]) for o in offsets]
            return [places[n : n + parts] for n in range(0, len(places), parts)]

        x, y = pointers(asked, row, QUERIES), pointers(block, column, LIBRARY)
        one = _spread(builder, one, register)
        # Terms of halves need many registers, and one query at a time fewer.
        step = 1 if kind.literal_value in BY_HALVES else QUERIES
        totals = []
        for first in range(0, QUERIES, step):
            some = x[first : first + step]
            totals += _loop(builder, kind.literal_value, some, y, length, one)
        place = builder.add(
            builder.mul(row, row.type(BLOCK)), builder.mul(column, column.type(QUERIES))
        )
        for n, total in enumerate(_lane_sums(totals)):
            to = builder.gep(sums.data, [builder.add(place, place.type(n * register.count))])
            builder.store(total.value, builder.bitcast(to, register.as_pointer()), align=PROMISED)
        return context.get_dummy_value()

    return types.void(kind, queries, row, library, column, one, sums), build


def _loop(builder, kind, queries, library, points, one):
    """Sums, each over the points of a lane, for all pairs of spectra given by pointers."""
    lanes, register = points.type(one.type.count), one.type.as_pointer()
    nothing = one.splat(0).value

    def loaded(parts, point):
        places = [builder.bitcast(builder.gep(part, [point]), register) for part in parts]
        return [_Vector(builder, builder.load(place, align=PROMISED)) for place in places]

    before, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
    builder.branch(body)
    builder.position_at_end(body)
    point = builder.phi(points.type)
    totals = {pair: builder.phi(one.type) for pair in np.ndindex(len(queries), len(library))}
    sums = {}
    x = [loaded(parts, point) for parts in queries]
    # A library spectrum at a time: more values would not fit into the registers of AVX2.
    for column, parts in enumerate(library):
        y = loaded(parts, point)
        for row in range(len(queries)):
            before_it = _Vector(builder, totals[row, column])
            sums[row, column] = TERMS[kind](before_it, x[row], y, one)
    following = builder.add(point, lanes)
    again = builder.cbranch(builder.icmp_unsigned("<", following, points), body, after)
    again.set_metadata("llvm.loop", _never_unrolled(builder.module))
    point.add_incoming(points.type(0), before)
    point.add_incoming(following, body)
    for pair, total in totals.items():
        total.add_incoming(nothing, before)
        total.add_incoming(sums[pair].value, body)
    builder.position_at_end(after)
    return [sums[pair] for pair in totals]


def _never_unrolled(module):
    """Metadata for a loop: unrolled, it would need more registers than there are."""
    name = module.add_metadata(["llvm.loop.unroll.disable"])
    loop = module.add_metadata([name, name])
    loop.operands = (loop, name)
    return loop


def _lane_sums(totals):
    """Vectors of what the lanes of each vector add up to."""
    lanes = totals[0].type.count
    even, odd = range(0, 2 * lanes, 2), range(1, 2 * lanes, 2)
    for _ in range(lanes.bit_length() - 1):
        halves = [
            (a.shuffled(b, even), a.shuffled(b, odd))
            for a, b in zip(totals[::2], totals[1::2], strict=True)
        ]
        totals = [a + b for a, b in halves]
    return totals


def _spread(builder, number, register):
    """A vector of a number in every lane."""
    undefined, index = ir.Constant(register, ir.Undefined), ir.IntType(32)
    value = builder.insert_element(undefined, number, index(0))
    first = ir.Constant(ir.VectorType(index, register.count), [0] * register.count)
    return _Vector(builder, builder.shuffle_vector(value, undefined, first))
