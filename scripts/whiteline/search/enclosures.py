"""Many library spectra warped at once, as an interval at every point that holds them all.

Spectra that are alike stand together: in fours, four fours in a group, four groups in a family. An
interval runs from the least to the greatest value of some spectra at a point. Warping a query onto
intervals, with excursions out of them for differences, costs no more than warping it onto any of
the spectra, because that holds along every path. So groups are warped first, then the fours of
groups that are left, then the spectra of fours that are left, always four of one parent together.

Where the library hardly changes from point to point, an envelope is not much wider than the
interval, or the spectrum. Such points at both ends are not warped; excursions out of envelopes are
summed there (see `whiteline.search.dtw`), and paths between begin and end anywhere in the band.

Costs are integers of 16 bits, so that there are as many as possible in a register. Spectra are
integers in units of a step, times a factor of the query, modulo 2^16; a difference is taken to be
the least that it can be, so never too great. A cell costs the square of it over 2^16, rounded
down, and sums stop at the greatest integer; the factor is such that limits are just below.

Margin. Spectra and queries are rounded to integers, the former times the factor f down once more.
That makes a difference greater by less than f / 2 + 2, and an excursion too, as intervals are
rounded outwards. A path has fewer than 2 points cells. So the root of the least cost, times 2^8,
is at most f d / step + (f / 2 + 2) sqrt(2 points), where d is the distance. Roots in float64 and
bounds in float32 are rounded by less than the last factors.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from scipy.ndimage import maximum_filter1d, minimum_filter1d

# Spectra in a group and groups in a family; on each level four of one parent are warped together.
GROUP, FOUR = 16, 4
FAMILY = GROUP * FOUR
# So many spectra at most are put together in pairs: the time goes by the square.
PART = 512
# Lanes of a tile, and what is warped together in it.
LANES, PARENTS = 32, 8
# Integers that stand for the range of the library.
STEPS = 65000
# The greatest cost that is kept, and what stands for none.
MOST, NONE = 65534, 65535
# What is added to half widths that are multiplied.
OUTSIDE = 2
# Points are steady, where the band widens the mean interval of groups, or spectra, by no more than
# this part of the library's range; and so many spectra that are looked at, or laid out, at a time.
STEADY, STILL = 0.008, 0.001
MANY = 4096
# The cost of a limit, at most, and the greatest factor: with a greater one, intervals could cover
# all integers.
AIM, GREATEST = 60000, 5


class Enclosures:
    """A library in order of likeness and its intervals.

    Parameters
    ----------
    library
        Spectra, shape (m, points).
    coordinates
        Some numbers of each by which they are compared, shape (m, d).
    band
        Points by which those that meet may differ.

    Attributes
    ----------
    group_of
        The group of each spectrum, shape (m,).
    low, high
        Envelopes of the groups, each (groups, points).
    groups, fours, spectra
        Middles and half widths of each, in steps, as `_interleaved` lays them out, and the first
        point of a query that is warped, and the one after the last.
    """

    def __init__(self, library: np.ndarray, coordinates: np.ndarray, band: int) -> None:
        self.band, self.size = band, len(library)
        self.columns = _alike(coordinates, np.arange(len(library)))
        self.group_of = np.empty(len(library), dtype=np.int64)
        self.group_of[self.columns] = np.arange(len(self.columns)) // GROUP
        spectra = library[self.columns]
        self._least, self.step = library.min(), np.ptp(library) / STEPS
        ends, some = _ends(spectra, GROUP), spectra[:: -(-len(spectra) // MANY)]
        self.low, self.high = _envelope(*ends, band)
        rows, own = (
            _changing(*each, band, part * np.ptp(library))
            for each, part in ((ends, STEADY), ((some, some), STILL))
        )
        self.groups = self._intervals(*ends, rows)
        self.fours = self._intervals(*_ends(spectra, FOUR), rows)
        self.spectra = self._intervals(spectra, spectra, own)

    def in_steps(self, spectra: np.ndarray) -> np.ndarray:
        """Spectra in steps from the library's least value."""
        return (spectra - self._least) / self.step

    def _intervals(
        self, low: np.ndarray, high: np.ndarray, rows: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        """Middles and half widths of intervals for points that are warped, then of envelopes for
        the others; the rows that are warped.
        """
        (first, last), laid_out = rows, []
        columns = slice(max(first - self.band, 0), last + self.band)
        for start in range(0, len(low), MANY):
            ends = low[start : start + MANY], high[start : start + MANY]
            bottom, top = (
                self.in_steps(np.hstack([end[:, columns], wide[:, :first], wide[:, last:]]))
                for end, wide in zip(ends, _envelope(*ends, self.band), strict=True)
            )
            # The middle of a single spectrum is what it is rounded to.
            middle = np.rint((bottom + top) / 2)
            half = np.ceil(np.maximum(top - middle, middle - bottom))
            laid_out.append([_interleaved(part) for part in (middle, half)])
        return *(np.concatenate(parts) for parts in zip(*laid_out, strict=True)), rows


class Descent:
    """Queries on their way from groups to spectra.

    Parameters
    ----------
    enclosures
        Those of the library.
    queries
        Shape (n, points).
    limits
        Distances beyond which nothing matters, of each group, shape (n, groups).
    near
        Groups that may be nearer, (n, groups).
    block_edges
        Blocks of columns (see `whiteline.search.selection`).

    Attributes
    ----------
    bounds
        Lower bounds of distances (n, m) in single precision, infinite where they aren't known yet
        or are above the limit of the group.
    lowest
        The least of each block, (n, blocks), kept as bounds come: nearly all stay infinite.
    """

    def __init__(
        self,
        enclosures: Enclosures,
        queries: np.ndarray,
        limits: np.ndarray,
        near: np.ndarray,
        block_edges: np.ndarray,
    ) -> None:
        self._enclosures = enclosures
        greatest = np.max(limits, axis=1, where=np.isfinite(limits), initial=0) / enclosures.step
        cells = np.sqrt(2 * queries.shape[1])
        factor = (2**8 * AIM**0.5 - 2 * cells) / (greatest + cells / 2)
        whole = (np.clip(factor, 2.0**-16, GREATEST) * 2**16).astype(np.int64)
        self._factor = whole / 2**16
        self._slip = (self._factor / 2 + 2) * cells
        values = np.rint(enclosures.in_steps(queries) * self._factor[:, None]).astype(np.int64)
        self._queries = (
            (values % 2**16).astype(np.uint16),
            np.stack([whole // 2**16, whole % 2**16], axis=1).astype(np.uint16),
            # A half width of this or more covers all that an integer can differ.
            np.minimum(2**31 // whole + 1, 2**16 - 1).astype(np.uint16),
        )
        self._groups = np.full(limits.shape, NONE, dtype=np.uint16)
        self._fours = np.full((len(limits), FOUR * limits.shape[1]), NONE, dtype=np.uint16)
        self._block_of = np.repeat(np.arange(len(block_edges) - 1), np.diff(block_edges))
        self.bounds = np.full((len(limits), enclosures.size), np.inf, dtype=np.float32)
        self.lowest = np.full((len(limits), len(block_edges) - 1), np.inf, dtype=np.float32)
        _begin(*self._queries, enclosures.groups, enclosures.band, near, self._groups)

    def further(self, limits: np.ndarray, most: int) -> None:
        """Part so many more of the most promising groups, and so many more fours."""
        enclosures = self._enclosures
        with np.errstate(over="ignore"):
            root = limits * ((1 + 1e-9) * self._factor / enclosures.step)[:, None]
            cost = (root + self._slip[:, None]) ** 2 / 2**16
        _further(
            *self._queries,
            enclosures.fours,
            enclosures.spectra,
            enclosures.columns,
            enclosures.band,
            np.minimum(cost + 1, MOST).astype(np.uint16),
            (self._groups, self._fours),
            most,
            self._slip,
            enclosures.step / self._factor,
            self.bounds,
            self._block_of,
            self.lowest,
        )


def _alike(coordinates: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows in such an order that those in one family, group or four are alike.

    They are parted again and again, across the direction in which they differ most at first and
    then across that between the means of both halves, a few times (k-means of equal halves). Then
    parts are put together from pairs, pairs of pairs and so on, by which intervals of fours are a
    fifth narrower than by halves alone. The last family is filled up with repetitions of a row.
    """
    if len(rows) <= PART:
        rows = np.pad(rows, (0, -len(rows) % FAMILY), mode="edge")
        return rows[_nested(coordinates[rows])]
    spread = coordinates[rows] - coordinates[rows].mean(axis=0)
    direction = spread[np.argmax((spread**2).sum(axis=1))]
    for _ in range(8):
        direction = spread.T @ (spread @ direction)
        direction /= max(np.linalg.norm(direction), 1e-300)
    half = FAMILY * max(1, round(len(rows) / FAMILY / 2))
    for _ in range(8):
        order = np.argsort(spread @ direction, kind="stable")
        halves = order[:half], order[half:]
        direction = np.subtract(*(spread[part].mean(axis=0) for part in halves))
    return np.concatenate([_alike(coordinates, rows[part]) for part in halves])


def _nested(low: np.ndarray) -> np.ndarray:
    """Numbers of some families of spectra, (n, d), in pairs, those in pairs and so on, so that the
    intervals are narrow that hold what stands together.
    """
    high, members = low, np.arange(len(low))[:, None]
    while members.shape[1] < FAMILY:
        widths = _widths(low, high)
        pairs = _paired(widths, np.argsort(widths, axis=None))
        low = np.minimum(*(low[pairs[:, n]] for n in (0, 1)))
        high = np.maximum(*(high[pairs[:, n]] for n in (0, 1)))
        members = members[pairs].reshape(len(pairs), -1)
    return members.ravel()


@njit(cache=True)
def _widths(low, high):
    """How wide intervals are that hold two of some (n, d), summed, shape (n, n)."""
    widths = np.empty((len(low), len(low)))
    for one in range(len(low)):
        for other in range(len(low)):
            total = 0.0
            for axis in range(low.shape[1]):
                top = max(high[one, axis], high[other, axis])
                total += top - min(low[one, axis], low[other, axis])
            widths[one, other] = total
    return widths


@njit(cache=True)
def _paired(widths, order):
    """Pairs of an even number of intervals, shape (n / 2, 2), that are held by narrow ones.

    ``order`` is that of all widths (n, n). The narrowest are chosen first; then two pairs change
    partners while that is better.
    """
    count = len(widths)
    mate = np.full(count, -1)
    for place in order:
        one, other = place // count, place % count
        if one != other and mate[one] < 0 and mate[other] < 0:
            mate[one], mate[other] = other, one
    better = True
    while better:
        better = False
        for one in range(count):
            for other in range(count):
                first, second = mate[one], mate[other]
                if other in (one, first):
                    continue
                now = widths[one, first] + widths[other, second]
                if widths[one, other] + widths[first, second] < now * (1 - 1e-12):
                    mate[one], mate[other] = other, one
                    mate[first], mate[second] = second, first
                    better = True
    found = np.empty((count // 2, 2), np.int64)
    place = 0
    for one in range(count):
        if one < mate[one]:
            found[place, 0], found[place, 1] = one, mate[one]
            place += 1
    return found


def _ends(spectra: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest values of every ``size`` spectra."""
    parts = spectra.reshape(-1, size, spectra.shape[1])
    return parts.min(axis=1), parts.max(axis=1)


def _envelope(low: np.ndarray, high: np.ndarray, band: int) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest values in the band around every point."""
    width = 2 * band + 1
    return (
        minimum_filter1d(low, width, axis=1, mode="nearest"),
        maximum_filter1d(high, width, axis=1, mode="nearest"),
    )


def _changing(low: np.ndarray, high: np.ndarray, band: int, most: float) -> tuple[int, int]:
    """The first point at which the band widens the mean interval by more than ``most``, and the
    one after the last.
    """
    wide = _envelope(low, high, band)
    more = (np.subtract(*wide[::-1]) - (high - low)).mean(axis=0)
    places = np.flatnonzero(more > most)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)


def _interleaved(rows: np.ndarray) -> np.ndarray:
    """Every four rows of integers (n, points) as one of 64 bits, filled up by zeros to as many
    points as `_fill` takes at a time, shape (n / 4, filled).
    """
    rows = np.pad(rows.astype(np.uint16), ((0, 0), (0, -rows.shape[1] % PARENTS)))
    parts = rows.reshape(-1, FOUR, rows.shape[1])
    return np.ascontiguousarray(parts.transpose(0, 2, 1)).view(np.uint64)[:, :, 0]


@njit(cache=True, nogil=True)
def _begin(queries, factors, caps, intervals, band, near, groups):
    """Costs of groups in families that have one that is near; ``groups`` (n, groups)."""
    tiles = _tiles(queries.shape[1], band)
    families = np.empty(groups.shape[1] // FOUR, np.int64)
    found = np.empty(FOUR * len(families) + LANES, np.uint16)
    for row in range(len(queries)):
        count = 0
        for family in range(len(families)):
            families[count] = family
            one = False
            for group in range(FOUR * family, FOUR * (family + 1)):
                one |= near[row, group]
            count += one
        chosen = families[:count]
        scaled = queries[row], factors[row], caps[row]
        _warp(*scaled, *intervals, False, chosen, band, tiles, found)
        _lay_out(chosen, found, groups[row])


@njit(cache=True, nogil=True)
def _further(
    queries,
    factors,
    caps,
    intervals,
    spectra,
    columns,
    band,
    limits,
    waiting,
    most,
    slip,
    step,
    bounds,
    block_of,
    lowest,
):
    tiles = _tiles(queries.shape[1], band)
    chosen = np.empty(len(spectra[0]), np.int64)
    found = np.empty(FOUR * len(spectra[0]) + LANES, np.uint16)
    groups, fours = waiting
    for row in range(len(queries)):
        scaled, limit = (queries[row], factors[row], caps[row]), limits[row]
        parents = _take(groups[row], limit, 1, most, chosen)
        _warp(*scaled, *intervals, False, parents, band, tiles, found)
        _lay_out(parents, found, fours[row])
        parents = _take(fours[row], limit, FOUR, most, chosen)
        _warp(*scaled, *spectra, True, parents, band, tiles, found)
        for place in range(FOUR * len(parents)):
            parent, number = parents[place // FOUR], FOUR * parents[place // FOUR] + place % FOUR
            if found[place] <= limit[parent // FOUR]:
                root = max(2**8 * np.sqrt(np.float64(found[place])) - slip[row], 0.0)
                bound = np.float32(root * step[row] * (1 - 1e-6))
                column = columns[number]
                block = block_of[column]
                bounds[row, column] = bound
                lowest[row, block] = min(lowest[row, block], bound)


@njit(nogil=True)
def _tiles(points, band):
    """Space for middles, half widths and costs."""
    middles = np.empty((points + 2 * band + PARENTS, PARENTS), np.uint64)
    return middles, np.empty_like(middles), np.empty((2 * band + 3, LANES), np.uint16)


@njit(nogil=True)
def _lay_out(parents, found, costs):
    for place in range(FOUR * len(parents)):
        costs[FOUR * parents[place // FOUR] + place % FOUR] = found[place]


@njit(nogil=True)
def _take(costs, limit, size, most, chosen):
    """Those of least cost, at most so many, that aren't above the limit of their group, which has
    ``size``. They don't wait any longer: their cost becomes ``NONE``.
    """
    count = 0
    for number in range(len(costs)):
        if costs[number] <= limit[number // size]:
            at = count
            if count < most:
                count += 1
            else:
                at = most - 1
                if costs[chosen[at]] <= costs[number]:
                    continue
            if most < len(chosen):
                while at > 0 and costs[chosen[at - 1]] > costs[number]:
                    chosen[at] = chosen[at - 1]
                    at -= 1
            chosen[at] = number
    for place in range(count):
        costs[chosen[place]] = NONE
    return chosen[:count]


@njit(nogil=True)
def _warp(query, factor, cap, middles, halves, rows, single, parents, band, tiles, found):
    """Least costs of the four of each parent, which are single spectra, or intervals.

    The points ``rows`` are warped, and paths may begin and end anywhere in the band if there are
    others, whose excursions out of the envelopes are added.
    """
    points, width = len(query), 2 * band + 1
    start, stop = rows
    skipped = max(start - band, 0)
    warped = min(stop + band, points) - skipped
    tile, widths, cost = tiles
    eight = np.empty(PARENTS, np.int64)
    size = middles.shape[1]
    for first in range(0, len(parents), PARENTS):
        used = min(PARENTS, len(parents) - first)
        for lane in range(PARENTS):
            eight[lane] = parents[first + min(lane, used - 1)]
        for point in range(0, size, PARENTS):
            _fill(tile, point, middles, size, eight, factor[0], factor[1])
            if not single or point + PARENTS > warped:
                _fill_halves(widths, point, halves, size, eight, factor[0], factor[1], cap)
        cost[:, :] = NONE
        cost[0, :] = 0
        for n in range(points - stop + start):
            i = n if n < start else n + stop - start
            _outside(query[i], tile, widths, warped + n, cost)
        if start > 0:
            _repeat(cost, 1, width + 1)
        else:
            _repeat(cost, band + 1, band + 2)
        cost[0, :] = NONE
        i = start
        while i < stop:
            j = i - band - skipped
            if 0 < band <= i < min(points - band, stop) - 1:
                if single:
                    _two_differences(query[i], query[i + 1], tile, widths, j, cost, width)
                else:
                    _two_excursions(query[i], query[i + 1], tile, widths, j, cost, width)
                i += 2
                continue
            k, end = max(0, band - i), min(2 * band, points - 1 - i + band) + 1
            if single:
                _differences(query[i], tile, widths, j + k, cost, k, end - k)
            else:
                _excursions(query[i], tile, widths, j + k, cost, k, end - k)
            i += 1
        for lane in range(FOUR * used):
            least = cost[band + 1, lane]
            if stop < points:
                for k in range(1, width + 1):
                    least = min(least, cost[k, lane])
            found[FOUR * first + lane] = min(least, np.uint16(MOST))


@njit(nogil=True)
def _repeat(cost, first, last):
    """The first row in others; a slice that is assigned takes long to compile."""
    for k in range(first, last):
        for lane in range(LANES):
            cost[k, lane] = cost[0, lane]


REGISTER, FOURS = ir.VectorType(ir.IntType(16), LANES), ir.VectorType(ir.IntType(64), PARENTS)


@intrinsic
def _fill(context, tile, point, rows, points, parents, high, low):
    """Fill as many rows of a tile as there are parents, from a point on, by integers of rows
    (parents, points) times the factor high + low / 2^16.
    """

    def build(context, builder, signature, arguments):
        _scale(context, builder, signature, arguments)
        return context.get_dummy_value()

    return types.void(tile, point, rows, points, parents, high, low), build


@intrinsic
def _fill_halves(context, tile, point, rows, points, parents, high, low, cap):
    """The same by half widths: integers are at most ``cap``, and products become wider."""

    def build(context, builder, signature, arguments):
        _scale(context, builder, signature, arguments, _spread(builder, arguments[7]))
        return context.get_dummy_value()

    return types.void(tile, point, rows, points, parents, high, low, cap), build


def _scale(context, builder, signature, arguments, cap=None):
    """Instructions of `_fill`, and of `_fill_halves` where there is a cap."""
    tile, rows, parents = _data(context, builder, signature, arguments, (0, 2, 4))
    point, points = arguments[1], arguments[3]
    high, low = (_spread(builder, number) for number in arguments[5:7])
    places = []
    for lane in range(PARENTS):
        parent = builder.load(builder.gep(parents, [point.type(lane)]))
        places.append(builder.gep(rows, [builder.add(builder.mul(parent, points), point)]))
    for lane, fours in enumerate(_columns(builder, places)):
        value = builder.bitcast(fours, REGISTER)
        value = _call(builder, "umin", value, cap) if cap else value
        part = _high_half(builder, value, low, builder.zext)
        value = builder.add(builder.mul(value, high), part)
        if cap:
            value = builder.add(value, ir.Constant(REGISTER, [OUTSIDE] * LANES))
        builder.store(value, _place(builder, tile, point, lane), align=2)


def _columns(builder, places):
    """The first numbers of 64 bits at some places as a register, the second ones, and so on.

    Two of each place at a time: registers are put together of 128 bits from memory at no cost,
    whereas to move these between registers takes long on processors whose units are no wider.
    """
    pair, found = ir.VectorType(ir.IntType(64), 2), []
    for point in range(0, len(places), 2):
        parts = [
            builder.bitcast(builder.gep(place, [ir.IntType(64)(point)]), pair.as_pointer())
            for place in places
        ]
        parts = [builder.load(part, align=2) for part in parts]
        both = [_joined(builder, parts[n::2]) for n in (0, 1)]
        for m in (0, 1):
            which = [lane for n in range(m, len(places), 2) for lane in (n, len(places) + n)]
            found.append(_lanes(builder, *both, which))
    return found


def _joined(builder, parts):
    """Registers one behind the other; their number is a power of two."""
    while len(parts) > 1:
        every = list(range(2 * parts[0].type.count))
        parts = [_lanes(builder, *parts[n : n + 2], every) for n in range(0, len(parts), 2)]
    return parts[0]


def _lanes(builder, one, other, which):
    """Some lanes of two registers."""
    which = ir.Constant(ir.VectorType(ir.IntType(32), len(which)), which)
    return builder.shuffle_vector(one, other, which)


@intrinsic
def _outside(context, value, middles, halves, row, cost):
    """Add the square of the excursion out of the intervals of a row to the first row of costs."""

    def build(context, builder, signature, arguments):
        middles, halves, cost = _data(context, builder, signature, arguments, (1, 2, 4))
        value, row = _spread(builder, arguments[0]), arguments[3]
        point = _load(builder, middles, row), _load(builder, halves, row)
        none = ir.Constant(REGISTER, [NONE] * LANES)
        first = _place(builder, cost, row.type(0))
        total = _excursion(builder, value, *point, builder.load(first, align=2), none, none)
        builder.store(total, first, align=2)
        return context.get_dummy_value()

    return types.void(value, middles, halves, row, cost), build


def _steps(cell):
    """Costs of one point of the query and ``count`` of the library's, from the point j on, as
    `whiteline.measures.kernels.warping` explains.
    """

    def typed(context, value, middles, halves, j, cost, k, count):
        def build(context, builder, signature, arguments):
            value, _, _, j, _, k, count = arguments
            middles, halves, cost = _data(context, builder, signature, arguments, (1, 2, 4))
            value = _spread(builder, value)
            start = [_load(builder, cost, k, n) for n in (0, 1)]
            before, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
            builder.cbranch(builder.icmp_signed("<", count.type(0), count), body, after)
            builder.position_at_end(body)
            step = builder.phi(count.type)
            left, diagonal = (builder.phi(REGISTER) for _ in start)
            here, column = builder.add(k, step), builder.add(j, step)
            up = _load(builder, cost, here, 2)
            point = _load(builder, middles, column), _load(builder, halves, column)
            found = cell(builder, value, *point, diagonal, up, left)
            builder.store(found, _place(builder, cost, here, 1), align=2)
            following = builder.add(step, count.type(1))
            _loop(
                builder,
                before,
                [
                    (left, start[0], found),
                    (diagonal, start[1], up),
                    (step, step.type(0), following),
                ],
            )
            builder.cbranch(builder.icmp_signed("<", following, count), body, after)
            builder.position_at_end(after)
            return context.get_dummy_value()

        return types.void(value, middles, halves, j, cost, k, count), build

    return intrinsic(typed)


def _two_steps(cell):
    """The same of a point of the query and the next, both with all ``width`` points of the band,
    at least three: from j on for the first, one further for the second, which follows one behind.
    """

    def typed(context, value, following, middles, halves, j, cost, width):
        def build(context, builder, signature, arguments):
            values = [_spread(builder, value) for value in arguments[:2]]
            j, width = arguments[4], arguments[6]
            middles, halves, cost = _data(context, builder, signature, arguments, (2, 3, 5))
            far, zero, one = ir.Constant(REGISTER, [NONE] * LANES), width.type(0), width.type(1)

            def point(k):
                column = builder.add(j, k)
                return _load(builder, middles, column), _load(builder, halves, column)

            def costs(k, diagonal, left, second_left):
                """Of the first row at k and of the second behind, and what is above the first."""
                up, here = _load(builder, cost, k, 2), point(k)
                first = cell(builder, values[0], *here, diagonal, up, left)
                second = cell(builder, values[1], *here, left, first, second_left)
                return first, second, up

            first, _, up = costs(zero, _load(builder, cost, zero, 1), far, far)
            start = costs(one, up, first, far)
            builder.store(start[1], _place(builder, cost, one), align=2)
            before, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
            builder.branch(body)
            builder.position_at_end(body)
            k = builder.phi(width.type)
            left, second_left, diagonal = (builder.phi(REGISTER) for _ in range(3))
            found = costs(k, diagonal, left, second_left)
            builder.store(found[1], _place(builder, cost, k), align=2)
            following = builder.add(k, one)
            states = zip((left, second_left, diagonal), start, found, strict=True)
            _loop(builder, before, [*states, (k, width.type(2), following)])
            builder.cbranch(builder.icmp_signed("<", following, width), body, after)
            builder.position_at_end(after)
            last = cell(builder, values[1], *point(width), found[0], far, found[1])
            builder.store(last, _place(builder, cost, width), align=2)
            return context.get_dummy_value()

        return types.void(value, following, middles, halves, j, cost, width), build

    return intrinsic(typed)


def _difference(builder, value, middle, _, diagonal, up, left):
    """Cost of a cell by the difference from the middle."""
    gap = builder.sub(value, middle)
    return _sum(builder, _high_half(builder, gap, gap, builder.sext), diagonal, up, left)


def _excursion(builder, value, middle, half, diagonal, up, left):
    """Cost of a cell by the excursion out of the interval."""
    gap = builder.sub(value, middle)
    gap = _call(builder, "smax", gap, builder.sub(ir.Constant(REGISTER, [0] * LANES), gap))
    gap = _call(builder, "usub.sat", gap, half)
    return _sum(builder, _high_half(builder, gap, gap, builder.zext), diagonal, up, left)


def _sum(builder, square, diagonal, up, left):
    least = _call(builder, "umin", _call(builder, "umin", diagonal, up), left)
    return _call(builder, "uadd.sat", square, least)


_differences, _excursions = _steps(_difference), _steps(_excursion)
_two_differences, _two_excursions = _two_steps(_difference), _two_steps(_excursion)


def _data(context, builder, signature, arguments, numbers):
    """Pointers to the data of some arguments, which are arrays."""
    return (
        context.make_array(signature.args[n])(context, builder, arguments[n]).data for n in numbers
    )


def _loop(builder, before, values):
    """Let each value be the second when a loop is entered and the third when it goes on."""
    for phi, first, later in values:
        phi.add_incoming(first, before)
        phi.add_incoming(later, builder.block)


def _place(builder, data, row, more=0):
    """Pointer to a row of lanes, ``more`` below another."""
    data = builder.bitcast(data, REGISTER.as_pointer())
    return builder.gep(data, [builder.add(row, row.type(more))])


def _load(builder, data, row, more=0):
    return builder.load(_place(builder, data, row, more), align=2)


def _call(builder, name, a, b):
    """An operation on integers of 16 bits."""
    signature = ir.FunctionType(REGISTER, [REGISTER] * 2)
    name = f"llvm.{name}.v{LANES}i16"
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), [a, b])


def _high_half(builder, a, b, extend):
    """The upper 16 bits of products."""
    wide = ir.VectorType(ir.IntType(32), LANES)
    product = builder.mul(extend(a, wide), extend(b, wide))
    return builder.trunc(builder.lshr(product, ir.Constant(wide, [16] * LANES)), REGISTER)


def _spread(builder, number):
    """A register with a number in every lane."""
    undefined, index = ir.Constant(REGISTER, ir.Undefined), ir.IntType(32)
    value = builder.insert_element(undefined, number, index(0))
    first = ir.Constant(ir.VectorType(index, LANES), [0] * LANES)
    return builder.shuffle_vector(value, undefined, first)
