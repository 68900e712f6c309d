"""The least distance over rigid shifts, each computed from the overlap of two spectra.

No values are made up beyond the ends. A shift that brings features out of the window is therefore
not punished; the largest shift should be small against the distance of the features from the ends.

The products of a query, moved by each shift, with the library are matrix products, and mean and
scale of the overlaps make distances of them. For many pairs they are first taken at every second
shift only and in the space of the library's principal components, and those between are
interpolated. Where that is as good as the best, within what components and interpolation may be
wrong by, the products are taken of all points, so that neither the distance nor the choice has
the error of either.
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
# An overlap with less than so many roundings of a spectrum's power is flat but for rounding.
FLAT = 100
# Components of the library in which products are taken, and multiplications that pay for them.
RANK = 48
WORTHWHILE = 2e9
# Shifts from which one between them is interpolated.
TAPS = 6
# What products of components, and the interpolation, may be wrong by, either way, in standard
# deviations.
DEVIATIONS = 1.5
# Squared distances below this part of both powers are too inexact as a difference of products in
# single precision; where pairs are few or in double precision, all are taken of differences.
NEAR = 0.1
FAR = 1e30
SAMPLE = 384  # library spectra that give the components
# Queries and library spectra whose products are taken at a time, small enough for the second-level
# cache, and spectra of the library that are looked at together.
BATCH, CHUNK, BLOCK = 16, 352, 32
# Queries that are brought into the space of components at a time, as small matrices take longer.
MANY = 8 * BATCH
# Pairs whose products are taken at a time, as many as `_transposed` takes, and the bytes of a
# vector with which their sums stay in sixteen registers.
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
    basis = _basis(library, out.size * points * len(moves)) if limit >= TAPS else None
    step, reference = (1, library) if basis is None else (2, library @ basis)
    near = NEAR if step > 1 and queries.dtype == np.float32 else FAR
    own, others = (_overlaps(x, m, mode) for x, m in ((queries, moves), (library, -moves)))
    spectra = _widened(queries, limit + TOGETHER, limit), _widened(library)
    # The same side by side, for a shift to be compared of many spectra at once.
    parts = [
        np.ascontiguousarray(reference[column : column + CHUNK].T)
        for column in range(0, len(library), CHUNK)
    ]
    tables = _turned(others)
    sides = (queries, own), (library, others)
    weights, doubts = _approximation(*sides, basis, reference, moves)
    batch = min(BATCH, len(queries))
    products = np.empty((batch * len(moves[::step]), CHUNK), queries.dtype)
    counts = np.empty(CHUNK, np.int64)
    found = np.empty((batch * len(moves) + TILE, CHUNK, 2), np.int32)
    for row, seen in _seen(queries, limit, step, basis):
        for n, part in enumerate(parts):
            np.matmul(seen, part, out=products[: len(seen), : part.shape[1]])
            pairs, candidates = (row, own, n * CHUNK), (counts, found, out)
            _choose(*pairs, tables, products, step, weights, *doubts, *candidates)
            _measure(*pairs, others, *spectra, points, near, mode, *candidates)
    return out


def _seen(queries, limit, step, basis):
    """Batches of queries at every so many shifts, one below the other, or their components.

    Yields the number of the first and a matrix (queries times shifts, points or components).
    """
    many = BATCH if basis is None else MANY
    for first in range(0, len(queries), many):
        moved = _moved(queries[first : first + many], limit, step)
        if basis is not None:
            # By shift, since all queries at one are a matrix without being copied.
            moved = np.matmul(moved.swapaxes(0, 1), basis).swapaxes(0, 1)
        for row in range(0, len(moved), BATCH):
            batch = moved[row : row + BATCH]
            yield first + row, batch.reshape(-1, batch.shape[2])


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


def _approximation(asked, offered, basis, reference, moves):
    """How products at shifts left out follow from others, and how wrong those found may be.

    Both sides are spectra and what `_overlaps` found of them. The weights, shape (shifts, TAPS),
    are those of the products, less what means add to them, at every second shift from `_first` on.
    The doubt of a pair is the sum over both rows of one array (2, n) times another (2, m). All
    comes from the products of some pairs.
    """
    (queries, own), (library, others) = asked, offered
    if basis is None:
        shapes = (len(moves), TAPS), (2, len(queries)), (2, len(library))
        weights, *doubts = (np.zeros(shape, queries.dtype) for shape in shapes)
        return weights, doubts
    some, few = (slice(None, None, -(-len(x) // n)) for x, n in ((queries, 8), (library, 64)))
    moved = _moved(queries[some], len(moves) // 2, 1).reshape(-1, queries.shape[1])
    products = (moved @ basis @ reference[few].T).reshape(len(own[some]), len(moves), -1)
    missed = (moved @ library[few].T).reshape(products.shape) - products
    products -= own[some, :, 3, None] * others[few, :, 0].T
    lengths, rests = zip(
        *(_lengths(x, y) for x, y in ((queries, queries @ basis), (library, reference))),
        strict=True,
    )
    length, rest = (np.outer(x[some], y[few])[:, None] for x, y in (lengths, rests))
    weights, errors = _interpolation(products / length)
    deviations = np.std(missed / rest), np.std(errors)
    ours, theirs = (np.stack(both) for both in zip(rests, lengths, strict=True))
    ours *= DEVIATIONS * np.array(deviations, queries.dtype)[:, None]
    return weights.astype(queries.dtype), (ours, theirs)


def _lengths(spectra, parts):
    """Norms of spectra and of what their components leave, but for rounding; never 0."""
    power, part = (np.einsum("np,np->n", x, x) for x in (spectra, parts))
    rounding = FLAT * np.finfo(spectra.dtype).eps
    power = np.maximum(power, np.finfo(spectra.dtype).tiny ** 0.5)
    return np.sqrt(power), np.sqrt(np.maximum(power - part, rounding * power))


def _interpolation(products):
    """Weights (shifts, TAPS) that fit every second of products (n, shifts, m); errors."""
    shifts = products.shape[1]
    products = products.astype(float).transpose(0, 2, 1).reshape(-1, shifts)
    gram = products.T @ products
    places = np.arange(1, shifts, 2)
    first = np.array([_first(place, shifts) for place in places])
    taps = first[:, None] + np.arange(0, 2 * TAPS, 2)
    inverse = np.linalg.pinv(gram[taps[:, :, None], taps[:, None]], rcond=1e-13, hermitian=True)
    weights = np.zeros((shifts, TAPS))
    weights[places] = (inverse @ gram[taps, places[:, None]][:, :, None])[:, :, 0]
    found = np.einsum("npt,pt->np", products[:, taps], weights[places])
    return weights, found - products[:, places]


@njit(inline="always")
def _first(place, places):
    """The first of the shifts, two steps apart, from which one left out is interpolated."""
    return min(max(place - TAPS + 1, 0), places - 2 * TAPS + 1)


@njit(**COMPILE)
def _overlaps(spectra, moves, mode):
    """Mean, scale, power and sum of the points that stay on the grid; (n, shifts, 4).

    Less its mean and times its scale, an overlap is what the distance compares. The power is that
    of what is compared less one, or very great where an overlap is flat and shows nothing. Where
    the mean is not taken off, it and the sum are 0.
    """
    found = np.zeros((len(spectra), len(moves), 4), spectra.dtype)
    limit, points = abs(moves[0]), spectra.shape[1]
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
    for row in range(rows):
        for point in range(points):
            wide[row, front + point] = spectra[row, point]
    return wide


@njit(inline="always")
def _odd(count):
    """So many numbers or more that they fill an odd number of cache lines.

    Lines at distances of a power of two would share few places in the cache.
    """
    return count + 16 + -count % 32


def _moved(queries, limit, step):
    """Views of queries at every so many shifts, zero beyond, shape (n, shifts, points).

    Shift s brings the point p to p + s.
    """
    count, points = queries.shape
    wide = np.zeros((count, points + 2 * limit), queries.dtype)
    wide[:, limit : limit + points] = queries
    last, (row, point) = wide[:, 2 * limit :], wide.strides
    shape = count, 2 * limit // step + 1, points
    return np.lib.stride_tricks.as_strided(last, shape, (row, -step * point, point))


@njit(**COMPILE)
def _choose(row, own, column, tables, products, step, weights, ours, theirs, counts, found, out):
    """The shifts of a batch of queries and a chunk of the library that may be the best.

    Of each spectrum of the library so many are found as ``counts`` says, ordered by query: the
    query's number in the batch and the place of the shift.
    """
    places, rows = own.shape[1], min(BATCH, out.shape[0] - row)
    columns, kept = min(CHUNK, out.shape[1] - column), (places + step - 1) // step
    differences, values = np.empty((2, places, BLOCK), out.dtype)
    doubts, highest = np.zeros(BLOCK, out.dtype), np.empty(BLOCK, out.dtype)
    counts[:] = 0
    for begin in range(0, columns, BLOCK):
        there = column + begin
        inside = (1 << min(BLOCK, columns - begin)) - 1
        for n in range(rows):
            query = row + n
            for k in range(kept):
                place = k * step
                which = n * kept + k, begin, -own[query, place, 3], place, there
                _difference(products, tables, differences, *which)
            if step > 1:
                for place in range(1, places, 2):
                    _between(differences, weights, place, _first(place, places))
            for lane in range(min(BLOCK, columns - begin)):
                doubts[lane] = ours[0, query] * theirs[0, there + lane]
                doubts[lane] += ours[1, query] * theirs[1, there + lane]
            _values(differences, tables, own, doubts, values, highest, query, there)
            for place in range(places):
                mask = _reaching(values, highest, place) & inside
                while mask:
                    k = begin + _lowest(mask)
                    mask &= mask - 1
                    found[counts[k], k, 0], found[counts[k], k, 1] = n, place
                    counts[k] += 1


@njit(**COMPILE)
def _measure(row, own, column, others, asked, library, points, near, mode, counts, found, out):
    """The least of the distances at the shifts found, of near pairs from differences of points."""
    two, flat, middle = out.dtype.type(2), out.dtype.type(4 * FAR), own.shape[1] // 2
    sums, least = np.empty(len(found), out.dtype), np.empty(BATCH, out.dtype)
    best = np.empty(BATCH, np.int32)
    # Queries take turns, so that a library spectrum stays in the first-level cache. No part of an
    # array is taken for a pair: to count its users takes long.
    for k in range(min(CHUNK, out.shape[1] - column)):
        other, count = column + k, counts[k]
        for c in range(count, count + TILE - 1):
            found[c, k, 0], found[c, k, 1] = found[count - 1, k, 0], found[count - 1, k, 1]
        for c in range(0, count, TILE):
            _products(row, other, own, asked, library, points, k, c, found, sums)
        best[:], least[:] = 0, flat
        for c in range(count):
            n, place = found[c, k, 0], found[c, k, 1]
            product = sums[c] - own[row + n, place, 3] * others[other, place, 0]
            product *= own[row + n, place, 1] * others[other, place, 1]
            apart = own[row + n, place, 2] + others[other, place, 2] - two * product
            best[n], least[n] = (place, apart) if apart < least[n] else (best[n], least[n])
        for n in range(min(BATCH, out.shape[0] - row)):
            query, place, total = row + n, best[n], two + least[n]
            if total > FAR / 2:
                # Flat at every shift.
                out[query, other] = 2
                continue
            if total < near * (two + own[query, place, 2] + others[other, place, 2]):
                move, scale = place - middle, others[other, place, 1]
                start, end = max(0, move), points + min(0, move)
                # Both less their means and times their scales, over the scale of the library's.
                factor = own[query, place, 1] / scale
                less = own[query, place, 0] * factor - others[other, place, 0]
                places = query, middle + TOGETHER - move, library, other, start, end
                total = scale * scale * _squared(asked, *places, factor, less)
            out[query, other] = total if mode == SQUARED else total / two


@intrinsic
def _difference(context, products, tables, differences, n, begin, less, place, there):
    """Products of a query and a block of the library, less those of their means."""

    def build(context, builder, signature, arguments):
        n, begin, less, place, there = arguments[3:]
        block = ir.VectorType(less.type, BLOCK)
        products, tables, differences = _arrays(context, builder, signature, arguments, range(3))
        product = _load(builder, products, block, n, begin)
        mean = _load(builder, tables, block, place, there)
        found = _multiplied(builder, mean, _spread(builder, less, block), product)
        _store(builder, found, differences, place, place.type(0))
        return context.get_dummy_value()

    return types.void(products, tables, differences, n, begin, less, place, there), build


@intrinsic
def _between(context, differences, weights, place, first):
    """What `_difference` leaves at a shift left out, from those at others from the first on."""

    def build(context, builder, signature, arguments):
        place, first = arguments[2:]
        differences, weights = _arrays(context, builder, signature, arguments, range(2))
        number = weights.data.type.pointee
        block = ir.VectorType(number, BLOCK)
        none, total = place.type(0), ir.Constant(block, [0.0] * BLOCK)
        for m in range(TAPS):
            weight = _load(builder, weights, number, place, place.type(m))
            other = _load(builder, differences, block, builder.add(first, place.type(2 * m)), none)
            total = _multiplied(builder, other, _spread(builder, weight, block), total)
        _store(builder, total, differences, place, place.type(0))
        return context.get_dummy_value()

    return types.void(differences, weights, place, first), build


@intrinsic
def _values(context, differences, tables, own, doubts, values, highest, query, there):
    """Two less the squared distances of a query and a block of the library at all shifts.

    The most that they may be is left in ``values``; in ``highest`` the greatest that is the least
    they may be. Written as a loop, because the compiler would not keep that in registers.
    """

    def build(context, builder, signature, arguments):
        query, there = arguments[6:]
        arrays = _arrays(context, builder, signature, arguments, range(6))
        differences, tables, own, doubts, values, highest = arrays
        index, number = query.type, values.data.type.pointee
        block = ir.VectorType(number, BLOCK)
        places = cgutils.unpack_tuple(builder, tables.shape)[1]
        none = index(0)
        uncertain = _load(builder, doubts, block, none, none)
        first = builder.mul(query, places)
        outside, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
        builder.branch(body)
        builder.position_at_end(body)
        place, most = phis = [builder.phi(kind) for kind in (index, block)]
        row = builder.add(first, place)
        scale, power = (_load(builder, own, number, row, index(m)) for m in (1, 2))
        scale = builder.fadd(scale, scale)
        rows = (builder.add(place, builder.mul(places, index(m))) for m in (1, 2))
        scales, powers = (_load(builder, tables, block, row, there) for row in rows)
        scales = builder.fmul(scales, _spread(builder, scale, block))
        powers = builder.fsub(_spread(builder, builder.fneg(power), block), powers)
        product = _load(builder, differences, block, place, none)
        found = _multiplied(builder, product, scales, powers)
        doubt = builder.fmul(scales, uncertain)
        _store(builder, builder.fadd(found, doubt), values, place, none)
        # A choice between both would become a masked store, which takes long.
        least = [builder.fsub(found, doubt), most]
        least = _called(builder, "maxnum", least, ("nnan",))
        following = builder.add(place, index(1))
        _begin(phis, outside, (none, ir.Constant(block, [-4 * FAR] * BLOCK)))
        _begin(phis, body, (following, least))
        builder.cbranch(builder.icmp_signed("<", following, places), body, after)
        builder.position_at_end(after)
        _store(builder, least, highest, none, none)
        return context.get_dummy_value()

    kinds = differences, tables, own, doubts, values, highest, query, there
    return types.void(*kinds), build


@intrinsic
def _reaching(context, values, lowest, row):
    """Which of the values in a row are not lower than these, as the bits of a number."""

    def build(context, builder, signature, arguments):
        values, lowest = _arrays(context, builder, signature, arguments, range(2))
        block = ir.VectorType(values.data.type.pointee, BLOCK)
        none = arguments[2].type(0)
        value = _load(builder, values, block, arguments[2], none)
        bits = builder.fcmp_ordered(">=", value, _load(builder, lowest, block, none, none))
        return builder.zext(builder.bitcast(bits, ir.IntType(BLOCK)), ir.IntType(64))

    return types.int64(values, lowest, row), build


@intrinsic
def _lowest(context, bits):
    """The number of the lowest bit that is set."""

    def build(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(bits), build


@intrinsic
def _products(context, row, other, own, asked, library, points, k, begin, found, sums):
    """Sums of products of one spectrum of the library with some queries, each at its shift.

    Queries and library have zeros beside them. Written as LLVM's instructions, because the
    compiler would not keep the sums in registers.
    """

    def build(context, builder, signature, arguments):
        row, other, points, k, begin = (arguments[m] for m in (0, 1, 5, 6, 7))
        arrays = _arrays(context, builder, signature, arguments, (2, 3, 4, 8, 9))
        own, asked, library, found, sums = arrays
        index, integer, number = row.type, found.data.type.pointee, sums.data.type.pointee
        register = ir.VectorType(number, NARROW // context.get_abi_sizeof(number))
        shifts, chunk = (cgutils.unpack_tuple(builder, array.shape)[1] for array in (own, found))
        queries = []
        for m in range(TILE):
            pair = builder.mul(builder.add(begin, index(m)), chunk)
            pair = builder.mul(builder.add(pair, k), index(2))
            pair = builder.bitcast(
                builder.gep(found.data, [pair]), ir.VectorType(integer, 2).as_pointer()
            )
            pair = builder.load(pair, align=PROMISED)
            n, place = (
                builder.sext(builder.extract_element(pair, ir.IntType(32)(which)), index)
                for which in range(2)
            )
            # Where the query's point is that meets the library's first.
            offset = builder.sub(builder.add(shifts, index(TOGETHER - 1)), place)
            queries.append((asked, register, builder.add(row, n), offset))
        spectrum = library, register, other, index(0)

        def load(array, kind, row, start, point):
            return _load(builder, array, kind, row, builder.add(start, point))

        outside, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
        builder.branch(body)
        builder.position_at_end(body)
        point, *totals = phis = [builder.phi(kind) for kind in (index, *[register] * 2 * TILE)]
        following, sums_of = point, []
        # Two registers at a time, because a sum waits for the one before it.
        for half in (totals[:TILE], totals[TILE:]):
            value = load(*spectrum, following)
            for query, total in zip(queries, half, strict=True):
                sums_of.append(_multiplied(builder, load(*query, following), value, total))
            following = builder.add(following, index(register.count))
        nothing = ir.Constant(register, [0.0] * register.count)
        _begin(phis, outside, (index(0), *[nothing] * 2 * TILE))
        _begin(phis, body, (following, *sums_of))
        builder.cbranch(builder.icmp_signed("<", following, points), body, after)
        builder.position_at_end(after)
        halves = zip(sums_of[:TILE], sums_of[TILE:], strict=True)
        total = _added(builder, [builder.fadd(*both) for both in halves])
        _store(builder, total, sums, index(0), begin)
        return context.get_dummy_value()

    kinds = row, other, own, asked, library, points, k, begin, found, sums
    return types.void(*kinds), build


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
        both = _arrays(context, builder, signature, arguments, (0, 3))
        rows = [(array, register, arguments[n]) for array, n in zip(both, (1, 4), strict=True)]
        nothing = [ir.Constant(register, [0.0] * register.count)] * (TOGETHER // register.count)

        def added(totals, point, limits=None):
            """The totals with the next registers, of which only what lies within limits counts."""
            masks = _within(builder, point, register.count, *limits) if limits else None
            sums = []
            for n, total in enumerate(totals):
                place = builder.add(point, index(n * register.count))
                value = _load(builder, *rows[0], builder.add(place, offset))
                other = _load(builder, *rows[1], place)
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


def _arrays(context, builder, signature, arguments, numbers):
    """Some of the arguments, which are arrays."""
    return [context.make_array(signature.args[n])(context, builder, arguments[n]) for n in numbers]


def _at(builder, array, kind, row, column):
    """Pointer into a row of an array; rows of leading dimensions are counted on."""
    place = builder.mul(row, cgutils.unpack_tuple(builder, array.shape)[-1])
    place = builder.add(place, column)
    return builder.bitcast(builder.gep(array.data, [place]), kind.as_pointer())


def _load(builder, array, kind, row, column):
    """A vector, or a number, from a place in an array."""
    return builder.load(_at(builder, array, kind, row, column), align=PROMISED)


def _store(builder, value, array, row, column):
    """Leave a vector at a place in an array."""
    builder.store(value, _at(builder, array, value.type, row, column), align=PROMISED)


def _multiplied(builder, value, factor, addend):
    """Product and sum in one instruction, where the processor has it."""
    return _called(builder, "fmuladd", [value, factor, addend])


def _called(builder, name, values, flags=()):
    """An instruction of LLVM's that takes vectors of one kind and gives one."""
    kind = values[0].type
    name = f"llvm.{name}.v{kind.count}{kind.element.intrinsic_name}"
    signature = ir.FunctionType(kind, [kind] * len(values))
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, values, fastmath=flags)


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
