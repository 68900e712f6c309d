"""Which valences a spectrum is a mixture of: fractions, their intervals, and whether one would do.

A spectrum is fitted by one library spectrum of each valence, with intensities that are not
negative, and a constant background (non-negative least squares; Lawson and Hanson, Solving Least
Squares Problems, Prentice-Hall 1974, ch. 23). All components have one energy axis and one Gaussian
width, because one instrument measured them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls
from scipy.stats import f as f_distribution

from whiteline.alignment import window
from whiteline.errors import InputError

COVERAGE = (0.68, 0.95)
# A mixture is needed where one valence would fit as badly in no more than this share of cases.
SIGNIFICANCE = 0.05
# Spectra that are tried in full where one is sought beside others; sweeps over all components.
TRIED, SWEEPS = 4, 9
# Draws of the components, and of the noise for each of them, from which the intervals are taken.
DRAWS, NOISY = 150, 10
# Intervals of no length are stretched as if they had this one.
LEAST_LENGTH = 0.01
# Groups of the length of intervals, and the fewest mixtures that tell 95 % of one.
GROUPS, SMALLEST_GROUP = 3, 19
# Rounding must not lift (n + 1) * coverage above a whole number.
ROUNDING = 1e-9
# A spectrum is the same as others, but for a factor, if less than this part of it is left.
ALIKE = 1e-8


@dataclass(frozen=True)
class Components:
    """The m library spectra that may be components.

    Attributes
    ----------
    intensity
        Shape (m, points).
    valence
        Shape (m,).
    holes
        Holes in the 3d shell, to which the area of one ion's white lines is proportional (Thole
        and van der Laan, Phys. Rev. B 38, 3158 (1988), doi 10.1103/PhysRevB.38.3158), shape (m,).
    width
        Gaussian width, eV, shape (m,), NaN where unknown.
    anywhere
        True for spectra that go with any width, shape (m,): measured references.
    """

    intensity: np.ndarray
    valence: np.ndarray
    holes: np.ndarray
    width: np.ndarray
    anywhere: np.ndarray


@dataclass(frozen=True)
class Mixture:
    """A spectrum as a mixture of c valences.

    Attributes
    ----------
    fraction
        Of the ions, the mean over all sets of components by their probability, shape (c,), sum 1.
    lower, upper
        Bounds of the fractions, shape (c, coverages).
    component
        Library rows of the most probable set, -1 for a valence that it has not, shape (c,).
    amplitude
        Factors of these rows in the sum, shape (c,).
    background
        The constant in the sum.
    steps
        By which the spectrum moves up in energy.
    """

    fraction: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    component: np.ndarray
    amplitude: np.ndarray
    background: float
    steps: int


@dataclass(frozen=True)
class Test:
    """Whether one valence would do: a mixture against as many spectra of one valence.

    Attributes
    ----------
    residual, single_residual
        Root mean square of what the mixture, and the best single valence, leave, in the spectrum's
        units.
    single
        Place of that valence among all.
    gain
        Logarithm of the ratio of their squares: above 0 where the mixture fits better.
    chance
        Probability of such a ratio if both fitted equally well: that of the F distribution, with
        the degrees of freedom that what is left has. As both share the noise, it is rather too
        large.
    """

    residual: float
    single_residual: float
    single: int
    gain: float
    chance: float


class Unmixing:
    """Fits mixtures of a library's valences.

    Parameters
    ----------
    components
        The library's spectra, of equal area or at least none of which has no area.

    Raises
    ------
    InputError
        If there is but one valence, no width has all of them, or the spectra have no area, as
        after ``snv``.
    """

    def __init__(self, components: Components) -> None:
        self.components = components
        self.valences = np.unique(components.valence)
        if len(self.valences) < 2:
            raise InputError(
                f"all library spectra have the valence {self.valences[0]:g}; "
                "a mixture needs at least two valences"
            )
        self.area = components.intensity.sum(1)
        if (self.area <= 1e-6 * np.abs(components.intensity).sum(1)).any():
            raise InputError(
                "mixtures need spectra with an area; normalise by area, maximum or unit_norm"
            )
        self.groups = self._groups()
        # A constant background is fitted by leaving the mean out of everything.
        self.centred = _centred(components.intensity)
        self.norms = (self.centred**2).sum(1)

    def _groups(self) -> list[np.ndarray]:
        """The spectra of each Gaussian width that has all valences, masks (m,)."""
        parts = self.components
        widths = np.unique(parts.width[~parts.anywhere]) if not parts.anywhere.all() else [np.nan]
        found = [
            parts.anywhere | np.isclose(parts.width, width, equal_nan=True) for width in widths
        ]
        found = [alike for alike in found if np.isin(self.valences, parts.valence[alike]).all()]
        if not found:
            raise InputError(
                "no Gaussian width of the library has spectra of every valence, as the "
                "components of a mixture must have one width"
            )
        return found

    def test(self, query: np.ndarray, limit: int) -> Test:
        """Whether an extended query, (points + 2 margin,), moved by at most ``limit`` steps, needs
        a mixture. A single valence gets as many spectra as the mixture, of the same valence, so
        that it may lie between the points of the library's grid.
        """
        target = _Target(query, limit, self)
        several = target.best(self._slots())
        ones = [target.best([slot] * len(self.valences)) for slot in self._slots()]
        single = int(np.argmin([one.left for one in ones]))
        gain = float(np.log(ones[single].left / several.left))
        freedom = target.freedom(several)
        return Test(
            residual=target.root_mean_square(several),
            single_residual=target.root_mean_square(ones[single]),
            single=single,
            gain=gain,
            chance=float(f_distribution.sf(np.exp(gain), freedom, freedom)),
        )

    def fit(self, query: np.ndarray, limit: int, seed: int) -> Mixture:
        """The mixture that an extended query, moved by at most ``limit`` steps, is; ``seed`` is
        that of the draws for fractions and intervals.
        """
        target = _Target(query, limit, self)
        several = target.best(self._slots())
        freedom = target.freedom(several)
        random = np.random.default_rng(seed)
        sets = target.drawn(several, freedom, random)
        table = np.concatenate([self._noisy(one, freedom, random) for one in sets])
        fraction = table.mean(0)
        ends = [[(1 - level) / 2, (1 + level) / 2] for level in COVERAGE]
        lower, upper = np.quantile(table, np.transpose(ends), axis=0).transpose(0, 2, 1)
        likely = max(sets, key=lambda one: one.probability)
        place = np.searchsorted(self.valences, self.components.valence[likely.rows])
        component, amplitude = np.full(len(fraction), -1), np.zeros(len(fraction))
        component[place], amplitude[place] = likely.rows, likely.factors
        return Mixture(
            fraction=fraction,
            # The mean of a skew distribution may lie outside its middle.
            lower=np.minimum(lower, fraction[:, None]),
            upper=np.maximum(upper, fraction[:, None]),
            component=component,
            amplitude=amplitude,
            background=target.background(likely),
            steps=int(target.moves[likely.move]),
        )

    def _slots(self) -> list[np.ndarray]:
        return [self.components.valence == valence for valence in self.valences]

    def _noisy(self, one: _Set, freedom: float, random: np.random.Generator) -> np.ndarray:
        """Fractions, (draws, c), of a set within what the noise leaves open."""
        spectra = self.centred[one.rows]
        covariance = np.linalg.pinv(spectra @ spectra.T) * one.left / freedom
        noise = random.multivariate_normal(np.zeros(len(spectra)), covariance, NOISY)
        factors = np.maximum(one.factors + noise, 0)
        ions = factors * self.area[one.rows] / self.components.holes[one.rows]
        ions = ions[ions.sum(1) > 0]
        table = np.zeros((len(ions), len(self.valences)))
        place = np.searchsorted(self.valences, self.components.valence[one.rows])
        table[:, place] = ions / ions.sum(1, keepdims=True)
        return table


@dataclass(frozen=True)
class _Set:
    """A choice of library rows with their factors (c,) at a place among the moves, the sum of
    squares that it leaves, and the logarithm of its probability but for a constant.
    """

    rows: list[int]
    factors: np.ndarray
    move: int
    left: float
    probability: float = 0.0


class _Target:
    """A query at all its moves, centred, (moves, points), and its products with the library."""

    def __init__(self, query: np.ndarray, limit: int, library: Unmixing) -> None:
        self.moves = np.arange(-limit, limit + 1)
        self.library = library
        copies = np.broadcast_to(query, (len(self.moves), len(query)))
        moved = window(copies, self.moves, library.centred.shape[1])
        self.means, self.queries = moved.mean(1), _centred(moved)
        self.products = self.queries @ library.centred.T
        self.squares = (self.queries**2).sum(1)

    def root_mean_square(self, found: _Set) -> float:
        """Of what a set leaves."""
        return float(np.sqrt(found.left / self.queries.shape[1]))

    def background(self, found: _Set) -> float:
        """The constant beside a set."""
        means = self.library.components.intensity[found.rows].mean(1)
        return float(self.means[found.move] - found.factors @ means)

    def best(self, slots: Sequence[np.ndarray]) -> _Set:
        """The best set with one component from each slot, a mask (m,), all of one width."""
        found = []
        for alike in self.library.groups:
            rows = [np.flatnonzero(slot & alike) for slot in slots]
            different = any(slot is not slots[0] for slot in slots)
            for first in range(len(slots) if different else 1):
                found.append(self._exchanged(rows, first))
        return min(found, key=lambda one: one.left)

    def _exchanged(self, slots: list[np.ndarray], first: int) -> _Set:
        """Components are added one by one; after each, all are exchanged in turn for the best
        beside the others until no exchange helps. Which comes first decides in which minimum that
        ends.
        """
        order = [*range(first, len(slots)), *range(first)]
        rows: dict[int, int] = {}
        for count in range(1, len(slots) + 1):
            best, unchanged = None, 0
            for number in [order[count - 1], *(order[:count] * SWEEPS)]:
                others = [row for slot, row in rows.items() if slot != number]
                new = self._beside(others, slots[number])
                unchanged += 1
                if best is None or new.left < best.left * (1 - 1e-9):
                    rows[number], best, unchanged = new.rows[-1], new, 0
                if unchanged == count:
                    break
        factors = dict(zip(best.rows, best.factors, strict=True))
        ordered = [rows[number] for number in range(len(slots))]
        return replace(best, rows=ordered, factors=np.array([factors[row] for row in ordered]))

    def _beside(self, others: list[int], slot: np.ndarray) -> _Set:
        """The best set of others and one of a slot's rows."""
        _, left = self._left(others, slot)
        move = left.argmin(0)
        likely = np.argsort(left.min(0), kind="stable")[:TRIED]
        sets = [self._fitted([*others, int(slot[i])], int(move[i])) for i in likely]
        return min(sets, key=lambda one: one.left)

    def _left(self, others: list[int], slot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums of squares that others leave, (moves,), and they and one of a slot's rows, (moves,
        rows), where all factors but the last may be negative.
        """
        spectra = self.library.centred
        basis = np.linalg.svd(spectra[others].T, full_matrices=False)[0]
        inside, along = spectra[slot] @ basis, self.queries @ basis
        norms = self.library.norms[slot] - (inside**2).sum(1)
        new = norms > ALIKE * self.library.norms[slot]
        overlap = np.maximum(self.products[:, slot] - along @ inside.T, 0)
        gain = np.where(new, overlap**2 / np.where(new, norms, 1), 0)
        alone = self.squares - (along**2).sum(1)
        tiny = np.finfo(float).tiny
        return np.maximum(alone, tiny), np.maximum(alone[:, None] - gain, tiny)

    def _fitted(self, rows: list[int], move: int) -> _Set:
        factors, norm = nnls(self.library.centred[rows].T, self.queries[move])
        return _Set(rows, factors, move, max(norm**2, np.finfo(float).tiny))

    def drawn(self, best: _Set, freedom: float, random: np.random.Generator) -> list[_Set]:
        """Sets of components by their posterior probability (Gibbs sampling; Geman and Geman, IEEE
        Trans. Pattern Anal. Mach. Intell. 6, 721 (1984)), from the best on.

        A valence is absent or present with equal prior probability, and then any of its spectra
        as likely as another. A factor more is charged as in Schwarz's criterion, Ann. Stat. 6, 461
        (1978).
        """
        slots = self._alike(best)
        rows: list[int | None] = list(best.rows)
        charge = np.log(freedom) / 2 + np.log([len(slot) for slot in slots])
        sets = []
        for _ in range(DRAWS):
            for number, slot in enumerate(slots):
                others = [row for row in rows[:number] + rows[number + 1 :] if row is not None]
                alone, left = self._left(others, slot)
                present = -freedom / 2 * np.log(left) - charge[number]
                absent = -freedom / 2 * np.log(alone) if others else np.full(len(left), -np.inf)
                move, column = _one_of(np.column_stack([absent, present]), random)
                rows[number] = int(slot[column - 1]) if column else None
            here = [number for number, row in enumerate(rows) if row is not None]
            one = self._fitted([rows[number] for number in here], move)
            value = -freedom / 2 * np.log(one.left) - charge[here].sum()
            sets.append(replace(one, probability=float(value)))
        return sets

    def _alike(self, best: _Set) -> list[np.ndarray]:
        """The library rows of each valence that go with a set's width."""
        valence = self.library.components.valence
        alike = next(group for group in self.library.groups if group[best.rows].all())
        return [np.flatnonzero(alike & (valence == v)) for v in self.library.valences]

    def freedom(self, found: _Set) -> float:
        """Degrees of freedom of what a set leaves, fewer where neighbouring points are alike.

        Of n points n / (1 + 2 sum of the autocorrelations) count, summed up to the first that is
        not positive (Geyer, Stat. Sci. 7, 473 (1992)): a model's errors are smooth, so they count
        little. Each component takes one for its factor and one for its choice, the background one
        and the shift one.
        """
        rest = self.queries[found.move] - found.factors @ self.library.centred[found.rows]
        products = np.correlate(rest, rest, "full")[len(rest) - 1 :]
        alike = products[1:] / max(products[0], np.finfo(float).tiny)
        first = np.argmax(alike <= 0) if (alike <= 0).any() else len(alike)
        return max(len(rest) / (1 + 2 * alike[:first].sum()) - 2 * len(found.rows) - 2, 2.0)


