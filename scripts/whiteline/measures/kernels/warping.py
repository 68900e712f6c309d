"""Dynamic time warping and its soft version, a tile of library spectra at a time.

The recursion has no independent steps within a pair of spectra, so it runs over a tile of library
spectra at once, one per SIMD lane. ``cost[k + 1]`` holds the cost up to the query's point i and
the library's point j = i + k - band. Going to the next i, it still holds the cost at (i-1, j-1),
``cost[k + 2]`` that at (i-1, j), and ``cost[k]`` already that at (i, j-1).
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

# Sums keep their order: a reordered (x + 1.5 2^23) - 1.5 2^23 would no longer round x.
COMPILE = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nnan", "nsz", "contract"},
}
# Library spectra in one tile. Fewer starve the SIMD units, more are wasted on small libraries.
LANES = 32
# Points of the query between two looks at whether every path costs too much already.
STRIDE = 16
# So few pairs are warped one by one, which takes less than a tile.
FEW = 4
# Cells of an antidiagonal that are found at a time; bands must be below.
NARROW, BROAD = 16, 64
# Bytes of a SIMD register, of those whose costs are found at a time, and of alignment.
REGISTER, GROUP, PROMISED = 32, 128, 4
LN2 = 0.6931471805599453
ROOT3 = 1.7320508075688772
LOG2_ROOT3 = 0.792481250360578
# For single precision, because a plain constant is double: sqrt(3) - 1 and + 1; the series of
# log2 in odd powers; 2^z between -1/2 and 1/2, error below 1e-7, by Chebyshev interpolation.
LESS, MORE, LOG2_ROOT3_SINGLE = (
    np.float32(ROOT3 - 1),
    np.float32(ROOT3 + 1),
    np.float32(LOG2_ROOT3),
)
A1, A3, A5, A7, A9 = (2 / LN2 / np.arange(1, 10, 2)).astype(np.float32)
E0, E1, E2, E3, E4, E5 = (
    np.polynomial.Chebyshev.interpolate(np.exp2, 5, (-0.5, 0.5))
    .convert(kind=np.polynomial.Polynomial)
    .coef.astype(np.float32)
)
# For double precision the power series, (z ln 2)^n / n!, and that of log2.
D0, D1, D2, D3, D4, D5, D6, D7, D8, D9, D10, D11, D12, D13 = (
    LN2**n / math.factorial(n) for n in range(14)
)
B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13 = (
    2 / LN2 / odd for odd in range(1, 28, 2)
)
# Stands for infinity; sums of it must not overflow in single precision.
FAR = 1e30
FAR_POINT = 1e15


def warped(queries: np.ndarray, library: np.ndarray, band: int) -> np.ndarray:
    """Least sums of squared differences along a warping path, shape (n, m)."""
    out = np.empty((len(queries), len(library)), dtype=queries.dtype)
    _warped(np.ascontiguousarray(queries), np.ascontiguousarray(library), band, out)
    return out


def warped_pairs(
    queries: np.ndarray,
    library: np.ndarray,
    band: int,
    starts: np.ndarray,
    columns: np.ndarray,
    ceiling: np.ndarray,
) -> np.ndarray:
    """The same of pairs (see `whiteline.search.selection`), as far as at most the ceiling of their
    segment; infinity or what it is where they cost more.
    """
    out = np.empty(len(columns), dtype=library.dtype)
    _warped_pairs(queries, library, band, starts, columns, ceiling, out)
    return out


def softly_warped(queries: np.ndarray, library: np.ndarray, band: int, gamma: float) -> np.ndarray:
    """-gamma ln of the sum over all paths of exp(-squared differences / gamma), shape (n, m)."""
    out = np.empty((len(queries), len(library)), dtype=queries.dtype)
    # In units of gamma ln 2, so that powers and logarithms are those of 2.
    scale = 1 / np.sqrt(gamma * np.log(2))
    scaled = [np.ascontiguousarray(x * queries.dtype.type(scale)) for x in (queries, library)]
    _softly_warped(*scaled, band, out)
    return out * queries.dtype.type(gamma * np.log(2))


def softly_warped_with_itself(spectra: np.ndarray, band: int, gamma: float) -> np.ndarray:
    """The same of each spectrum and itself, shape (n,)."""
    scale = 1 / np.sqrt(gamma * np.log(2))
    out = np.empty(len(spectra), dtype=spectra.dtype)
    _softly_warped_with_itself(np.ascontiguousarray(spectra * scale), band, out)
    return out * gamma * np.log(2)


@njit(**COMPILE)
def _warped(queries, library, band, out):
    tile = np.zeros((library.shape[1], LANES), library.dtype)
    cost = np.empty((2 * band + 3, LANES), library.dtype)
    for start in range(0, len(library), LANES):
        used = _fill(tile, library, start)
        for row in range(len(queries)):
            _warp(queries[row], tile, band, cost, np.inf, used)
            for lane in range(used):
                out[row, start + lane] = cost[band + 1, lane]


@njit(**COMPILE)
def _warped_pairs(queries, library, band, starts, columns, ceiling, out):
    # Made here, so that the compiler knows that they don't overlap.
    tile = np.zeros((queries.shape[1], LANES), library.dtype)
    cost = np.empty((2 * band + 3, LANES), library.dtype)
    cells = NARROW if band < NARROW else BROAD
    backwards = np.empty(queries.shape[1] + 2 * cells, library.dtype)
    forwards = np.empty_like(backwards)
    walls = np.zeros((2, cells), library.dtype)
    for cell in range(2 * cells):
        if abs(cell - cells) > band:
            walls[cell % 2, cell // 2] = FAR_POINT
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        query = queries[segment // ranges]
        for first in range(starts[segment], starts[segment + 1], LANES):
            used = min(LANES, starts[segment + 1] - first)
            if used <= FEW and band < BROAD:
                for pair in range(first, first + used):
                    row = library[columns[pair]]
                    out[pair] = _warp_one(query, row, backwards, forwards, walls)
                continue
            for lane in range(used):
                row = library[columns[first + lane]]
                for point in range(len(query)):
                    tile[point, lane] = row[point]
            finished = _warp(query, tile, band, cost, ceiling[segment], used)
            for lane in range(used):
                out[first + lane] = cost[band + 1, lane] if finished else np.inf


@njit(**COMPILE)
def _softly_warped(queries, library, band, out):
    tile = np.zeros((library.shape[1], LANES), library.dtype)
    query = np.empty_like(tile)
    cost = np.empty((2 * band + 3, LANES), library.dtype)
    for start in range(0, len(library), LANES):
        used = _fill(tile, library, start)
        for row in range(len(queries)):
            for point in range(len(query)):
                query[point] = queries[row, point]
            _softly_warp(query, tile, band, cost)
            for lane in range(used):
                out[row, start + lane] = cost[band + 1, lane]


@njit(**COMPILE)
def _softly_warped_with_itself(spectra, band, out):
    tile = np.zeros((spectra.shape[1], LANES), spectra.dtype)
    cost = np.empty((2 * band + 3, LANES), spectra.dtype)
    for start in range(0, len(spectra), LANES):
        used = _fill(tile, spectra, start)
        _softly_warp(tile, tile, band, cost)
        for lane in range(used):
            out[start + lane] = cost[band + 1, lane]


@njit(inline="always")
def _fill(tile, library, start):
    """Library spectra from ``start`` on, one in each lane; the number of lanes in use."""
    used = min(LANES, len(library) - start)
    for point in range(len(tile)):
        for lane in range(used):
            tile[point, lane] = library[start + lane, point]
    return used


@njit(inline="always")
def _warp(query, tile, band, cost, ceiling, used):
    """Least costs of one query and a tile, left in ``cost[band + 1]``; False if given up."""
    points = len(query)
    cost[:, :] = FAR
    cost[band + 1, :] = 0
    for i in range(points):
        k, end = max(0, band - i), min(2 * band, points - 1 - i + band) + 1
        for lane in range(0, LANES, GROUP // cost.itemsize):
            _steps(query[i], tile, i + k - band, cost, k, end - k, lane)
        if ceiling < FAR and i % STRIDE == STRIDE - 1:
            least = cost[1, 0]
            for lane in range(used):
                for k in range(1, 2 * band + 2):
                    least = min(least, cost[k, lane])
            if least > ceiling:
                return False
    return True


@njit(inline="always")
def _warp_one(query, row, backwards, forwards, walls):
    """The least cost of one pair, by the same sums, one antidiagonal after the other."""
    points, cells = len(query), walls.shape[1]
    # Points beyond the ends are far from any.
    backwards[:], forwards[:] = FAR_POINT, -FAR_POINT
    for point in range(points):
        backwards[cells + point] = query[points - 1 - point]
        forwards[cells + point] = row[point]
    if cells == NARROW:
        return _narrow(backwards, forwards, walls, points)
    return _broad(backwards, forwards, walls, points)


def _antidiagonals(cells):
    """The least cost of a pair whose points stand from ``cells`` on, those of the query backwards.

    Cells of an antidiagonal don't wait for each other. The cell n of an even one has
    j - i = 2 n - cells, that of an odd one has one more. ``walls`` (2, cells), of the even and the
    odd, keep those beyond the band far, always the first even cell; so neighbours are found by
    turning a register around. All costs stay in registers.
    """

    def typed(context, backwards, forwards, walls, points):
        def build(context, builder, signature, arguments):
            points = arguments[3]
            register = ir.VectorType(context.get_value_type(backwards.dtype), cells)
            query, library, wall = _data(context, builder, signature, arguments, range(3))

            def load(data, place):
                place = builder.gep(data, [place])
                return _load(builder, builder.bitcast(place, register.as_pointer()))

            def costs(query, library, wall, own, other, turn):
                gap = builder.fadd(builder.fsub(query, library), wall)
                index = [(cell + turn) % cells for cell in range(cells)]
                index = ir.Constant(ir.VectorType(ir.IntType(32), cells), index)
                turned = builder.shuffle_vector(other, other, index)
                least = _least(builder, _least(builder, other, own), turned)
                return builder.fadd(builder.fmul(gap, gap), least)

            one, half = points.type(1), points.type(cells // 2)
            walls = [load(wall, points.type(n)) for n in (0, cells)]
            last = builder.add(points, builder.sub(half, one))
            middle = ir.IntType(32)(cells // 2)
            far = ir.Constant(register, [FAR] * cells)
            first = builder.insert_element(far, ir.Constant(register.element, 0), middle)
            first = costs(load(query, last), load(library, half), walls[0], first, far, -1)
            before, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
            builder.cbranch(builder.icmp_signed("<", one, points), body, after)
            builder.position_at_end(body)
            i = builder.phi(points.type)
            even, odd = builder.phi(register), builder.phi(register)
            row, place = load(library, builder.add(half, i)), builder.sub(last, i)
            up = load(query, builder.add(place, one))
            new_odd = costs(up, row, walls[1], odd, even, 1)
            new_even = costs(load(query, place), row, walls[0], even, new_odd, -1)
            following = builder.add(i, one)
            states = (i, one, following), (even, first, new_even), (odd, far, new_odd)
            for phi, begin, later in states:
                phi.add_incoming(begin, before)
                phi.add_incoming(later, body)
            builder.cbranch(builder.icmp_signed("<", following, points), body, after)
            builder.position_at_end(after)
            end = builder.phi(register)
            end.add_incoming(first, before)
            end.add_incoming(new_even, body)
            return builder.extract_element(end, middle)

        return backwards.dtype(backwards, forwards, walls, points), build

    return intrinsic(typed)


_narrow, _broad = _antidiagonals(NARROW), _antidiagonals(BROAD)


@intrinsic
def _steps(context, value, tile, j, cost, k, count, lane):
    """Costs of one point of the query and ``count`` of the library's, from the point j on.

    Written as LLVM's instructions for a group of lanes at a time, so that what was found last
    stays in registers: each cost waits for the one on its left, and those of other lanes are
    computed meanwhile.
    """

    def build(context, builder, signature, arguments):
        value, _, j, _, k, count, lane = arguments
        tile, cost = _data(context, builder, signature, arguments, (1, 3))
        register = ir.VectorType(value.type, REGISTER // context.get_abi_sizeof(value.type))
        value = _spread(builder, value, register)
        start = [_group(builder, cost, k, n, lane, register) for n in (0, 1)]
        start = [[_load(builder, place) for place in places] for places in start]
        before, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
        builder.cbranch(builder.icmp_signed("<", count.type(0), count), body, after)
        builder.position_at_end(body)
        step = builder.phi(count.type)
        left, diagonal = ([builder.phi(register) for _ in values] for values in start)
        here = builder.add(k, step)
        library = _group(builder, tile, builder.add(j, step), 0, lane, register)
        above = _group(builder, cost, here, 2, lane, register)
        up = [_load(builder, place) for place in above]
        found = []
        for n, place in enumerate(_group(builder, cost, here, 1, lane, register)):
            difference = builder.fsub(value, _load(builder, library[n]))
            least = _least(builder, _least(builder, diagonal[n], up[n]), left[n])
            found.append(builder.fadd(builder.fmul(difference, difference), least))
            builder.store(found[n], place, align=PROMISED)
        following = builder.add(step, count.type(1))
        again = [
            (left, start[0], found),
            (diagonal, start[1], up),
            ([step], [step.type(0)], [following]),
        ]
        for places in again:
            for phi, first, later in zip(*places, strict=True):
                phi.add_incoming(first, before)
                phi.add_incoming(later, body)
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        builder.position_at_end(after)
        return context.get_dummy_value()

    return types.void(value, tile, j, cost, k, count, lane), build


def _data(context, builder, signature, arguments, numbers):
    """Pointers to the data of some arguments, which are arrays."""
    return (
        context.make_array(signature.args[n])(context, builder, arguments[n]).data for n in numbers
    )


def _group(builder, data, row, more, lane, register):
    """Pointers to the registers of a group of lanes, ``more`` rows below a row of ``LANES``."""
    row = builder.add(row, row.type(more))
    start = builder.add(builder.mul(row, row.type(LANES)), lane)
    offsets = [row.type(n * register.count) for n in range(GROUP // REGISTER)]
    places = [builder.gep(data, [builder.add(start, offset)]) for offset in offsets]
    return [builder.bitcast(place, register.as_pointer()) for place in places]


def _load(builder, place):
    return builder.load(place, align=PROMISED)


def _least(builder, a, b):
    """Of vectors of finite numbers."""
    name = f"llvm.minnum.v{a.type.count}{a.type.element.intrinsic_name}"
    signature = ir.FunctionType(a.type, [a.type] * 2)
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, [a, b], fastmath=("nnan", "nsz"))


def _spread(builder, number, register):
    """A vector of a number in every lane."""
    undefined, index = ir.Constant(register, ir.Undefined), ir.IntType(32)
    value = builder.insert_element(undefined, number, index(0))
    first = ir.Constant(ir.VectorType(index, register.count), [0] * register.count)
    return builder.shuffle_vector(value, undefined, first)


@njit(inline="always")
def _softly_warp(query, tile, band, cost):
    """The costs of a tile of queries and one of library spectra, lane by lane."""
    points = len(query)
    cost[:, :] = FAR
    cost[band + 1, :] = 0
    for i in range(points):
        for k in range(max(0, band - i), min(2 * band, points - 1 - i + band) + 1):
            _soft_step(query[i], tile[i + k - band], cost[k], cost[k + 1], cost[k + 2])


@njit(inline="always")
def _soft_step(query, library, left, diagonal, up):
    for lane in range(LANES):
        difference = query[lane] - library[lane]
        a, b, c = left[lane], diagonal[lane], up[lane]
        low, high = min(a, b), max(a, b)
        least, middle = min(low, c), max(low, c)
        # The least of the three adds 2^0.
        others = _exp2(least - high) + _exp2(least - middle)
        diagonal[lane] = difference * difference + least - _log2_of_one_plus(others)


def _exp2(x):
    """2^x for x <= 0, by the power series of what is left of x after rounding."""
    raise NotImplementedError("compiled code only")


def _log2_of_one_plus(x):
    """Logarithm to base 2 of 1 + x for 0 <= x <= 2, by the series of artanh about sqrt(3)."""
    raise NotImplementedError("compiled code only")


@overload(_exp2, inline="always")
def _exp2_compiled(x):
    return _exp2_single if x == types.float32 else _exp2_double


@overload(_log2_of_one_plus, inline="always")
def _log2_of_one_plus_compiled(x):
    return _log2_single if x == types.float32 else _log2_double


def _exp2_single(x):
    x = max(np.float32(x), np.float32(-126))
    # Added to 1.5 2^23 a number is rounded, and its last bits hold the integer.
    shifted = x + np.float32(12582912)
    z = x - (shifted - np.float32(12582912))
    series = E0 + z * (E1 + z * (E2 + z * (E3 + z * (E4 + z * E5))))
    exponent = np.int32(np.float32(shifted).view(np.int32) << 23)
    return np.int32(np.float32(series).view(np.int32) + exponent).view(np.float32)


def _exp2_double(x):
    x = max(x, -1022.0)
    shifted = x + 6755399441055744.0
    z = x - (shifted - 6755399441055744.0)
    # Even and odd powers by themselves: fewer steps wait for each other.
    square = z * z
    even = D0 + square * (
        D2 + square * (D4 + square * (D6 + square * (D8 + square * (D10 + square * D12))))
    )
    odd = D1 + square * (
        D3 + square * (D5 + square * (D7 + square * (D9 + square * (D11 + square * D13))))
    )
    series = even + z * odd
    power = np.int64((np.float64(shifted).view(np.int64) << 52) + 0x3FF0000000000000).view(
        np.float64
    )
    return series * power


def _log2_single(x):
    ratio = (x - LESS) / (x + MORE)
    z = ratio * ratio
    series = A1 + z * (A3 + z * (A5 + z * (A7 + z * A9)))
    return LOG2_ROOT3_SINGLE + ratio * series


def _log2_double(x):
    ratio = (x - (ROOT3 - 1.0)) / (x + (ROOT3 + 1.0))
    z = ratio * ratio
    square = z * z
    even = B0 + square * (
        B2 + square * (B4 + square * (B6 + square * (B8 + square * (B10 + square * B12))))
    )
    odd = B1 + square * (
        B3 + square * (B5 + square * (B7 + square * (B9 + square * (B11 + square * B13))))
    )
    return LOG2_ROOT3 + ratio * (even + z * odd)
