"""Many library spectra warped at once, as an interval at every point that holds them all.

Spectra that are alike stand together: in fours, four fours in a group, four groups in a family. An
interval runs from the least to the greatest value of some spectra at a point. The cost of warping
a query onto intervals, with excursions out of them for differences, is no more than that of
warping it onto any of the spectra, as the same holds along every path. So groups are warped first,
then the fours of groups that are left, then the spectra of fours that are left, each time four
that have one parent.

Costs are integers of 16 bits, as many to a register as possible. Spectra are integers in steps of
``step``, times a factor of the query, modulo 2^16; the difference of two is taken to be the least
that is possible, so never more than the true one. A cell costs its square over 2^16, rounded down.
Sums stop at 2^16 - 1, and the factor is such that limits are just below.

Margin. Query and spectra are rounded to integers, those times the factor f down: in steps of
1 / f, a difference is too great by at most f / 2 + 2. So are excursions, because intervals are
rounded outwards. A least path has fewer than 2 points cells, so the root of its cost, times 2^8,
is at most f d / step + (f / 2 + 2) sqrt(2 points) for the distance d.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# Spectra in a group and groups in a family; of each family on each level four are warped.
GROUP, FOUR = 16, 4
FAMILY = GROUP * FOUR
# Four families are in one tile of so many lanes.
LANES, FAMILIES = 32, 8
# Integers that stand for the range of the library, and the greatest cost.
STEPS, MOST = 65000, 65535
# What a limit becomes, at most, and the greatest factor.
AIM, GREATEST = 62000, 16384


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
    """

    def __init__(self, library: np.ndarray, coordinates: np.ndarray, band: int) -> None:
        self._band = band
        order = _alike(coordinates, np.arange(len(library)))
        # Families are filled up with the last spectrum.
        self._columns = np.pad(order, (0, -len(order) % FAMILY), mode="edge")
        self.group_of = np.empty(len(library), dtype=np.int64)
        self.group_of[order] = np.arange(len(order)) // GROUP
        spectra = library[self._columns]
        self._least, self._step = library.min(), max(np.ptp(library) / STEPS, 1e-300)
        self.low, self.high = _ends(spectra, GROUP)
        self._groups = self._intervals(self.low, self.high)
        self._fours = self._intervals(*_ends(spectra, FOUR))
        self._spectra = _interleaved(np.rint(self._in_steps(spectra)))
        self._slip = np.sqrt(2 * library.shape[1])

    def bounds(
        self,
        queries: np.ndarray,
        limits: np.ndarray,
        scores: np.ndarray,
        ceilings: np.ndarray,
    ) -> np.ndarray:
        """Lower bounds of distances (n, m) in single precision, infinite where it's certain that
        the distance is above the limit of the spectrum's group.

        Parameters
        ----------
        queries
            Shape (n, points).
        limits
            Of each group, shape (n, groups).
        scores, ceilings
            Groups whose score is above its ceiling are left out, both (n, groups).
        """
        greatest = np.max(limits, axis=1, where=np.isfinite(limits), initial=0) / self._step
        factor = (AIM * 256**2) ** 0.5 - 2 * self._slip
        factor = np.minimum(factor / (greatest + self._slip / 2), GREATEST)
        whole = np.maximum((factor * 2**16).astype(np.int64), 1)
        factor = whole / 2**16
        slip = (factor / 2 + 2) * self._slip
        with np.errstate(over="ignore", invalid="ignore"):
            cost = (limits * ((1 + 1e-9) * factor / self._step)[:, None] + slip[:, None]) ** 2
        cost = np.minimum(cost / 2**16 + 1, MOST).astype(np.uint16)
        values = np.rint(self._in_steps(queries) * factor[:, None]).astype(np.int64)
        result = np.full((len(queries), len(self.group_of)), np.inf, dtype=np.float32)
        _descend(
            (values & 0xFFFF).astype(np.uint16),
            np.stack([whole >> 16, whole & 0xFFFF], axis=1).astype(np.uint16),
            np.minimum((2**31) // whole + 1, MOST).astype(np.uint16),
            scores,
            ceilings,
            cost,
            *self._groups,
            *self._fours,
            self._spectra,
            self._columns,
            self._band,
            slip,
            self._step / factor,
            result,
        )
        return result

    def _in_steps(self, spectra: np.ndarray) -> np.ndarray:
        return (spectra - self._least) / self._step

    def _intervals(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Middles and half widths, rounded outwards."""
        low, high = np.floor(self._in_steps(low)), np.ceil(self._in_steps(high))
        half = np.ceil((high - low) / 2)
        return _interleaved(low + half), _interleaved(half)


def _alike(coordinates: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows in such an order that those in one family, group or four are alike.

    They are parted again and again across the direction in which they differ most.
    """
    if len(rows) <= FOUR:
        return rows
    unit = next(size for size in (FAMILY, GROUP, FOUR) if len(rows) > size)
    spread = coordinates[rows] - coordinates[rows].mean(axis=0)
    direction = spread[np.argmax((spread**2).sum(axis=1))]
    for _ in range(8):
        direction = spread.T @ (spread @ direction)
        direction /= max(np.linalg.norm(direction), 1e-300)
    rows = rows[np.argsort(spread @ direction, kind="stable")]
    half = unit * max(1, round(len(rows) / unit / 2))
    return np.concatenate([_alike(coordinates, part) for part in (rows[:half], rows[half:])])


def _ends(spectra: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest values of every ``size`` spectra."""
    parts = spectra.reshape(-1, size, spectra.shape[1])
    return parts.min(axis=1), parts.max(axis=1)


def _interleaved(rows: np.ndarray) -> np.ndarray:
    """Every four rows of integers (n, points) as one of 64 bits, shape (n / 4, points)."""
    parts = rows.astype(np.uint16).reshape(-1, FOUR, rows.shape[1])
    return np.ascontiguousarray(parts.transpose(0, 2, 1)).view(np.uint64)[:, :, 0]


@njit(cache=True, nogil=True)
def _descend(
    queries,
    factors,
    caps,
    scores,
    ceilings,
    costs,
    group_middles,
    group_halves,
    four_middles,
    four_halves,
    spectra,
    columns,
    band,
    slip,
    step,
    result,
):
    points = queries.shape[1]
    middles, halves = np.empty((2, points, FAMILIES), np.uint64)
    cost = np.empty((2 * band + 3, LANES), np.uint16)
    families = np.empty(len(spectra), np.int64)
    found = np.empty(FOUR * len(spectra) + LANES, np.uint16)
    for row in range(len(queries)):
        query, factor, cap, limit = queries[row], factors[row], caps[row], costs[row]
        count = 0
        for family in range(len(group_middles)):
            families[count] = family
            near = False
            for group in range(FOUR * family, FOUR * (family + 1)):
                near |= scores[row, group] <= ceilings[row, group]
            count += near
        tiles = (middles, halves, cost)
        _warp(query, factor, cap, group_middles, group_halves, families, count, band, tiles, found)
        count = _left(families, count, found, limit, 1)
        _warp(query, factor, cap, four_middles, four_halves, families, count, band, tiles, found)
        count = _left(families, count, found, limit, FOUR)
        _warp(query, factor, cap, spectra, None, families, count, band, tiles, found)
        for place in range(count):
            for member in range(FOUR):
                value = found[FOUR * place + member]
                if value <= limit[families[place] // FOUR]:
                    root = max(256 * np.sqrt(np.float64(value)) - slip[row], 0.0)
                    column = columns[FOUR * families[place] + member]
                    result[row, column] = root * step[row] * (1 - 1e-6)


@njit(nogil=True)
def _left(families, count, found, limit, size):
    """Replace families by those of their members that aren't above the limit of their group."""
    # Members take more room than families, so that they are found from the last on.
    left = 0
    kept = families[:count].copy()
    for place in range(count):
        for member in range(FOUR):
            number = FOUR * kept[place] + member
            if found[FOUR * place + member] <= limit[number // size]:
                families[left] = number
                left += 1
    return left


@njit(nogil=True)
def _warp(query, factor, cap, middles, halves, families, count, band, tiles, found):
    points = len(query)
    tile, widths, cost = tiles
    for first in range(0, count, FAMILIES):
        used = min(FAMILIES, count - first)
        for lane in range(used):
            _put(middles[families[first + lane]], tile, lane)
            if halves is not None:
                _put(halves[families[first + lane]], widths, lane)
        for point in range(points):
            _scale(tile, point, factor[0], factor[1], np.uint16(MOST), np.uint16(0))
            if halves is not None:
                _scale(widths, point, factor[0], factor[1], cap, np.uint16(2))
        cost[:, :] = MOST
        cost[band + 1, :] = 0
        for i in range(points):
            k, end = max(0, band - i), min(2 * band, points - 1 - i + band) + 1
            if halves is None:
                _difference_steps(query[i], tile, widths, i + k - band, cost, k, end - k)
            else:
                _excursion_steps(query[i], tile, widths, i + k - band, cost, k, end - k)
        for lane in range(FOUR * used):
            found[FOUR * first + lane] = cost[band + 1, lane]


@njit(nogil=True)
def _put(row, tile, lane):
    for point in range(len(row)):
        tile[point, lane] = row[point]


REGISTER = ir.VectorType(ir.IntType(16), LANES)


@intrinsic
def _scale(context, tile, row, high, low, cap, more):
    """Replace integers v of a row by min(v, cap) times the factor high + low / 2^16, plus more."""

    def build(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = _place(builder, data, arguments[1])
        high, low, cap, more = (_spread(builder, number) for number in arguments[2:])
        value = _call(builder, "umin", builder.load(place, align=2), cap)
        scaled = builder.add(builder.mul(value, high), _high_half(builder, value, low, builder.zext))
        builder.store(builder.add(scaled, more), place, align=2)
        return context.get_dummy_value()

    return types.void(tile, row, high, low, cap, more), build


def _steps(excursion):
    """Costs of one point of the query and ``count`` of the library's, from the point j on, as
    `whiteline.measures.kernels.warping` explains.
    """

    def typed(context, value, middles, halves, j, cost, k, count):
        def build(context, builder, signature, arguments):
            value, _, _, j, _, k, count = arguments
            middles, halves, cost = (
                context.make_array(signature.args[n])(context, builder, arguments[n]).data
                for n in (1, 2, 4)
            )
            value = _spread(builder, value)
            start = [_load(builder, cost, k, n) for n in (0, 1)]
            before, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
            builder.cbranch(builder.icmp_signed("<", count.type(0), count), body, after)
            builder.position_at_end(body)
            step = builder.phi(count.type)
            left, diagonal = (builder.phi(REGISTER) for _ in start)
            here, column = builder.add(k, step), builder.add(j, step)
            up = _load(builder, cost, here, 2)
            gap = builder.sub(value, _load(builder, middles, column))
            if excursion:
                negative = builder.sub(ir.Constant(REGISTER, [0] * LANES), gap)
                gap = _call(builder, "smax", gap, negative)
                gap = _call(builder, "usub.sat", gap, _load(builder, halves, column))
                square = _high_half(builder, gap, gap, builder.zext)
            else:
                square = _high_half(builder, gap, gap, builder.sext)
            least = _call(builder, "umin", _call(builder, "umin", diagonal, up), left)
            found = _call(builder, "uadd.sat", square, least)
            builder.store(found, _place(builder, cost, here, 1), align=2)
            following = builder.add(step, count.type(1))
            for phi, first, later in (
                (left, start[0], found),
                (diagonal, start[1], up),
                (step, step.type(0), following),
            ):
                phi.add_incoming(first, before)
                phi.add_incoming(later, body)
            builder.cbranch(builder.icmp_signed("<", following, count), body, after)
            builder.position_at_end(after)
            return context.get_dummy_value()

        return types.void(value, middles, halves, j, cost, k, count), build

    return intrinsic(typed)


_difference_steps, _excursion_steps = _steps(excursion=False), _steps(excursion=True)


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
    return builder.shuffle_vector(value, undefined, ir.Constant(ir.VectorType(index, LANES), [0] * LANES))
