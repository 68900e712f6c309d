"""Jensen-Shannon and chi-square: divergences that are squared distances in a Hilbert space.

Both are sums over points of D(x, y), and D is of negative type: there is a map psi into a Hilbert
space with D(x, y) = |psi(x) - psi(y)|^2, whose inner product is the kernel

    k(x, y) = (D(x, 0) + D(y, 0) - D(x, y)) / 2

(Fuglede, Topsoe, IEEE Int. Symp. Inf. Theory (2004), p. 31, doi 10.1109/ISIT.2004.1365067, for
Jensen-Shannon; Vedaldi, Zisserman, IEEE Trans. Pattern Anal. 34, 480 (2012),
doi 10.1109/TPAMI.2011.153, for both). So the bound of `whiteline.search.projection` holds there
without the loss of the bounds by the Hellinger distance h, ln 2 h^2 <= JS <= h^2 and
2 h^2 <= chi^2 <= 4 h^2, whose constants let 10 times as many spectra pass under noise.

At each point the space spanned by psi of a few nodes, between the library's least and greatest
intensity there, holds the library's spectra almost entirely. In a bin of neighbouring points these
spaces are orthogonal; the main components of the library in all of them together are the bin's
features. Where the library hardly differs, few nodes and features do. A feature of a query is a
weighted sum of its kernel with the nodes. What lies beyond the features is known by its norm in
each of several windows of energy: noise, where there is no intensity, has most of a query's, and
lines have most of the library's.

Margin: that of `projection` with e = 1e-8. The features are not quite orthonormal, but any map F
with |F psi| <= |psi| will do, since |psi|^2 - |F psi|^2 is a squared norm too. Of the eigenvalues
of the nodes' kernel matrix those below RANK of the greatest are left out, and the others taken
1 + RANK times as great, which makes F one: relative to them rounding is 20 NODES 2^-53 / RANK. Let
u = 2^-53, c = k(x, x) / x, and h the greatest intensity at a point. The greatest eigenvalue is at
least c h, so weights of a direction have a norm of at most (RANK c h)^-1/2, and a kernel with a
node is at most c (x h)^1/2.

- Sums of BIN NODES products are wrong by as many u of the sum of their sizes. As all x add up to
  1, squared norms are wrong by 2 BIN^(3/2) NODES^2 RANK^(-1/2) u c = 7e-10 c.
- Kernels are wrong by 4 u (x |ln x| + h |ln h|), squared norms by 8 NODES^(1/2) RANK^(-1/2) u
  times the sum of (x |ln x| + h |ln h|) h^(-1/2). The sum of x |ln x| is at most the logarithm of
  the number of points, h at least FLAT of the greatest of all, and the sum of h at least 1: at 500
  points this is below 3e-9, and far below where intensities are not above those of the library.

Before a divergence is computed in float64, a lower bound without logarithms is, in float32. Its
terms are not negative, so sums have a relative error of (points + 32) 2^-24, and rounding x and y,
or their roots, changes it by at most 8 2^-24 (sum x + sum y). It is nearly the divergence, which
lies above it by no more than a known part: so it bounds the distance of the nearest too, and only
pairs between both bounds are computed in float64.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from whiteline.search import selection
from whiteline.search.base import U32
from whiteline.search.prefetch import prefetch
from whiteline.search.projection import Coordinates, Projected, Projection, Sought, compact, sample

# Most nodes at a point, points in a bin, most features of it, and windows of bins.
NODES, BIN, COMPONENTS, WINDOWS = 7, 16, 16, 8
# A bin has as many nodes as it needs to lose no more than this part of the library's squared
# norms, and the features that hold at least that part.
LOST, WORTH = 1e-7, 2e-8
# Least part of the greatest eigenvalue of the nodes that counts, and e above.
RANK, ERROR = 1e-6, 1e-8
# Nodes reach down to this part of the greatest intensity at a point, and that is taken as at least
# this part of the greatest of all.
LOWEST, FLAT = 1e-4, 1e-2
# Library spectra whose features are in memory at a time.
BATCH = 512
# Spectra are filled up with zeros to a multiple of this many points, whole bins, so that no loop
# has a rest.
FILLED = 32
# Pairs ahead of the one that is compared, whose library spectrum is on its way.
AHEAD = 2
LN2 = float(np.log(2))
# ln((1 + s) / (1 - s)) = 2 s + 2 s z P(z), z = s^2, for numbers between sqrt(1/2) and sqrt(2); of
# the least maximum error, 5e-18 of the logarithm.
LOGARITHM = (
    *(0.3333333333333335, 0.19999999999949752, 0.14285714312987743, 0.1111110556739754),
    *(0.09091444562630861, 0.07665860800278021, 0.07308224842521703),
)
L0, L1, L2, L3, L4, L5, L6 = LOGARITHM
TINY, SHORT_TINY = 1e-300, np.float32(1e-30)
# Greatest effect of rounding two distributions, or their roots, to single precision on their
# divergence.
SINGLE = 32 * U32
# With t = |x - y| / (x + y), D of Jensen-Shannon is (x - y)^2 / (x + y) / 2 times
# ((1 + t) ln(1 + t) + (1 - t) ln(1 - t)) / (2 t^2), which increases from 1/2 to ln 2. This
# polynomial in v = 2 w - 1, w^2 = 1 - t^2 = 4 x y / (x + y)^2, is nowhere above it (least maximum
# relative error, moved down by that and by 1.8e-6, twice its rounding in single precision), and
# below it by no more than the part GAP of it, rounding included.
POLYNOMIAL = (
    *(0.5964229, -0.1094397, 0.011446, 0.0083176, -0.0126965),
    *(-0.0027052, 0.0106443, 0.00722, -0.0092787),
)
GAP = 1.5e-4
C0, C1, C2, C3, C4, C5, C6, C7, C8 = map(np.float32, POLYNOMIAL)
SQRT_HALF_BITS = np.uint64(0x3FE6A09E667F3BCD)
BIAS_BITS = np.uint64(1023 << 52)
EXPONENT_MASK = np.uint64(0xFFF << 52)
MANTISSA_LENGTH = np.uint64(52)
# As a number, these bits with an integer in the lowest places are 2^52 plus that integer.
INTEGER_BITS = np.uint64(0x433 << 52)
INTEGER_ZERO = float(2**52 + 1023)


class Bins(NamedTuple):
    """What turns spectra into features, of all bins one after the other.

    Nodes, by point; weights, of the features of a bin (features, BIN nodes) and of its centre; and
    offsets of features: each flat, and where the bins begin. Squared norms of the centres.
    """

    nodes: np.ndarray
    first_node: np.ndarray
    weights: np.ndarray
    first_weight: np.ndarray
    offset: np.ndarray
    first_feature: np.ndarray
    square: np.ndarray


class Divergence(Projected):
    """Search by a divergence of distributions over energy."""

    def _fit(self, library: np.ndarray) -> None:
        some = self._distributions(sample(library))
        self._learn_points(some)
        self._projection = Projection(self._features(some)[0], ERROR)
        distributions = self._distributions(library)
        starts = range(0, len(library), BATCH)
        parts = [self._coordinates(distributions[start : start + BATCH]) for start in starts]
        found = Coordinates.joined(parts)
        order = compact(found.coarse, self._edges)
        self._projection.fit(found[order], self._whole[0])
        self._library = distributions[order]
        self._short = self._in_short(self._library)
        self._row_of = self._row_of[order]

    def _distributions(self, prepared: np.ndarray) -> np.ndarray:
        """The distributions, with which the prepared form of either measure begins, filled up."""
        points = len(self.energy)
        filled = np.zeros((len(prepared), points + -points % FILLED))
        filled[:, :points] = prepared.reshape(len(prepared), -1)[:, :points]
        return filled

    def _learn_points(self, library: np.ndarray) -> None:
        """Nodes, and the weights that turn kernels with them into features, of every bin."""
        high = np.maximum(library.max(axis=0), FLAT * library.max())
        low = np.clip(library.min(axis=0), LOWEST * high, None)
        bins = [slice(first, first + BIN) for first in range(0, library.shape[1], BIN)]
        parts = [self._learn_bin(library[:, b], low[b], high[b]) for b in bins]
        nodes, weights, offset, square = zip(*parts, strict=True)
        self._bins = Bins(*_flat(nodes), *_flat(weights), *_flat(offset), np.array(square))

    def _learn_bin(
        self, library: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Nodes (BIN, s), weights (c + 1, BIN s) of c features and the centre, offsets (c,) of the
        features, and the squared norm of the centre.
        """
        total = self._self_kernel * library.sum(axis=1)
        for count in range(2, NODES + 1):
            nodes = (low * (high / low) ** np.linspace(0, 1, count)[:, None]).T
            gram = self._kernel(nodes[:, :, None], nodes[:, None])
            values, vectors = np.linalg.eigh(gram)
            kept = values > RANK * values[:, -1:]
            # From kernels with the nodes to orthonormal coordinates, of each point.
            whiten = vectors / np.sqrt(np.where(kept, (1 + RANK) * values, np.inf))[:, None]
            seen = self._kernel(library[:, :, None], nodes)
            coordinates = np.einsum("nps,psc->npc", seen, whiten, optimize=True)
            if (total - (coordinates**2).sum((1, 2))).mean() <= LOST * self._self_kernel:
                break
        mean = coordinates.mean(axis=0)
        binned = (coordinates - mean).reshape(len(library), -1)
        variances, axes = np.linalg.eigh(binned.T @ binned / len(binned))
        worth = variances[-COMPONENTS:] >= min(WORTH * self._self_kernel, variances[-1])
        axes = axes[:, -COMPONENTS:][:, worth][:, ::-1]
        weights = (whiten @ axes.reshape(BIN, count, -1)).reshape(axes.shape)
        # The centre is a combination of the nodes, for which all of this is exact.
        centre = np.einsum("psc,pc->ps", whiten, mean)
        image = np.einsum("pst,pt->ps", gram, centre).ravel()
        centre = centre.ravel()
        return nodes, np.vstack([weights.T, centre]), image @ weights, centre @ image

    def _features(self, distributions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centred features (n, f) of distributions, and the squared norms of what lies beyond
        them in each window (windows, n).
        """
        # Transposed, as the kernels of all spectra with a node are computed at once.
        features = np.empty((len(self._bins.offset), len(distributions)))
        beyond = np.zeros((min(WINDOWS, len(self._bins.square)), len(distributions)))
        self._project(distributions, features, beyond)
        return features.T, beyond

    def _coordinates(self, distributions: np.ndarray) -> Coordinates:
        features, beyond = self._features(distributions)
        # The distributions add up to one.
        size = np.sqrt(self._self_kernel) + np.sqrt(self._bins.square.sum())
        return self._projection.coordinates(features, np.full(len(distributions), size), beyond)

    def _ask(self, queries: np.ndarray) -> Sought:
        queries = self._distributions(queries)
        short = self._in_short(queries)
        found = self._coordinates(queries)
        return Sought(self._projection, found, queries=queries, short=short)

    def _in_short(self, spectra: np.ndarray) -> np.ndarray:
        """Distributions in single precision, as `_bounds` takes them."""
        return spectra.astype(np.float32)

    def _promising(
        self,
        asked: Sought,
        lowest: np.ndarray,
        blocks: tuple[np.ndarray, ...],
        k: int,
        part: np.ndarray,
        limit: np.ndarray,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All at once: bounds from above in single precision are limits as good as distances."""
        pairs = asked.least(lowest, blocks, part, k)
        limit = self._farthest(*pairs, self._bounds(asked, *pairs), k)
        none = np.zeros(len(part) + 1, dtype=np.int64), np.empty(0, dtype=np.int64)
        starts, columns, fine = self._survivors(asked, lowest, blocks, part, limit, none)
        ceiling = self._fine_ceiling(asked, limit)
        # The nearest by the fine bound are not taken away: only the last pairs are compared.
        pairs = selection.least_of_pairs(starts, columns, fine.copy(), ceiling, k)
        limit = np.minimum(limit, self._farthest(*pairs, self._bounds(asked, *pairs), k))
        pairs = selection.pairs_below(starts, columns, fine, self._fine_ceiling(asked, limit))
        bounds = self._bounds(asked, *pairs)
        limit = np.minimum(limit, self._farthest(*pairs, bounds, k))
        yield selection.pairs_below(*pairs, bounds, self._bound_ceiling(limit))

    def _farthest(
        self, starts: np.ndarray, columns: np.ndarray, bounds: np.ndarray, k: int
    ) -> np.ndarray:
        """What the k-th least distance of each segment is at most, from bounds of pairs."""
        best, rows = selection.none(len(starts) - 1, k)
        error = (self._library.shape[1] + 32) * U32
        above = (bounds.astype(float) + SINGLE) * (1 + 2 * error) * (1 + self._gap)
        selection.keep(starts, columns, self._distance(above), self._row_of, best, rows)
        return best[:, -1]

    def _bound_ceiling(self, distance: np.ndarray) -> np.ndarray:
        """Highest bound of a pair no further than the distance of its segment."""
        return self._squared(distance) * (1 + (self._library.shape[1] + 32) * U32) + SINGLE

    def _distances(
        self, asked: Sought, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        out = np.empty(len(columns))
        self._compare(asked, starts, columns, self._bound_ceiling(limit), out)
        return self._distance(out)

    # By what part of a bound the divergence may be above it.
    _gap: float
    # k(x, x) / x.
    _self_kernel: float

    @abstractmethod
    def _kernel(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """k(x, y), of broadcast arrays."""

    @abstractmethod
    def _project(
        self, distributions: np.ndarray, features: np.ndarray, beyond: np.ndarray
    ) -> None:
        """Fill in features (f, n) and add what is beyond them in windows (windows, n)."""

    @abstractmethod
    def _distance(self, divergence: np.ndarray) -> np.ndarray:
        """The reverse of `_squared`."""

    @abstractmethod
    def _bounds(self, asked: Sought, starts: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Lower bounds of divergences of pairs, in single precision."""

    @abstractmethod
    def _compare(
        self,
        asked: Sought,
        starts: np.ndarray,
        columns: np.ndarray,
        ceiling: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Fill in divergences of pairs of queries and library spectra; infinity where the bound is
        above the ceiling of the segment.
        """


class JensenShannon(Divergence):
    """D(x, y) = (x ln x + y ln y - (x + y) ln((x + y) / 2)) / 2; the distance is its root."""

    _self_kernel = LN2 / 2
    _gap = GAP

    def _kernel(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        both = x + y
        return (_x_log_x(both) - _x_log_x(x) - _x_log_x(y)) / 4

    def _project(self, distributions, features, beyond):
        own = _x_log_x(self._bins.nodes)
        _project_entropies(distributions, own, self._bins, features, beyond)

    def _squared(self, distance: np.ndarray) -> np.ndarray:
        return distance**2

    def _distance(self, divergence: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(divergence, 0))

    def _fit(self, library: np.ndarray) -> None:
        super()._fit(library)
        self._sums = np.empty(len(library))
        _entropy_sums(self._library, self._sums)

    def _ask(self, queries: np.ndarray) -> Sought:
        asked = super()._ask(queries)
        asked.sums = np.empty(len(queries))
        _entropy_sums(asked.queries, asked.sums)
        return asked

    def _in_short(self, spectra: np.ndarray) -> np.ndarray:
        return np.sqrt(spectra.astype(np.float32))

    def _bounds(self, asked, starts, columns):
        out = np.empty(len(columns), dtype=np.float32)
        _jensen_shannon_bounds(asked.short, self._short, starts, columns, out)
        return out

    def _compare(self, asked, starts, columns, ceiling, out):
        spectra = asked.short, self._short, asked.queries, self._library
        _jensen_shannon(*spectra, asked.sums, self._sums, starts, columns, ceiling, out)


class ChiSquare(Divergence):
    """D(x, y) = (x - y)^2 / (x + y); the distance is its sum."""

    _self_kernel = 1.0
    _gap = 0.0

    def _kernel(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 2 * x * y / (x + y + TINY)

    def _project(self, distributions, features, beyond):
        _project_harmonic(distributions, self._bins, features, beyond)

    def _squared(self, distance: np.ndarray) -> np.ndarray:
        return distance

    def _distance(self, divergence: np.ndarray) -> np.ndarray:
        return divergence

    def _bounds(self, asked, starts, columns):
        out = np.empty(len(columns), dtype=np.float32)
        _chi_square_bounds(asked.short, self._short, starts, columns, out)
        return out

    def _compare(self, asked, starts, columns, ceiling, out):
        spectra = asked.short, self._short, asked.queries, self._library
        _chi_square(*spectra, starts, columns, ceiling, out)


def _flat(parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Arrays one behind the other, and where each begins, and the end."""
    ends = np.cumsum([0, *(part.size for part in parts)])
    return np.concatenate([part.ravel() for part in parts]), ends


def _x_log_x(x: np.ndarray) -> np.ndarray:
    return x * np.log(x + TINY)


# Reassociation would mix 2^52 with the small numbers; loops that call this keep theirs.
@njit(fastmath={"contract", "nsz"}, error_model="numpy")
def _log(x):
    """Natural logarithm of a positive normal number, relative error below 1e-14.

    Written without branches, because numba vectorises no call to the logarithm of libm, and
    without a conversion or arithmetic shift of 64-bit integers, which AVX2 lacks. It stands here
    because numba's cache does not notice a function that changes in another file.
    """
    bits = np.float64(x).view(np.uint64)
    above = bits - SQRT_HALF_BITS + BIAS_BITS
    # x = mantissa * 2^exponent with the mantissa between sqrt(1/2) and sqrt(2).
    integer = np.uint64((above >> MANTISSA_LENGTH) | INTEGER_BITS)
    exponent = integer.view(np.float64) - INTEGER_ZERO
    mantissa = np.uint64(bits - (above & EXPONENT_MASK) + BIAS_BITS).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    series = L3 + z * (L4 + z * (L5 + z * L6))
    series = L0 + z * (L1 + z * (L2 + z * series))
    return exponent * LN2 + 2.0 * (s + s * z * series)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _project_entropies(spectra, own, bins, features, beyond):
    count = len(spectra)
    points, entropy = np.empty((BIN, count)), np.empty(count)
    kernel, sums = np.empty((BIN * NODES, count)), np.empty((COMPONENTS + 1, count))
    for block in range(len(bins.square)):
        at = bins.first_node[block]
        size = bins.first_node[block + 1] - at
        _transpose(spectra, block * BIN, points)
        for place in range(BIN):
            x = points[place]
            for row in range(count):
                entropy[row] = x[row] * _log(x[row] + TINY)
            for number in range(place * size // BIN, (place + 1) * size // BIN):
                y, other = bins.nodes[at + number], own[at + number]
                product = kernel[number]
                for row in range(count):
                    both = x[row] + y
                    product[row] = (both * _log(both + TINY) - entropy[row] - other) / 4
        _add_bin(bins, block, points, LN2 / 2, kernel[:size], sums, features, beyond)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _project_harmonic(spectra, bins, features, beyond):
    count = len(spectra)
    points = np.empty((BIN, count))
    kernel, sums = np.empty((BIN * NODES, count)), np.empty((COMPONENTS + 1, count))
    for block in range(len(bins.square)):
        at = bins.first_node[block]
        size = bins.first_node[block + 1] - at
        _transpose(spectra, block * BIN, points)
        for place in range(BIN):
            x = points[place]
            for number in range(place * size // BIN, (place + 1) * size // BIN):
                y, product = bins.nodes[at + number], kernel[number]
                for row in range(count):
                    product[row] = 2 * x[row] * y / (x[row] + y + TINY)
        _add_bin(bins, block, points, 1.0, kernel[:size], sums, features, beyond)


@njit
def _transpose(spectra, first, points):
    for row in range(len(spectra)):
        for place in range(BIN):
            points[place, row] = spectra[row, first + place]


@njit(fastmath={"reassoc", "contract", "nsz"})
def _add_bin(bins, block, points, self_kernel, kernel, sums, features, beyond):
    """Fill in the features of a bin, and add what is beyond them to its window."""
    first, last = bins.first_feature[block], bins.first_feature[block + 1]
    weights = bins.weights[bins.first_weight[block] : bins.first_weight[block + 1]]
    count = last - first
    np.dot(weights.reshape(count + 1, len(kernel)), kernel, sums[: count + 1])
    centre, square = sums[count], bins.square[block]
    rest = beyond[block * len(beyond) // len(bins.square)]
    for row in range(len(rest)):
        rest[row] += square - 2 * centre[row]
    for place in range(BIN):
        x = points[place]
        for row in range(len(rest)):
            rest[row] += self_kernel * x[row]
    for number in range(count):
        out, own, offset = features[first + number], sums[number], bins.offset[first + number]
        for row in range(len(rest)):
            out[row] = own[row] - offset
            rest[row] -= out[row] * out[row]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _entropy_sums(spectra, out):
    """The part of the divergence that belongs to one distribution: sums of x ln(2 x)."""
    for row in range(len(spectra)):
        total = 0.0
        for point in range(spectra.shape[1]):
            x = spectra[row, point]
            total += x * (_log(x + TINY) + LN2)
        out[row] = total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _jensen_shannon_bounds(queries, library, starts, columns, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        query = queries[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            prefetch(library, columns[min(pair + AHEAD, len(columns) - 1)])
            out[pair] = _lower(query, library[columns[pair]])


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _jensen_shannon(
    short_queries, short_library, queries, library, own, sums, starts, columns, ceiling, out
):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        asked = segment // ranges
        short, query = short_queries[asked], queries[asked]
        for pair in range(starts[segment], starts[segment + 1]):
            column = columns[pair]
            following = columns[min(pair + AHEAD, len(columns) - 1)]
            if ceiling[segment] < np.inf:
                prefetch(short_library, following)
                if _lower(short, short_library[column]) > ceiling[segment]:
                    out[pair] = np.inf
                    continue
            else:
                prefetch(library, following)
            row = library[column]
            total = 0.0
            for point in range(len(row)):
                both = query[point] + row[point] + TINY
                total += both * _log(both)
            out[pair] = (own[asked] + sums[column] - total) / 2


@njit(fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _lower(query, row):
    """At most the Jensen-Shannon divergence, but for rounding, from the roots of both."""
    total = np.float32(0)
    for point in range(len(row)):
        a, b = query[point], row[point]
        inverse = np.float32(1) / (a * a + b * b + SHORT_TINY)
        difference = (a - b) * (a + b)
        part = difference * difference * inverse
        v = np.float32(4) * a * b * inverse - np.float32(1)
        series = C4 + v * (C5 + v * (C6 + v * (C7 + v * C8)))
        total += part * (C0 + v * (C1 + v * (C2 + v * (C3 + v * series))))
    return total / np.float32(2)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _chi_square_bounds(queries, library, starts, columns, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        query = queries[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            prefetch(library, columns[min(pair + AHEAD, len(columns) - 1)])
            out[pair] = _short_chi_square(query, library[columns[pair]])


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _chi_square(short_queries, short_library, queries, library, starts, columns, ceiling, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        short, query = short_queries[segment // ranges], queries[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            following = columns[min(pair + AHEAD, len(columns) - 1)]
            if ceiling[segment] < np.inf:
                prefetch(short_library, following)
                if _short_chi_square(short, short_library[columns[pair]]) > ceiling[segment]:
                    out[pair] = np.inf
                    continue
            else:
                prefetch(library, following)
            row = library[columns[pair]]
            total = 0.0
            for point in range(len(row)):
                difference = query[point] - row[point]
                total += difference * difference / (query[point] + row[point] + TINY)
            out[pair] = total


@njit(fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _short_chi_square(query, row):
    total = np.float32(0)
    for point in range(len(row)):
        difference = query[point] - row[point]
        total += difference * difference / (query[point] + row[point] + SHORT_TINY)
    return total