@dataclass(frozen=True)
class Stretch:
    """How far intervals must grow to hold what they say, as simulated mixtures teach.

    Split conformal prediction on intervals (Romano, Patterson, Candes, Conformalized quantile
    regression, Adv. Neural Inf. Process. Syst. 32 (2019), eq. 6 and 7, with the length as scale),
    by valence and by groups of the length of the interval of greatest coverage (Mondrian), because
    short intervals miss more often: what the library lacks does not shrink with the noise.

    Attributes
    ----------
    edges
        Lengths between the groups, shape (c, groups - 1).
    factor
        Growth at each end in lengths, shape (c, groups, coverages); infinite where a group is too
        small for the coverage.
    """

    edges: np.ndarray
    factor: np.ndarray

    @classmethod
    def learn(cls, fits: Sequence[Mixture], truth: np.ndarray) -> Stretch:
        """From n simulated mixtures and their fractions (n, c)."""
        lower, upper = (
            np.stack([getattr(fit, end) for fit in fits]) for end in ("lower", "upper")
        )
        length = upper - lower
        outside = np.maximum(lower - truth[..., None], truth[..., None] - upper)
        scores = outside / (length + LEAST_LENGTH)
        groups = max(1, min(GROUPS, len(fits) // SMALLEST_GROUP))
        edges = np.quantile(length[..., -1], np.arange(1, groups) / groups, axis=0).T
        factor = np.empty((truth.shape[1], groups, len(COVERAGE)))
        for column, ends in enumerate(edges):
            group = np.searchsorted(ends, length[:, column, -1])
            for number in range(groups):
                factor[column, number] = _conformal(scores[group == number, column])
        return cls(edges, factor)

    def __call__(self, fit: Mixture) -> Mixture:
        """The same with calibrated intervals, which hold the estimate and end at 0 and 1."""
        length = fit.upper - fit.lower
        pairs = zip(self.edges, length[:, -1], strict=True)
        group = [int(np.searchsorted(ends, one)) for ends, one in pairs]
        growth = self.factor[np.arange(len(group)), group] * (length + LEAST_LENGTH)
        fraction = fit.fraction[:, None]
        return replace(
            fit,
            lower=np.clip(fit.lower - growth, 0, fraction),
            upper=np.clip(fit.upper + growth, fraction, 1),
        )


def unclaimed(fit: Mixture) -> Mixture:
    """The same with intervals that say nothing."""
    return replace(fit, lower=np.zeros_like(fit.lower), upper=np.ones_like(fit.upper))


def _conformal(scores: np.ndarray) -> np.ndarray:
    """The score (n, coverages) that a further one keeps to with each coverage."""
    ranks = np.ceil((len(scores) + 1) * np.array(COVERAGE) - ROUNDING).astype(int)
    ordered = np.vstack([np.sort(scores, axis=0), np.full(len(COVERAGE), np.inf)])
    return ordered[np.minimum(ranks, len(ordered)) - 1, np.arange(len(COVERAGE))]


def p_value(gain: float, chance: float, pure: np.ndarray) -> float:
    """Probability of such a gain for a spectrum of one valence.

    The larger of ``chance`` and the share of simulated spectra of one valence, whose gains are
    ``pure`` (n,), that reach the gain, itself counted (conformal p-value; Vovk, Gammerman, Shafer,
    Algorithmic Learning in a Random World, Springer 2005). Without any, it is ``chance``.
    """
    if not len(pure):
        return chance
    return max(chance, (1 + (pure >= gain).sum()) / (len(pure) + 1))


def _one_of(logarithms: np.ndarray, random: np.random.Generator) -> tuple[int, int]:
    """A place in a table, drawn by probabilities of which the logarithms are given."""
    sums = np.cumsum(np.exp(logarithms - logarithms.max()))
    row, column = divmod(
        int(np.searchsorted(sums, random.uniform() * sums[-1])), logarithms.shape[1]
    )
    return row, column


def _centred(spectra: np.ndarray) -> np.ndarray:
    return spectra - spectra.mean(1, keepdims=True)
