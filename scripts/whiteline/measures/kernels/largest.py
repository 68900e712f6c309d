"""The greatest difference of two spectra, for all pairs, sought only where it can lie.

With the highest and lowest value of each block of energy points, two spectra a and b differ there
by at most max(hi_a - lo_b, hi_b - lo_a). A block whose bound is not above the greatest difference
found so far is left out. Rounding keeps the order of numbers, so a rounded bound is never below a
rounded difference, and what is found is the same number as by a look at every point.

A query meets a group of library spectra, one in each lane of SIMD registers; a block is left out
where it is for all of them. Blocks in which the library's spectra differ most come first, so that
few others need a look: of simulated spectra three tenths of the points. Nothing is left out of
noise, where the bounds come on top. The loops are written as LLVM's instructions, because the
compiler would take one pair at a time.
"""

from __future__ import annotations

from itertools import zip_longest

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

COMPILE = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nnan", "ninf", "nsz"},
}
POINTS = 32  # of a block; a multiple of a register's lanes
SAMPLE = 64  # library spectra that tell where they differ
REGISTER, GROUP = 32, 64  # bytes: of a SIMD register, and of one value of a group's spectra
PROMISED = 4  # bytes of alignment; numba gives its own arrays more but promises none
FLAGS = ("nnan", "ninf", "nsz")


