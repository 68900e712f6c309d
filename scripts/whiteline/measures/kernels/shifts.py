"""The least distance over rigid shifts, each computed from the overlap of two spectra.

No values are made up beyond the ends. A shift that brings features out of the window is therefore
not punished; the largest shift should be small against the distance of the features from the ends.

The products of a query, moved by each shift, with the library are matrix products, and mean and
scale of the overlaps make distances of them. For many pairs they are first taken at every second
shift only and in the space of the library's principal components. That tells where the best shift
lies: it is the best of these or the one beside it, on the side of its better neighbour. A second
peak that is nearly as high is tried too. There the products are taken of all points, so that
neither the distance nor the choice between neighbours has the error of the components.
"""

from __future__ import annotations

import itertools

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
# An overlap with less than so many roundings of a spectrum's power is flat but for rounding.
FLAT = 100
# Components of the library in which products are taken, and multiplications that pay for them.
RANK = 56
WORTHWHILE = 2e9
# A second peak is tried if its cosine is less by no more than this, or its product by this part of
# the query's power.
AMBIGUOUS = 0.01
# Squared distances below this part of both powers are too inexact as a difference of products in
# single precision; where pairs are few or in double precision, all are taken of differences.
NEAR = 0.1
FAR = 1e30
SAMPLE = 384  # library spectra that give the components
# Queries whose products with a chunk of the library are taken at a time, and those that meet the
# chunk while it is in the second-level cache; an odd number of cache lines, see `_odd`.
BATCH, TURN, CHUNK = 8, 32, 352
# Spectra of the library whose products with a query are taken at a time, as many as `_transposed`
# takes, and the bytes of a vector with which their sums stay in sixteen registers.
TILE, NARROW = 4, 32
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
    points, moves = queries.shape[1], np.arange(-limit, limit + 1)
    basis = _basis(library, out.size * points * len(moves)) if limit else None
    step, reference = (1, library) if basis is None else (2, library @ basis)
    near = NEAR if step > 1 and queries.dtype == np.float32 else FAR
    own, others = (_overlaps(x, m, mode) for x, m in ((queries, moves), (library, -moves)))
    spectra = _widened(queries, limit + TOGETHER, limit), _widened(library)
    # The same side by side, for a shift to be compared of many spectra at once.
    columns, tables = np.ascontiguousarray(reference.T), _turned(others)
    chosen = moves[::step]
    moved = np.zeros((min(TURN, len(queries)) * len(chosen), points), queries.dtype)
    products = np.empty((BATCH * len(chosen), CHUNK), queries.dtype)
    alike = np.empty((BATCH, CHUNK), queries.dtype)
    best, second = np.empty((2, BATCH, CHUNK), f"i{queries.itemsize}")
    for turn in range(0, len(queries), TURN):
        some = queries[turn : turn + TURN]
        _move(some, chosen, moved)
        seen = moved[: len(some) * len(chosen)]
        seen = seen if basis is None else seen @ basis
        parts = range(0, len(library), CHUNK), range(0, len(some), BATCH)
        for column, row in itertools.product(*parts):
            batch = seen[row * len(chosen) : (row + BATCH) * len(chosen)]
            part = columns[:, column : column + CHUNK]
            np.matmul(batch, part, out=products[: len(batch), : part.shape[1]])
            pairs, found = (turn + row, own, column), (best, alike, out)
            _choose(*pairs, tables, products, step, second, *found)
            if step > 1:
                _refine(*pairs, others, *spectra, points, second, *found)
            _measure(*pairs, others, *spectra, points, near, mode, *found)
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
    """Mean, scale, power and sum of the points that stay on the grid; (n, shifts, 4).

    Less its mean and times its scale, an overlap is what the distance compares. The power is that
    of what is compared less one, or very great where an overlap is flat and shows nothing. Where
    the mean is not taken off, it and the sum are 0.
    """
    found = np.zeros((len(spectra), len(moves), 4), spectra.dtype)
    limit, points = np.abs(moves).max(), spectra.shape[1]
    rounding = np.finfo(spectra.dtype).eps
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
                flat = square <= FLAT * rounding
                scale, power = (0.0, FAR) if flat else (1 / np.sqrt(square), 0.0)
            found[row, place, 0], found[row, place, 1] = mean, scale
            found[row, place, 2], found[row, place, 3] = power, mean * count
    return found


