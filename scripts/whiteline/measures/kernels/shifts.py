"""The least distance over rigid shifts, each computed from the overlap of two spectra.

No values are made up beyond the ends. A shift that brings features out of the window is therefore
not punished; the largest shift should be small against the distance of the features from the ends.

The products of a query, moved by each shift, with the library are matrix products, and mean and
scale of the overlaps make distances of them. For many pairs the products are taken in the space of
the library's principal components: what the library has none of can't change a product. The shift
found is then the one at which the distance is computed in full, so the approximation decides only
between shifts that are nearly alike.
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
    "fastmath": {"nnan", "ninf", "nsz", "reassoc", "contract"},
}
SQUARED, COSINE, CORRELATION = range(3)
# An overlap with less than this part of a spectrum's power is flat but for rounding.
FLAT = 1e-12
# Components of the library in which products are taken, and multiplications that pay for them.
RANK = 64
WORTHWHILE = 2e9
FAR = 1e30
SAMPLE = 384  # library spectra that give the components
# Queries whose products with a chunk of the library are taken at a time, and those that meet the
# chunk while it is in the second-level cache; an odd number of cache lines, see `_odd`.
BATCH, TURN, CHUNK = 8, 32, 176
# Bytes of a vector, which LLVM splits into the registers that there are, and of alignment that is
# promised; points that are summed together.
VECTOR, PROMISED, TOGETHER = 64, 4, 32


def least(queries: np.ndarray, library: np.ndarray, limit: int, mode: int) -> np.ndarray:
    """Least distance over shifts up to ``limit`` steps either way, shape (n, m).

    Spectra of shapes (n, points) and (m, points); by ``mode`` the mean squared difference times
    the number of points, one minus the cosine, or one minus the correlation, of the overlap.
    """
    queries, library = np.ascontiguousarray(queries), np.ascontiguousarray(library)
    out = np.empty((len(queries), len(library)), dtype=queries.dtype)
    if not out.size:
        return out
    points = queries.shape[1]
    # In order of their size, so that among equals the least shift is taken.
    moves = np.array(sorted(range(-limit, limit + 1), key=abs))
    basis = _basis(library, out.size * points * len(moves))
    spectra, library = library, _widened(library)
    reference = library[:, :points].T
    reference = np.ascontiguousarray(reference) if basis is None else basis.T @ reference
    own = _overlaps(queries, moves, mode)
    others = _overlaps(spectra, -moves, mode)
    asked = _widened(queries, limit + TOGETHER, limit)
    moved = np.empty((min(TURN, len(queries)) * len(moves), points), queries.dtype)
    products = np.empty((BATCH * len(moves), CHUNK), queries.dtype)
    best = np.empty((BATCH, CHUNK), f"i{queries.itemsize}")
    overlaps = np.empty((2, BATCH, CHUNK), queries.dtype)
    for turn in range(0, len(queries), TURN):
        some = queries[turn : turn + TURN]
        _move(some, turn, moves, own, moved)
        seen = moved[: len(some) * len(moves)]
        seen = seen if basis is None else seen @ basis
        for column in range(0, len(spectra), CHUNK):
            near = reference[:, column : column + CHUNK]
            for row in range(0, len(some), BATCH):
                batch = seen[row * len(moves) : (row + BATCH) * len(moves)]
                np.matmul(batch, near, out=products[: len(batch), : near.shape[1]])
                pairs = asked, turn + row, own, library, column, others
                _choose(*pairs, products, moves, points, mode, best, overlaps, out)
    return out


def _basis(library: np.ndarray, work: float) -> np.ndarray | None:
    """The library's leading principal components (points, RANK), where they pay."""
    if work < WORTHWHILE or min(library.shape) < 2 * RANK:
        return None
    sample = library[:: -(-len(library) // SAMPLE)]
    # The seed does not matter: a power iteration leaves no more than the spectrum's tail.
    shape = library.shape[1], RANK + 16
    sketch = np.random.default_rng(0).standard_normal(shape, library.dtype)
    sketch = np.linalg.qr(sample.T @ (sample @ sketch))[0]
    small = sample @ sketch
    values, vectors = np.linalg.eigh(small.T @ small)
    return sketch @ vectors[:, values.argsort()[-RANK:]]


@njit(**COMPILE)
def _overlaps(spectra, moves, mode):
    """Mean, scale and power of the points that stay on the grid; (3, shifts, n).

    Less its mean and times its scale, an overlap is what the distance compares. The power is that
    of what is compared less one, or very great where an overlap is flat and shows nothing.
    """
    found = np.zeros((3, len(moves), _odd(len(spectra))), spectra.dtype)
    limit, points = np.abs(moves).max(), spectra.shape[1]
    head, tail = np.zeros((2, limit + 1)), np.zeros((2, limit + 1))
    for row in range(len(spectra)):
        whole = _lost(spectra[row], head, tail)
        for place in range(len(moves)):
            move = moves[place]
            lost = tail[:, move] if move > 0 else head[:, -move]
            count, total, square = points - abs(move), whole[0] - lost[0], whole[1] - lost[1]
            if mode == SQUARED:
                scale = np.sqrt(points / count)
                mean, power = 0.0, square * scale**2 - 1
            else:
                mean = total / count if mode == CORRELATION else 0.0
                square -= count * mean**2
                flat = square <= FLAT
                scale, power = (0.0, FAR) if flat else (1 / np.sqrt(square), 0.0)
            found[0, place, row], found[1, place, row], found[2, place, row] = mean, scale, power
    return found


@njit(inline="always")
def _lost(spectrum, head, tail):
    """Sum and sum of squares of a spectrum; those of its first and last 0, 1, ... points are left
    in ``head`` and ``tail``.
    """
    points, total, square = len(spectrum), 0.0, 0.0
    for point in range(points):
        value = float(spectrum[point])
        total += value
        square += value * value
    for count in range(1, head.shape[1]):
        first, last = float(spectrum[count - 1]), float(spectrum[points - count])
        head[0, count] = head[0, count - 1] + first
        head[1, count] = head[1, count - 1] + first * first
        tail[0, count] = tail[0, count - 1] + last
        tail[1, count] = tail[1, count - 1] + last * last
    return total, square


@njit(**COMPILE)
def _widened(spectra, front=0, behind=0):
    """Spectra with zeros beside them and below, so that whole registers can be read."""
    rows, points = spectra.shape
    # Made here, where numba aligns arrays to whole registers, which are then read faster.
    width = front + points + behind
    width += -width % TOGETHER + TOGETHER
    wide = np.zeros((_odd(rows), width), spectra.dtype)
    wide[:rows, front : front + points] = spectra
    return wide


@njit(inline="always")
def _odd(count):
    """So many numbers or more that they fill an odd number of cache lines.

    Lines at distances of a power of two would share few places in the cache.
    """
    return count + 16 + -count % 32


@njit(**COMPILE)
def _move(queries, turn, moves, own, moved):
    """Queries at each shift, less their mean there and times twice their scale, and zero beyond.

    They are number ``turn`` and the following. Shift s brings the point p to p + s.
    """
    points = queries.shape[1]
    for row in range(len(queries)):
        for place in range(len(moves)):
            move = moves[place]
            mean, scale = own[0, place, turn + row], own[1, place, turn + row]
            query, out = queries[row, max(0, -move) :], moved[row * len(moves) + place]
            start, end = max(0, move), points + min(0, move)
            out[:start], out[end:] = 0, 0
            out = out[start:end]
            for point in range(len(out)):
                out[point] = (query[point] - mean) * 2 * scale


@njit(**COMPILE)
def _choose(
    asked, row, own, library, column, others, products, moves, points, mode, best, overlaps, out
):
    """Distances of a batch of queries, from ``row`` on, and a chunk of the library."""
    # Where the first point of a query is.
    origin = np.abs(moves).max() + TOGETHER
    rows, columns = min(BATCH, out.shape[0] - row), min(CHUNK, out.shape[1] - column)
    for k in range(0, columns, VECTOR // asked.itemsize):
        for n in range(rows):
            _compare(products, n, k, own, row + n, others, column + k, best, overlaps)
    # Queries take turns, so that a library spectrum stays in the first-level cache. No part of an
    # array is taken for a pair: to count its users takes long.
    for k in range(columns):
        for n in range(rows):
            query, other, place = row + n, column + k, best[n, k]
            mean, scale = overlaps[0, n, k], overlaps[1, n, k]
            if scale == 0:
                # Flat at every shift.
                out[query, other] = 2
                continue
            move = moves[place]
            start, end = max(0, move), points + min(0, move)
            # Both less their means and times their scales, over the scale of the library's.
            factor = own[1, place, query] / scale
            less = own[0, place, query] * factor - mean
            places = query, origin - move, library, other, start, end
            total = scale * scale * _squared(asked, *places, factor, less)
            out[query, other] = total if mode == SQUARED else total / asked.dtype.type(2)


@intrinsic
def _compare(context, products, n, k, own, row, others, column, best, overlaps):
    """The places of the best shifts for a vector of library spectra, left in ``best[n, k:]``.

    Mean and scale of their overlaps there are left in ``overlaps``; zeros where all are flat.
    In the batch and chunk of the products, query ``row`` is number n and the spectrum ``column``
    is number k. Written as LLVM's instructions, because the compiler makes masked stores of a loop
    that keeps the best in an array, which take long.
    """

    def build(context, builder, signature, arguments):
        n, k, row, column = (arguments[m] for m in (1, 2, 4, 6))
        index = column.type
        products, own, others, best, overlaps = (
            context.make_array(signature.args[m])(context, builder, arguments[m])
            for m in (0, 3, 5, 7, 8)
        )
        number = products.data.type.pointee
        register = ir.VectorType(number, VECTOR // context.get_abi_sizeof(number))
        integers = ir.VectorType(best.data.type.pointee, register.count)
        _, count, _ = cgutils.unpack_tuple(builder, own.shape)
        before, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
        builder.branch(body)
        builder.position_at_end(body)
        kinds = index, register, integers, register, register
        phis = place, value, *found = [builder.phi(kind) for kind in kinds]

        def at(array, row, kind=register, column=column):
            width = cgutils.unpack_tuple(builder, array.shape)[-1]
            place = builder.gep(array.data, [builder.add(builder.mul(row, width), column)])
            return builder.bitcast(place, kind.as_pointer())

        def load(*where):
            return builder.load(at(*where), align=PROMISED)

        of_query = builder.add(builder.mul(n, count), place)
        third = builder.add(place, builder.mul(count, index(2)))
        power = _spread(builder, load(own, third, number, row), register)
        means, scales, other_powers = (
            load(others, builder.add(place, builder.mul(count, index(m)))) for m in range(3)
        )
        # Two less the squared distance.
        alike = builder.fmul(load(products, of_query, register, k), scales)
        alike = builder.fsub(alike, builder.fadd(power, other_powers))
        better = builder.fcmp_ordered(">", alike, value)
        here = _spread(builder, _narrow(builder, place, integers.element), integers)
        following = builder.add(place, index(1))
        pairs = zip((alike, here, means, scales), (value, *found), strict=True)
        now = [builder.select(better, *pair) for pair in pairs]
        nothing = [ir.Constant(kind, None) for kind in kinds[2:]]
        lowest = ir.Constant(register, [-FAR] * register.count)
        _begin(phis, before, (index(0), lowest, *nothing))
        _begin(phis, body, (following, *now))
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        builder.position_at_end(after)
        second = builder.add(n, index(BATCH))
        to = at(best, n, integers, k), at(overlaps, n, column=k), at(overlaps, second, column=k)
        for found_now, pointer in zip(now[1:], to, strict=True):
            builder.store(found_now, pointer, align=PROMISED)
        return context.get_dummy_value()

    return types.void(products, n, k, own, row, others, column, best, overlaps), build


@intrinsic
def _squared(context, asked, row, offset, library, column, start, end, factor, less):
    """The squared distance of two rows from ``start`` to ``end``, from differences at each point.

    Point p of the library meets p + ``offset`` of the query, which is multiplied by a factor and
    made less. Written as LLVM's instructions, because the compiler's own loop is followed by
    another over the last points, one by one.
    """

    def build(context, builder, signature, arguments):
        offset, (start, end), (factor, less) = arguments[2], arguments[5:7], arguments[7:]
        index, number = start.type, factor.type
        register = ir.VectorType(number, VECTOR // context.get_abi_sizeof(number))
        factor, less = (_spread(builder, n, register) for n in (factor, builder.fneg(less)))
        rows = [_row(context, builder, signature.args[n], *arguments[n : n + 2]) for n in (0, 3)]
        rows[0] = builder.gep(rows[0], [offset])
        nothing = [ir.Constant(register, [0.0] * register.count)] * (TOGETHER // register.count)

        def added(totals, point, limits=None):
            """The totals with the next registers, of which only what lies within limits counts."""
            masks = _within(builder, point, register.count, *limits) if limits else None
            sums = []
            for n, total in enumerate(totals):
                place = builder.add(point, index(n * register.count))
                pointers = (builder.gep(row, [place]) for row in rows)
                pointers = (builder.bitcast(p, register.as_pointer()) for p in pointers)
                value, other = (builder.load(p, align=PROMISED) for p in pointers)
                value = builder.fsub(_multiplied(builder, value, factor, less), other)
                if masks:
                    value = builder.select(masks[n], value, nothing[0])
                sums.append(_multiplied(builder, value, value, total))
            return sums

        first = builder.and_(start, index(-TOGETHER))
        begun = [builder.add(first, index(TOGETHER)), *added(nothing, first, (start, end))]
        before, head, body, after = (
            builder.block,
            *(builder.append_basic_block() for _ in range(3)),
        )
        builder.branch(head)
        builder.position_at_end(head)
        point, *totals = phis = [builder.phi(value.type) for value in begun]
        following = builder.add(point, index(TOGETHER))
        builder.cbranch(builder.icmp_signed("<=", following, end), body, after)
        builder.position_at_end(body)
        _begin(phis, before, begun)
        _begin(phis, body, [following, *added(totals, point)])
        builder.branch(head)
        builder.position_at_end(after)
        return _total(builder, added(totals, point, (start, end)))

    ends = start, end, factor, less
    return asked.dtype(asked, row, offset, library, column, *ends), build


def _row(context, builder, kind, array, row):
    """Pointer to a row of an array."""
    array = context.make_array(kind)(context, builder, array)
    width = cgutils.unpack_tuple(builder, array.shape)[1]
    return builder.gep(array.data, [builder.mul(row, width)])


def _multiplied(builder, value, factor, addend):
    """Product and sum in one instruction, where the processor has it."""
    kind = value.type
    name = f"llvm.fmuladd.v{kind.count}{kind.element.intrinsic_name}"
    signature = ir.FunctionType(kind, [kind] * 3)
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, [value, factor, addend])


def _within(builder, point, lanes, start, end):
    """Which lanes of the registers from a point on lie within limits."""
    integer = ir.IntType(8 * VECTOR // lanes)
    wide = ir.VectorType(integer, lanes)
    away = [_narrow(builder, builder.sub(limit, point), integer) for limit in (start, end)]
    away = [_spread(builder, number, wide) for number in away]
    masks = []
    for n in range(0, TOGETHER, lanes):
        here = ir.Constant(wide, list(range(n, n + lanes)))
        ahead, behind = (builder.icmp_signed("<=", number, here) for number in away)
        masks.append(builder.and_(ahead, builder.not_(behind)))
    return masks


def _begin(phis, block, values):
    """Values of phi nodes where they are reached from a block."""
    for phi, value in zip(phis, values, strict=True):
        phi.add_incoming(value, block)


def _narrow(builder, number, kind):
    """An integer as one of as many bits or fewer."""
    return number if number.type == kind else builder.trunc(number, kind)


def _total(builder, totals):
    """What the lanes of all vectors add up to."""
    first, *others = totals
    for other in others:
        first = builder.fadd(first, other)
    kind = first.type
    name = f"llvm.vector.reduce.fadd.v{kind.count}{kind.element.intrinsic_name}"
    signature = ir.FunctionType(kind.element, [kind.element, kind])
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, [kind.element(0), first], fastmath=("reassoc",))


def _spread(builder, number, register):
    """A vector of a number in every lane."""
    undefined, index = ir.Constant(register, ir.Undefined), ir.IntType(32)
    value = builder.insert_element(undefined, number, index(0))
    first = ir.Constant(ir.VectorType(index, register.count), [0] * register.count)
    return builder.shuffle_vector(value, undefined, first)