def differences(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Greatest |x - y|, shape (n, m), for spectra of shapes (n, points) and (m, points)."""
    out = np.empty((len(queries), len(library)), dtype=queries.dtype)
    if not out.size:
        return out
    if (lacking := POINTS - queries.shape[1]) > 0:
        queries, library = (np.pad(x, ((0, 0), (0, lacking))) for x in (queries, library))
    queries, library = np.ascontiguousarray(queries), np.ascontiguousarray(library)
    spread = np.ptp(library[:: -(-len(library) // SAMPLE)], axis=0)
    spread = np.maximum.reduceat(spread, np.arange(0, len(spread), POINTS))
    _differences(queries, library, np.argsort(np.argsort(-spread)), out)
    return out


@njit(**COMPILE)
def _differences(queries, library, ranks, out):
    # Made here, where numba aligns arrays to whole registers, which are then read faster.
    lanes = GROUP // out.itemsize
    asked = np.empty((len(queries), len(ranks), POINTS), out.dtype)
    asked_ends = np.empty((len(queries), len(ranks), 2), out.dtype)
    group = np.empty((len(ranks), POINTS, lanes), out.dtype)
    ends = np.empty((len(ranks), 2, lanes), out.dtype)
    found = np.empty((len(queries), lanes), out.dtype)
    _copy(queries, ranks, asked, asked_ends)
    for start in range(0, len(library), lanes):
        _fill(library, start, ranks, group, ends)
        for row in range(len(queries)):
            _greatest(asked, asked_ends, row, group, ends, found)
        for row in range(len(queries)):
            line = out[row, start : start + lanes]
            for lane in range(len(line)):
                line[lane] = found[row, lane]


@njit(inline="always")
def _copy(queries, ranks, asked, ends):
    """Queries block by block, and the highest and lowest value of each block."""
    for row in range(len(queries)):
        for block in range(len(ranks)):
            first, rank = min(block * POINTS, queries.shape[1] - POINTS), ranks[block]
            values, copy = queries[row, first:], asked[row, rank]
            high = low = values[0]
            for point in range(POINTS):
                copy[point] = values[point]
                high, low = max(high, values[point]), min(low, values[point])
            ends[row, rank, 0], ends[row, rank, 1] = high, low


@intrinsic
def _fill(context, spectra, start, ranks, group, ends):
    """Spectra from ``start`` on, one per lane, block by block, in ``group``, and the highest and
    lowest values of each block in ``ends``. The last spectrum has the lanes that are left.
    """

    def build(context, builder, signature, arguments):
        spectra, ranks, group, ends = _arrays(context, builder, signature, arguments, REGISTER)
        start = arguments[1]
        index, lanes = start.type, spectra.register.count
        group.ends_with(POINTS, group.lanes)
        ends.ends_with(2, ends.lanes)
        last = builder.sub(spectra.shape[0], index(1))
        final = builder.sub(spectra.shape[1], index(POINTS))
        with cgutils.for_range(builder, ranks.shape[0]) as loop:
            # The last block begins early enough to be whole; that points count twice does no harm.
            first = builder.mul(loop.index, index(POINTS))
            first = builder.select(builder.icmp_signed("<", first, final), first, final)
            rank = builder.load(ranks.pointer(loop.index))
            for lane in range(0, group.lanes, lanes):
                rows = [builder.add(start, index(lane + k)) for k in range(lanes)]
                rows = [builder.select(builder.icmp_signed("<", r, last), r, last) for r in rows]
                high = low = None
                for point in range(0, POINTS, lanes):
                    place = builder.add(first, index(point))
                    square = _transposed(builder, [spectra.load(row, place) for row in rows])
                    for k, values in enumerate(square):
                        group.store(values, rank, point + k, lane)
                        high = _call(builder, "maxnum", high or values, values)
                        low = _call(builder, "minnum", low or values, values)
                ends.store(high, rank, 0, lane)
                ends.store(low, rank, 1, lane)
        return context.get_dummy_value()

    return types.void(spectra, start, ranks, group, ends), build


@intrinsic
def _greatest(context, asked, asked_ends, row, group, ends, found):
    """The greatest differences of a query and the spectra of a group, in ``found[row]``."""

    def build(context, builder, signature, arguments):
        arrays = _arrays(context, builder, signature, arguments, GROUP)
        asked, asked_ends, group, ends, found = arrays
        row = arguments[2]
        asked.ends_with(POINTS)
        asked_ends.ends_with(2)
        group.ends_with(POINTS, found.lanes)
        ends.ends_with(2, found.lanes)
        found.ends_with(found.lanes)
        nothing = ir.Constant(found.register, [0.0] * found.lanes)
        so_far = cgutils.alloca_once_value(builder, nothing)
        with cgutils.for_range(builder, group.shape[0]) as loop:
            block, limit = loop.index, builder.load(so_far)
            high, low = (asked_ends.spread(row, block, k) for k in range(2))
            other_high, other_low = (ends.load(block, k) for k in range(2))
            bounds = builder.fsub(high, other_low), builder.fsub(other_high, low)
            above = builder.fcmp_ordered(">", _call(builder, "maxnum", *bounds), limit)
            bits = ir.IntType(found.lanes)
            above = builder.icmp_unsigned("!=", builder.bitcast(above, bits), bits(0))
            with builder.if_then(above):
                # Of every other point, so that not all wait for each other.
                greatest = [limit, nothing]
                for point in range(POINTS):
                    value, other = asked.spread(row, block, point), group.load(block, point)
                    difference = _call(builder, "fabs", builder.fsub(value, other))
                    before = greatest[point % 2]
                    greatest[point % 2] = _call(builder, "maxnum", before, difference)
                builder.store(_call(builder, "maxnum", *greatest), so_far)
        found.store(builder.load(so_far), row)
        return context.get_dummy_value()

    return types.void(asked, asked_ends, row, group, ends, found), build


class _Array:
    """An array of the code that is being written; an index that is not told is zero."""

    def __init__(self, context, builder, kind, value, size):
        array = context.make_array(kind)(context, builder, value)
        self.builder, self.data = builder, array.data
        number = self.data.type.pointee
        item = context.get_abi_sizeof(number)
        self.lanes, self.register = GROUP // item, ir.VectorType(number, size // item)
        self.shape = cgutils.unpack_tuple(builder, array.shape)

    def ends_with(self, *sizes):
        """Set the last dimensions to what they always are, so that places take no arithmetic."""
        kind = self.shape[0].type
        self.shape[-len(sizes) :] = [kind(size) for size in sizes]

    def pointer(self, *place):
        """To an element."""
        kind, builder = self.shape[0].type, self.builder
        offset = kind(0)
        for size, n in zip_longest(self.shape, place, fillvalue=0):
            offset = builder.add(builder.mul(offset, size), kind(n) if isinstance(n, int) else n)
        return builder.gep(self.data, [offset])

    def load(self, *place):
        """A vector from an element on."""
        pointer = self.builder.bitcast(self.pointer(*place), self.register.as_pointer())
        return self.builder.load(pointer, align=PROMISED)

    def store(self, values, *place):
        """Leave a vector from an element on."""
        pointer = self.builder.bitcast(self.pointer(*place), self.register.as_pointer())
        self.builder.store(values, pointer, align=PROMISED)

    def spread(self, *place):
        """A vector of an element in every lane."""
        undefined, index = ir.Constant(self.register, ir.Undefined), ir.IntType(32)
        value = self.builder.load(self.pointer(*place))
        value = self.builder.insert_element(undefined, value, index(0))
        first = ir.Constant(ir.VectorType(index, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(value, undefined, first)


def _arrays(context, builder, signature, arguments, size):
    """The arrays among the arguments of a function, read by vectors of so many bytes."""
    return [
        _Array(context, builder, kind, argument, size)
        for kind, argument in zip(signature.args, arguments, strict=True)
        if isinstance(kind, types.Array)
    ]


def _transposed(builder, rows):
    """As many vectors as each has lanes, lane by lane."""
    lanes, index = len(rows), ir.IntType(32)
    pairs = [n + k * lanes for n in range(lanes) for k in range(2)]
    low, high = (
        ir.Constant(ir.VectorType(index, lanes), half) for half in (pairs[:lanes], pairs[lanes:])
    )
    # Each round moves a bit of the row's number to the lane's, and one of the lane's to the row's.
    for _ in range(lanes.bit_length() - 1):
        halves = zip(rows[: lanes // 2], rows[lanes // 2 :], strict=True)
        rows = [builder.shuffle_vector(a, b, mask) for a, b in halves for mask in (low, high)]
    return rows


def _call(builder, name, *vectors):
    """One of LLVM's functions, lane by lane."""
    kind = vectors[0].type
    name = f"llvm.{name}.v{kind.count}{kind.element.intrinsic_name}"
    signature = ir.FunctionType(kind, [kind] * len(vectors))
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, vectors, fastmath=FLAGS)