@njit(inline="always")
def _lost(spectrum, head, tail):
    """Sum and sum of squares of a spectrum; those of its first and last 0, 1, ... points are left
    in ``head`` and ``tail``.
    """
    points, total, square = len(spectrum), 0.0, 0.0
    for point in range(points):
        value = np.float64(spectrum[point])
        total += value
        square += value * value
    for count in range(1, head.shape[1]):
        first, last = np.float64(spectrum[count - 1]), np.float64(spectrum[points - count])
        head[0, count] = head[0, count - 1] + first
        head[1, count] = head[1, count - 1] + first * first
        tail[0, count] = tail[0, count - 1] + last
        tail[1, count] = tail[1, count - 1] + last * last
    return total, square


def _turned(overlaps):
    """Mean, scale and power of spectra, side by side; (3, shifts, n) and beyond, zero there."""
    count, shifts, _ = overlaps.shape
    found = np.zeros((3, shifts, _odd(count)), overlaps.dtype)
    found[:, :, :count] = overlaps[:, :, :3].T
    return found


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
def _move(queries, moves, moved):
    """Queries at each shift, zero beyond. Shift s brings the point p to p + s."""
    points = queries.shape[1]
    for row in range(len(queries)):
        for place in range(len(moves)):
            move, out = moves[place], moved[row * len(moves) + place]
            start, end = max(0, move), points + min(0, move)
            out[:start], out[end:] = 0, 0
            out[start:end] = queries[row, start - move : end - move]


