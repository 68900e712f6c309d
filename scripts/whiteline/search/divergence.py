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
features. A feature of a query is a weighted sum of its kernel with the nodes. What lies beyond the
features is known by its norm in each of several windows of energy: noise, where there is no
intensity, has most of a query's, and lines have most of the library's.

Margin: that of `projection` with e = 1e-8. The features are not quite orthonormal, but any map F
with |F psi| <= |psi| will do, since |psi|^2 - |F psi|^2 is a squared norm too. Of the eigenvalues
of the nodes' kernel matrix those below RANK of the greatest are left out, and the others taken
1 + RANK times as great, which makes F one: relative to them rounding is 20 NODES 2^-53 / RANK. Let
u = 2^-53, c = k(x, x) / x, and h the greatest intensity at a point. The greatest eigenvalue is at
least c h, so weights of a direction have a norm of at most (RANK c h)^-1/2, and a kernel with a
node is at most c (x h)^1/2.

- Sums of BIN NODES products are wrong by as many u of the sum of their sizes. As all x add up to
  1, squared norms are wrong by 2 BIN^(3/2) NODES^2 RANK^(-1/2) u c = 6e-10 c.
- Kernels are wrong by 4 u (x |ln x| + h |ln h|), squared norms by 8 NODES^(1/2) RANK^(-1/2) u
  times the sum of (x |ln x| + h |ln h|) h^(-1/2). The sum of x |ln x| is at most the logarithm of
  the number of points, h at least FLAT of the greatest of all, and the sum of h at least 1: at 500
  points this is below 3e-9, and far below where intensities are not above those of the library.

Before a divergence is computed in float64, a lower bound without logarithms is, in float32. Its
terms are not negative, so sums have a relative error of (points + 32) 2^-24, and rounding x and y,
or their roots, changes it by at most 8 2^-24 (sum x + sum y).
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numba import njit

from whiteline.search.base import U32
from whiteline.search.prefetch import prefetch
from whiteline.search.projection import Coordinates, Projected, Projection, Sought, compact, sample

# Nodes at a point, points in a bin and features of it, and windows of bins.
NODES, BIN, COMPONENTS, WINDOWS = 6, 16, 16, 8
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
TINY, SHORT_TINY = 1e-300, np.float32(1e-30)
# Greatest effect of rounding two distributions, or their roots, to single precision on their
# divergence.
SINGLE = 32 * U32
# With t = |x - y| / (x + y), D of Jensen-Shannon is (x - y)^2 / (x + y) / 2 times
# ((1 + t) ln(1 + t) + (1 - t) ln(1 - t)) / (2 t^2), which increases from 1/2 to ln 2. This
# polynomial in w, w^2 = 1 - t^2 = 4 x y / (x + y)^2, is nowhere above it, and at most 0.0003 below
# (least maximum error, moved down by that and by 5e-6 for its rounding in single precision).
POLYNOMIAL = (0.693142, -0.033019, -0.951267, 2.386778, -3.236779, 2.301246, -0.660399)
C0, C1, C2, C3, C4, C5, C6 = map(np.float32, POLYNOMIAL)
SQRT_HALF_BITS = np.uint64(0x3FE6A09E667F3BCD)
BIAS_BITS = np.uint64(1023 << 52)
EXPONENT_MASK = np.uint64(0xFFF << 52)
MANTISSA_LENGTH = np.uint64(52)
# As a number, these bits with an integer in the lowest places are 2^52 plus that integer.
INTEGER_BITS = np.uint64(0x433 << 52)
INTEGER_ZERO = float(2**52 + 1023)


class Divergence(Projected):
    """Search by a divergence of distributions over energy."""

    def _fit(self, library: np.ndarray) -> None:
        some = sample(library)
        self._learn_points(self._distributions(some))
        self._projection = Projection(self._features(some)[0], ERROR)
        starts = range(0, len(library), BATCH)
        parts = [self._coordinates(library[start : start + BATCH]) for start in starts]
        found = Coordinates.joined(parts)
        order = compact(found.coarse, self._edges)
        self._projection.fit(found[order], self._whole[0])
        self._library = self._distributions(library[order])
        self._short = self._in_short(self._library)
        self._row_of = self._row_of[order]

    def _distributions(self, prepared: np.ndarray) -> np.ndarray:
        """The distributions, with which the prepared form of either measure begins, filled up."""
        points = len(self.energy)
        filled = np.zeros((len(prepared), points + -points % FILLED))
        filled[:, :points] = prepared.reshape(len(prepared), -1)[:, :points]
        return filled

    def _learn_points(self, library: np.ndarray) -> None:
        """Nodes, and the weights that turn kernels with them into features."""
        high = np.maximum(library.max(axis=0), FLAT * library.max())
        low = np.clip(library.min(axis=0), LOWEST * high, None)
        nodes = (low * (high / low) ** np.linspace(0, 1, NODES)[:, None]).T
        gram = self._kernel(nodes[:, :, None], nodes[:, None])
        values, vectors = np.linalg.eigh(gram)
        kept = values > RANK * values[:, -1:]
        # From kernels with the nodes to orthonormal coordinates, of each point.
        whiten = vectors / np.sqrt(np.where(kept, (1 + RANK) * values, np.inf))[:, None]
        seen = self._kernel(library[:, :, None], nodes)
        coordinates = np.einsum("nps,psc->npc", seen, whiten, optimize=True)
        mean = coordinates.mean(axis=0)
        binned = (coordinates - mean).reshape(len(library), -1, BIN * NODES).swapaxes(0, 1)
        axes = np.linalg.eigh(binned.swapaxes(1, 2) @ binned)[1][:, :, : -COMPONENTS - 1 : -1]
        weights = (whiten @ axes.reshape(-1, NODES, COMPONENTS)).reshape(axes.shape)
        # The centre is a combination of the nodes, for which all of this is exact.
        centre = np.einsum("psc,pc->ps", whiten, mean)
        image = np.einsum("pst,pt->ps", gram, centre).reshape(len(axes), -1)
        centre = centre.reshape(image.shape)
        self._nodes = nodes
        self._weights = np.concatenate([weights, centre[:, :, None]], axis=2).swapaxes(1, 2).copy()
        self._offset = np.einsum("bwc,bw->bc", weights, image)[:, :, None]
        self._mean_square = (centre * image).sum(1)

    def _features(self, prepared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centred features (n, f) of spectra, and the squared norms of what lies beyond them in
        each window (windows, n).
        """
        # Transposed from what is not filled up: rows as long as a power of two would fall on each
        # other in the cache.
        points = len(self.energy)
        spectra = np.zeros((self._weights.shape[0] * BIN, len(prepared)))
        spectra[:points] = prepared.reshape(len(prepared), -1)[:, :points].T
        sums = np.empty((*self._weights.shape[:2], len(prepared)))
        self._project(spectra, sums)
        features = sums[:, :-1] - self._offset
        squares = self._self_kernel * spectra.reshape(len(sums), BIN, -1).sum(1)
        squares -= 2 * sums[:, -1] - self._mean_square[:, None]
        beyond = squares - np.einsum("bcn,bcn->bn", features, features)
        windows = range(0, len(sums), -(-len(sums) // WINDOWS))
        return features.reshape(-1, len(prepared)).T, np.add.reduceat(beyond, windows)

    def _coordinates(self, prepared: np.ndarray) -> Coordinates:
        features, beyond = self._features(prepared)
        # The distributions add up to one.
        size = np.sqrt(self._self_kernel) + np.sqrt(self._mean_square.sum())
        return self._projection.coordinates(features, np.full(len(prepared), size), beyond)

    def _ask(self, queries: np.ndarray) -> Sought:
        found = self._coordinates(queries)
        queries = self._distributions(queries)
        short = self._in_short(queries)
        return Sought(self._projection, found, queries=queries, short=short)

    def _in_short(self, spectra: np.ndarray) -> np.ndarray:
        """Distributions in single precision, as `_bound` takes them."""
        return spectra.astype(np.float32)

    def _distances(
        self, asked: Sought, starts: np.ndarray, columns: np.ndarray, limit: np.ndarray
    ) -> np.ndarray:
        out = np.empty(len(columns))
        ceiling = self._squared(limit) * (1 + (self._library.shape[1] + 32) * U32) + SINGLE
        self._compare(asked, starts, columns, ceiling, out)
        return self._distance(out)

    # k(x, x) / x.
    _self_kernel: float

    @abstractmethod
    def _kernel(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """k(x, y), of broadcast arrays."""

    @abstractmethod
    def _project(self, spectra: np.ndarray, out: np.ndarray) -> None:
        """Fill in the features, not yet centred, and the product with the centre of each bin,
        (bins, COMPONENTS + 1, n), of spectra (points, n).
        """

    @abstractmethod
    def _distance(self, divergence: np.ndarray) -> np.ndarray:
        """The reverse of `_squared`."""

    @abstractmethod
    def _compare(
        self,
        asked: Sought,
        starts: np.ndarray,
        columns: np.ndarray,
        ceiling: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Fill in divergences of pairs of queries and library spectra; infinity where a lower
        bound in single precision is above the ceiling of the segment.
        """


class JensenShannon(Divergence):
    """D(x, y) = (x ln x + y ln y - (x + y) ln((x + y) / 2)) / 2; the distance is its root."""

    _self_kernel = LN2 / 2

    def _kernel(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        both = x + y
        return (_x_log_x(both) - _x_log_x(x) - _x_log_x(y)) / 4

    def _project(self, spectra: np.ndarray, out: np.ndarray) -> None:
        own = _x_log_x(self._nodes)
        _project_entropies(spectra, self._nodes, own, self._weights, out)

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
        return np.sqrt(spectra).astype(np.float32)

    def _compare(self, asked, starts, columns, ceiling, out):
        spectra = asked.short, self._short, asked.queries, self._library
        _jensen_shannon(*spectra, asked.sums, self._sums, starts, columns, ceiling, out)


class ChiSquare(Divergence):
    """D(x, y) = (x - y)^2 / (x + y); the distance is its sum."""

    _self_kernel = 1.0

    def _kernel(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 2 * x * y / (x + y + TINY)

    def _project(self, spectra: np.ndarray, out: np.ndarray) -> None:
        _project_harmonic(spectra, self._nodes, self._weights, out)

    def _squared(self, distance: np.ndarray) -> np.ndarray:
        return distance

    def _distance(self, divergence: np.ndarray) -> np.ndarray:
        return divergence

    def _compare(self, asked, starts, columns, ceiling, out):
        spectra = asked.short, self._short, asked.queries, self._library
        _chi_square(*spectra, starts, columns, ceiling, out)


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
    series = 1 / 15 + z * (1 / 17 + z * (1 / 19))
    series = 1 / 9 + z * (1 / 11 + z * (1 / 13 + z * series))
    series = 1 / 3 + z * (1 / 5 + z * (1 / 7 + z * series))
    return exponent * LN2 + 2.0 * (s + s * z * series)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _project_entropies(spectra, nodes, own, weights, out):
    count = spectra.shape[1]
    entropy, kernel = np.empty(count), np.empty((BIN * NODES, count))
    for block in range(len(weights)):
        for place in range(BIN):
            point = block * BIN + place
            x = spectra[point]
            for row in range(count):
                entropy[row] = x[row] * _log(x[row] + TINY)
            for node in range(NODES):
                y, other = nodes[point, node], own[point, node]
                product = kernel[place * NODES + node]
                for row in range(count):
                    both = x[row] + y
                    product[row] = (both * _log(both + TINY) - entropy[row] - other) / 4
        np.dot(weights[block], kernel, out[block])


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _project_harmonic(spectra, nodes, weights, out):
    count = spectra.shape[1]
    kernel = np.empty((BIN * NODES, count))
    for block in range(len(weights)):
        for place in range(BIN):
            point = block * BIN + place
            x = spectra[point]
            for node in range(NODES):
                y, product = nodes[point, node], kernel[place * NODES + node]
                for row in range(count):
                    product[row] = 2 * x[row] * y / (x[row] + y + TINY)
        np.dot(weights[block], kernel, out[block])


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
def _jensen_shannon(
    short_queries, short_library, queries, library, own, sums, starts, columns, ceiling, out
):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        asked = segment // ranges
        short, query = short_queries[asked], queries[asked]
        for pair in range(starts[segment], starts[segment + 1]):
            column = columns[pair]
            prefetch(short_library, columns[min(pair + AHEAD, len(columns) - 1)])
            if _lower(short, short_library[column]) > ceiling[segment]:
                out[pair] = np.inf
                continue
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
        w = np.float32(2) * a * b * inverse
        series = C3 + w * (C4 + w * (C5 + w * C6))
        total += part * (C0 + w * (C1 + w * (C2 + w * series)))
    return total / np.float32(2)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _chi_square(short_queries, short_library, queries, library, starts, columns, ceiling, out):
    ranges = (len(starts) - 1) // len(queries)
    for segment in range(len(starts) - 1):
        short, query = short_queries[segment // ranges], queries[segment // ranges]
        for pair in range(starts[segment], starts[segment + 1]):
            prefetch(short_library, columns[min(pair + AHEAD, len(columns) - 1)])
            if _short_chi_square(short, short_library[columns[pair]]) > ceiling[segment]:
                out[pair] = np.inf
                continue
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