@njit(**COMPILE)
def _choose(row, own, column, tables, products, step, second, best, alike, out):
    """The best of every so many shifts, of a batch of queries and a chunk of the library.

    Its place among all shifts, or the one before if that is on its better side and was left out,
    is left in ``best``; in ``second`` the same of another peak that is nearly as high, or -1; in
    ``alike`` two less the squared distance at the best, or very little where all are flat.
    """
    for k in range(0, min(CHUNK, out.shape[1] - column), VECTOR // best.itemsize):
        for n in range(min(BATCH, out.shape[0] - row)):
            places = products, n, k, own, row + n, tables, column + k, step
            _compare(*places, best, second, alike)


@njit(**COMPILE)
def _refine(row, own, column, others, asked, library, points, second, best, alike, out):
    """The better of the shifts found and the one after it, from products of all points.

    Spectra of the library for which the same shifts were found are taken together.
    """
    rows, columns = min(BATCH, out.shape[0] - row), min(CHUNK, out.shape[1] - column)
    places = own.shape[1] - 1
    starts, order = np.empty(places + 1, np.int64), np.empty(2 * CHUNK + TILE, np.int64)
    for n in range(rows):
        _sort(best[n, :columns], second[n, :columns], starts, order)
        alike[n] = -FAR
        for place in range(places):
            for begin in range(starts[place], starts[place + 1], TILE):
                several = order, begin, asked, library, points
                _better(row + n, own, column, others, n, place, *several, best, alike)


@njit(inline="always")
def _sort(places, seconds, starts, order):
    """Numbers of the entries by place, and where those of each place start.

    An entry may have a second place. The last numbers are repeated, so that several can be read
    from any on.
    """
    starts[:] = 0
    for k in range(len(places)):
        starts[places[k] + 1] += 1
        if seconds[k] >= 0:
            starts[seconds[k] + 1] += 1
    for place in range(1, len(starts)):
        starts[place] += starts[place - 1]
    count = starts[-1]
    for k in range(len(places)):
        order[starts[places[k]]] = k
        starts[places[k]] += 1
        if seconds[k] >= 0:
            order[starts[seconds[k]]] = k
            starts[seconds[k]] += 1
    for place in range(len(starts) - 1, 0, -1):
        starts[place] = starts[place - 1]
    starts[0] = 0
    order[count:] = order[count - 1]


@njit(**COMPILE)
def _measure(row, own, column, others, asked, library, points, near, mode, best, alike, out):
    """Distances at the shifts found, of near pairs from the differences of their points."""
    limit = own.shape[1] // 2
    # Queries take turns, so that a library spectrum stays in the first-level cache. No part of an
    # array is taken for a pair: to count its users takes long.
    for k in range(min(CHUNK, out.shape[1] - column)):
        for n in range(min(BATCH, out.shape[0] - row)):
            query, other, place = row + n, column + k, best[n, k]
            total = 2 - alike[n, k]
            if total > FAR / 2:
                # Flat at every shift.
                out[query, other] = 2
                continue
            power = 2 + own[query, place, 2] + others[other, place, 2]
            if total < near * power:
                mean, scale = others[other, place, 0], others[other, place, 1]
                move = place - limit
                start, end = max(0, move), points + min(0, move)
                # Both less their means and times their scales, over the scale of the library's.
                factor = own[query, place, 1] / scale
                less = own[query, place, 0] * factor - mean
                places = query, limit + TOGETHER - move, library, other, start, end
                total = scale * scale * _squared(asked, *places, factor, less)
            out[query, other] = total if mode == SQUARED else total / asked.dtype.type(2)


@intrinsic
def _compare(context, products, n, k, own, row, tables, column, step, best, second, alike):
    """What `_choose` finds, for one query and a vector of library spectra, from number k on.

    In the batch and chunk of the products, query ``row`` is number n and the spectrum ``column``
    is number k. Written as LLVM's instructions, because the compiler makes masked stores of a loop
    that keeps the best in an array, which take long.
    """

    def build(context, builder, signature, arguments):
        n, k, row, column, step = (arguments[m] for m in (1, 2, 4, 6, 7))
        index = column.type
        products, own, tables, best, second, alike = (
            context.make_array(signature.args[m])(context, builder, arguments[m])
            for m in (0, 3, 5, 8, 9, 10)
        )
        number = products.data.type.pointee
        register = ir.VectorType(number, VECTOR // context.get_abi_sizeof(number))
        integers = ir.VectorType(best.data.type.pointee, register.count)
        lowest = ir.Constant(register, [-FAR] * register.count)
        none = ir.Constant(integers, None)
        _, count, each = cgutils.unpack_tuple(builder, own.shape)
        own = builder.gep(own.data, [builder.mul(row, builder.mul(count, each))])
        # Products of one query follow those of the one before it.
        first = builder.sdiv(builder.add(count, builder.sub(step, index(1))), step)
        first = builder.mul(n, first)

        def at(array, row, kind=register, column=k):
            width = cgutils.unpack_tuple(builder, array.shape)[-1]
            place = builder.gep(array.data, [builder.add(builder.mul(row, width), column)])
            return builder.bitcast(place, kind.as_pointer())

        def load(*where, **column):
            return builder.load(at(*where, **column), align=PROMISED)

        def spread(number):
            return _spread(builder, number, register)

        outside, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
        builder.branch(body)
        builder.position_at_end(body)
        kinds = index, index, *[register] * 4, *[integers] * 2
        phis = product, place, before, last, *found = [builder.phi(kind) for kind in kinds]
        found = found[:2], found[2:]
        of_query = builder.gep(own, [builder.mul(place, each)])
        scale, power, total = (builder.load(builder.gep(of_query, [index(m)])) for m in (1, 2, 3))
        mean, scales, powers = (
            load(tables, builder.add(place, builder.mul(count, index(m))), column=column)
            for m in range(3)
        )
        less = spread(builder.fneg(total))
        now = _multiplied(builder, mean, less, load(products, product))
        scales = builder.fmul(spread(builder.fadd(scale, scale)), scales)
        powers = builder.fsub(spread(builder.fneg(power)), powers)
        now = _multiplied(builder, now, scales, powers)
        now = builder.select(builder.fcmp_ordered(">", now, lowest), now, lowest)
        three = before, last, now
        values, places = _peaks(builder, builder.sub(place, step), step, three, *found)
        following = builder.add(place, step)
        state = builder.add(product, index(1)), following, last, now, *values, *places
        _begin(phis, outside, (first, index(0), *[lowest] * 4, none, none))
        _begin(phis, body, state)
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        builder.position_at_end(after)
        three = last, now, lowest
        values, places = _peaks(builder, place, step, three, values, places)
        gap = builder.fadd(power, ir.Constant(number, 1))
        gap = spread(builder.fmul(gap, ir.Constant(number, 2 * AMBIGUOUS)))
        places = _tried(builder, values, places, builder.sub(count, step), gap)
        builder.store(places[0], at(best, n, integers), align=PROMISED)
        builder.store(places[1], at(second, n, integers), align=PROMISED)
        builder.store(values[0], at(alike, n), align=PROMISED)
        return context.get_dummy_value()

    kinds = products, n, k, own, row, tables, column, step, best, second, alike
    return types.void(*kinds), build


def _peaks(builder, place, step, three, values, places):
    """Values and places of both highest peaks, after the middle one of three has been looked at.

    It stood at ``place``; of a peak, the place before that is kept where its better neighbour lies
    there and was left out by the step.
    """
    before, value, behind = three
    integers = places[0].type
    gap, place = (
        _spread(builder, _narrow(builder, number, integers.element), integers)
        for number in (builder.sub(step, step.type(1)), place)
    )
    left = builder.fcmp_ordered(">", before, behind)
    place = builder.sub(place, builder.select(left, gap, ir.Constant(integers, None)))
    rises = builder.fcmp_ordered(">", value, before)
    peak = builder.and_(rises, builder.fcmp_ordered("<=", behind, value))
    best, second = (
        builder.and_(peak, builder.fcmp_ordered(">", value, former)) for former in values
    )
    kept = []
    for new, (one, two) in ((value, values), (place, places)):
        two = builder.select(best, one, builder.select(second, new, two))
        kept.append((builder.select(best, new, one), two))
    return kept


def _tried(builder, values, places, last, gap):
    """Places of both highest peaks, the second -1 where it is lower by more than the gap.

    None is beyond ``last``, the last place that a pair of shifts can begin at.
    """
    integers = places[0].type
    last = _spread(builder, _narrow(builder, last, integers.element), integers)
    places = [
        builder.select(builder.icmp_signed("<", place, last), place, last) for place in places
    ]
    near = builder.fcmp_ordered(">", values[1], builder.fsub(values[0], gap))
    nothing = ir.Constant(integers, [-1] * integers.count)
    return places[0], builder.select(near, places[1], nothing)


@intrinsic
def _better(
    context, row, own, column, others, n, place, order, begin, asked, library, points, best, alike
):
    """Try two shifts of a query, ``place`` and the next, for some spectra of the library.

    Where they are better than what is in ``alike``, they are left there and in ``best``. Queries
    and library have zeros beside them. Written as LLVM's instructions, because the compiler would
    not keep the products in registers.
    """

    def build(context, builder, signature, arguments):
        row, column, n, place, begin, points = (arguments[m] for m in (0, 2, 4, 5, 7, 10))
        index, lanes = place.type, [ir.IntType(32)(m) for m in range(2 * TILE)]
        own, others, order, best, alike = (
            context.make_array(signature.args[m])(context, builder, arguments[m])
            for m in (1, 3, 6, 11, 12)
        )
        number = alike.data.type.pointee
        register = ir.VectorType(number, NARROW // context.get_abi_sizeof(number))
        some, both = ir.VectorType(number, TILE), ir.VectorType(number, 8)
        _, shifts, each = cgutils.unpack_tuple(builder, own.shape)

        def load(pointer, kind):
            return builder.load(builder.bitcast(pointer, kind.as_pointer()), align=PROMISED)

        def table(array, row):
            """Mean, scale, power and sum at both shifts."""
            first = builder.mul(builder.add(builder.mul(row, shifts), place), each)
            return load(builder.gep(array.data, [first]), both)

        entries = (builder.gep(order.data, [builder.add(begin, index(m))]) for m in range(TILE))
        entries = [builder.load(entry) for entry in entries]
        numbers = [builder.add(column, entry) for entry in entries]
        spectra = [_row(context, builder, signature.args[9], arguments[9], m) for m in numbers]
        # Where the query's point is that meets the library's first.
        offset = builder.sub(builder.add(shifts, index(TOGETHER - 1)), place)
        query = _row(context, builder, signature.args[8], arguments[8], row)
        sums = _products(builder, builder.gep(query, [offset]), spectra, points, register)
        of_query = table(own, row)
        of_query = [
            _spread(builder, builder.extract_element(of_query, lane), some) for lane in lanes
        ]
        of_others = _transposed(builder, [table(others, m) for m in numbers])
        found = [
            _alike(builder, sums[first : first + TILE], of_query[first:], of_others[first:])
            for first in (0, TILE)
        ]
        later = builder.fcmp_ordered(">", found[1], found[0])
        found = builder.select(later, found[1], found[0])
        width = cgutils.unpack_tuple(builder, alike.shape)[1]
        for lane, entry in zip(lanes, entries, strict=False):
            here = builder.add(builder.mul(n, width), entry)
            pointers = [builder.gep(array.data, [here]) for array in (alike, best)]
            value = builder.extract_element(found, lane)
            shift = builder.add(place, builder.zext(builder.extract_element(later, lane), index))
            new = value, _narrow(builder, shift, best.data.type.pointee)
            old = [builder.load(pointer) for pointer in pointers]
            better = builder.fcmp_ordered(">", value, old[0])
            for pointer, pair in zip(pointers, zip(new, old, strict=True), strict=True):
                builder.store(builder.select(better, *pair), pointer)
        return context.get_dummy_value()

    pairs = row, own, column, others, n, place
    several = order, begin, asked, library, points
    return types.void(*pairs, *several, best, alike), build


def _products(builder, query, spectra, points, register):
    """Sums of products of a query and some spectra, then those with the query a point later."""
    index = points.type
    outside, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
    builder.branch(body)
    builder.position_at_end(body)
    point, *totals = phis = [builder.phi(kind) for kind in (index, *[register] * 2 * TILE)]

    def load(row, point):
        pointer = builder.bitcast(builder.gep(row, [point]), register.as_pointer())
        return builder.load(pointer, align=PROMISED)

    sums, values = [], [load(spectrum, point) for spectrum in spectra]
    for later in range(2):
        asked = load(query, builder.sub(point, index(later)))
        pairs = zip(values, totals[later * TILE :], strict=False)
        sums += [_multiplied(builder, asked, *pair) for pair in pairs]
    following = builder.add(point, index(register.count))
    nothing = ir.Constant(register, [0.0] * register.count)
    _begin(phis, outside, (index(0), *[nothing] * 2 * TILE))
    _begin(phis, body, (following, *sums))
    builder.cbranch(builder.icmp_signed("<", following, points), body, after)
    builder.position_at_end(after)
    return sums


def _alike(builder, sums, of_query, of_others):
    """Two less the squared distances of a query and some spectra, from sums of products."""
    (_, scale, power, total), (mean, scales, powers, _) = of_query[:4], of_others[:4]
    product = builder.fsub(_added(builder, sums), builder.fmul(total, mean))
    scale = builder.fmul(scale, scales)
    product = builder.fmul(builder.fadd(scale, scale), product)
    return builder.fsub(product, builder.fadd(power, powers))


def _transposed(builder, rows):
    """The lanes of four vectors, side by side."""

    def lanes(one, two, which):
        which = ir.Constant(ir.VectorType(ir.IntType(32), len(which)), which)
        return builder.shuffle_vector(one, two, which)

    count = rows[0].type.count
    mixed = [lane for m in range(count) for lane in (m, count + m)]
    found = []
    for part in (mixed[:count], mixed[count:]):
        pairs = [lanes(*rows[m : m + 2], part) for m in (0, 2)]
        for m in range(0, count, 2):
            found.append(lanes(*pairs, [m, m + 1, count + m, count + m + 1]))
    return found


def _added(builder, vectors):
    """What the lanes of each of four vectors add up to, as a vector."""
    total, *columns = _transposed(builder, vectors)
    for column in columns:
        total = builder.fadd(total, column)
    return total


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
