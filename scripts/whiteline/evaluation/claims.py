"""Whether a measure keeps the contract and is what it claims to be, tried on simulated spectra.

Each check takes a `Trial` and returns what is violated in one sentence with figures, or None.
Faults that the measure itself raises are violations too (`check`). A check that holds is no
proof: it says that nothing was found on these spectra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from whiteline import measures
from whiteline.errors import InputError
from whiteline.evaluation import examples
from whiteline.evaluation.examples import ENERGY, spectra
from whiteline.measures import BoundEnsemble, BoundMeasure

# Parts of the median distance that pass for zero: the square root of rounding in double
# precision, and rounding itself after some hundred sums.
ZERO = 1e-7
ROUNDING = 1e-9
# A shift (eV) must cost less than this part of what it costs the euclidean distance.
SHIFT, SHIFT_COST = 0.5, 0.3


@dataclass(frozen=True)
class Trial:
    """A measure on trial: its kind, and its parameters where they are not the default ones."""

    kind: str
    parameters: dict[str, Any]

    @cached_property
    def measure(self) -> BoundMeasure | BoundEnsemble:
        """In double precision where nothing else is asked for, having learnt if it learns."""
        return self.load()

    @property
    def facts(self) -> measures.Measure:
        """What the measure claims."""
        return measures.load(self.kind, **self.parameters).facts

    def load(self, **parameters: Any) -> BoundMeasure | BoundEnsemble:
        """A new measure with some parameters changed."""
        values = {**self.parameters, **parameters}
        if not measures.load(self.kind, **self.parameters).members:
            values = {"precision": "double", **values}
        intensity, labels = examples.labelled(120, seed=9)
        return measures.load(self.kind, **values).fit(intensity, labels, ENERGY, seed=0)

    def distances(self, queries: np.ndarray, library: np.ndarray) -> np.ndarray:
        """Distances (n, m) of spectra on `ENERGY` that are not yet prepared."""
        return distances(self.measure, queries, library)


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    Attributes
    ----------
    name
        What was checked.
    claimed
        Whether the measure must pass: False for what it doesn't claim.
    violation
        What is violated, None if nothing.
    """

    name: str
    claimed: bool
    violation: str | None


def check(kind: str, **parameters: Any) -> Iterator[Finding]:
    """Try a measure by every check that applies to it, one after the other.

    Raises
    ------
    InputError
        If there is no such measure, or it can't be loaded.
    """
    claimed = applying(measures.load(kind, **parameters).facts)
    trial = Trial(kind, parameters)
    for name in CHECKS:
        if name in claimed or name in OPTIONAL:
            yield Finding(name, name in claimed, _violation(name, trial))


def applying(facts: measures.Measure) -> list[str]:
    """Names of the checks that a measure with such facts must pass."""
    return [name for name, (applies, _) in CHECKS.items() if applies(facts)]


def violation(name: str, kind: str, **parameters: Any) -> str | None:
    """What a measure violates of one check, None if nothing."""
    return _violation(name, Trial(kind, parameters))


def _violation(name: str, trial: Trial) -> str | None:
    _, violated = CHECKS[name]
    try:
        # A warning of numpy's has its consequence in the distances, which are looked at.
        with np.errstate(all="ignore"):
            return violated(trial)
    except InputError as error:
        return str(error)
    except Exception as error:
        # It is the user's own code that is tried, which may fail in any way.
        return f"{trial.kind}: {type(error).__name__}: {error}"


def distances(measure, queries, library, energy=ENERGY) -> np.ndarray:
    """Distances (n, m) of spectra that are not yet prepared."""
    prepared = measure.prepare(queries, energy), measure.prepare(library, energy)
    return measure.pairwise(*prepared, energy)


def shape(trial: Trial) -> str | None:
    """One finite distance for each pair, never negative; none for an empty set."""
    for queries, library in ((5, 7), (2, 0), (0, 2)):
        found = trial.distances(spectra(7)[:queries], spectra(7, seed=1)[:library])
        if found.shape != (queries, library) or not np.isfinite(found).all() or (found < 0).any():
            return (
                f"{queries} queries and {library} library spectra gave distances of shape "
                f"{found.shape}, not all finite and zero or more"
            )
    return None


def identity(trial: Trial) -> str | None:
    """d(a, a) = 0, and more for spectra that differ."""
    some = spectra(6)
    found = trial.distances(some, some)
    own, other = np.diag(found), found[~np.eye(6, dtype=bool)]
    typical = np.median(other)
    if own.max() > ZERO * typical:
        return f"a spectrum is at {own.max():.3g} from itself; other spectra are at {typical:.3g}"
    if not trial.facts.depends_on_library and other.min() <= ZERO * typical:
        return f"two spectra that differ are at distance {other.min():.3g}"
    return None


def input_unchanged(trial: Trial) -> str | None:
    """Neither ``prepare`` nor ``pairwise`` writes into what it is given."""
    given = spectra(3)
    prepared = trial.measure.prepare(given, ENERGY)
    if change := np.abs(given - spectra(3)).max():
        return f"prepare changed its input by up to {change:.3g}"
    before = prepared.copy()
    trial.measure.pairwise(prepared, prepared, ENERGY)
    if (changed := np.count_nonzero(prepared != before)) > 0:
        return f"comparing changed {changed} of {before.size} values of the prepared spectra"
    return None


def deterministic(trial: Trial) -> str | None:
    """The same spectra give the same bytes, also in a measure that is loaded anew."""
    queries, library = spectra(4), spectra(6, seed=1)
    first = trial.distances(queries, library)
    for again in (trial.distances(queries, library), distances(trial.load(), queries, library)):
        if first.tobytes() != again.tobytes():
            return f"a second run differs by up to {np.abs(first - again).max():.3g}"
    return None


def pair_by_pair(trial: Trial) -> str | None:
    """A pair has one distance, whatever else is prepared and compared with it."""
    queries, library = spectra(5), spectra(6, seed=1)
    whole = trial.distances(queries, library)
    single = [[trial.distances(q[None], x[None])[0, 0] for x in library] for q in queries]
    if (off := _apart(whole, np.array(single))) > ROUNDING:
        return (
            f"a pair alone is at another distance than among others, by {off:.2g} of the median; "
            "say depends_on_library=True if it is meant to"
        )
    return None


def memory_order(trial: Trial) -> str | None:
    """Views in any memory order give the same distances."""
    queries, library = spectra(4), spectra(6, seed=1)
    whole = trial.distances(queries, library)[::2, ::-1]
    found = trial.distances(np.asfortranarray(queries)[::2], library[::-1])
    if (off := _apart(whole, found)) > ROUNDING:
        return f"views of the spectra change the distances by {off:.2g} of their median"
    return None


def noise(trial: Trial) -> str | None:
    """Noise with negative intensities gives finite distances."""
    random = np.random.default_rng(2).normal(0, 0.3, (20, len(ENERGY)))
    for queries in (spectra(20) + random, random):
        trial.distances(queries, spectra(5, seed=1))
    return None


def single_precision(trial: Trial) -> str | None:
    """Single precision agrees with double, also for neighbours as near as those of a library."""
    some = spectra(6)
    near = some + 0.01 * (spectra(6, seed=1) - some)
    library = np.concatenate([some, near, spectra(5, seed=2)])
    double = trial.distances(some, library)
    single = distances(trial.load(precision="single"), some, library)
    off = np.abs(single - double) - 1e-6 * np.median(double)
    if (worst := (off - 1e-4 * double).max()) > 0:
        pair = np.unravel_index((off - 1e-4 * double).argmax(), off.shape)
        return (
            f"{single[pair]:.6g} in single precision is {double[pair]:.6g} in double, "
            f"{worst:.2g} more than rounding; say precision='double'"
        )
    return None


def symmetry(trial: Trial) -> str | None:
    """d(a, b) = d(b, a)."""
    a, b = _varied(8)[::2], _varied(8)[1::2]
    found, turned = trial.distances(a, b), trial.distances(b, a).T
    if _apart(found, turned) > 1e-6:
        pair = np.unravel_index(np.abs(found - turned).argmax(), found.shape)
        return f"d(a, b) is {found[pair]:.6g} where d(b, a) is {turned[pair]:.6g}"
    return None


def triangle_inequality(trial: Trial) -> str | None:
    """d(a, b) <= d(a, c) + d(c, b), also where c lies between the two, which makes it tight."""
    some = _varied(15)
    some = np.concatenate([some, (some[:-1] + some[1:]) / 2])
    found = trial.distances(some, some)
    beyond = found[:, None, :] - (found[:, :, None] + found[None, :, :])
    a, c, b = np.unravel_index(beyond.argmax(), beyond.shape)
    if beyond.max() > ROUNDING * np.median(found):
        return (
            f"d(a, b) is {found[a, b]:.6g} where the way over c is d(a, c) + d(c, b) = "
            f"{found[a, c]:.6g} + {found[c, b]:.6g}"
        )
    return None


def growth(trial: Trial) -> str | None:
    """Twice the change of a spectrum gives 2^order times the distance."""
    found, tolerance = power(trial), 0.02
    if np.isnan(found):
        # To see the power of ranks, points must be dense and the change not small. Flat parts
        # still lower it a little.
        found, tolerance = _power_of_steps(trial), 0.25
    if not abs(found - trial.facts.order) <= tolerance:
        return (
            f"the distance grows as the power {found:.2f} of a small change, "
            f"not as order={trial.facts.order} says"
        )
    return None


def power(trial: Trial) -> float:
    """Power with which the distance grows with a small change.

    NaN for ranks, whose distance changes in steps: where the change exceeds the difference of
    neighbouring points.
    """
    near, barely_more, far = _changed(trial, ENERGY, 1e-3, 1.001e-3, 2e-3)
    if np.mean(near == barely_more) > 0.1:
        return np.nan
    return float(np.log2(np.median(far / near)))


def _power_of_steps(trial: Trial) -> float:
    dense = np.linspace(ENERGY[0], ENERGY[-1], 10 * len(ENERGY))
    near, far = _changed(trial, dense, 0.01, 0.02)
    return float(np.log2(np.median(far / near)))


def _changed(trial: Trial, energy: np.ndarray, *changes: float) -> list[np.ndarray]:
    """Distances (n,) of spectra to themselves changed by a part of the way to others."""
    some, others = spectra(10, 0, energy), spectra(10, 1, energy)

    def changed(part: float) -> np.ndarray:
        moved = some + part * (others - some)
        pairs = zip(some, moved, strict=True)
        found = [distances(trial.measure, a[None], b[None], energy) for a, b in pairs]
        return np.concatenate(found)[:, 0]

    return [changed(part) for part in changes]


def shift_tolerance(trial: Trial) -> str | None:
    """A shift costs much less, against the distance of other spectra, than it costs euclidean."""
    own = _cost_of_shift(trial)
    usual = _cost_of_shift(Trial("euclidean", {}))
    if own >= SHIFT_COST * usual:
        return (
            f"a shift of {SHIFT} eV costs {own:.2g} of the distance of other spectra, and "
            f"{usual:.2g} with euclidean; it tolerates shifts below {SHIFT_COST * usual:.2g}"
        )
    return None


def _cost_of_shift(trial: Trial) -> float:
    # To the power 1 / order all measures grow alike.
    found = trial.distances(spectra(10), spectra(10, energy=ENERGY + SHIFT))
    found = found ** (1 / trial.facts.order)
    return float(np.median(np.diag(found)) / np.median(found[~np.eye(10, dtype=bool)]))


def negative_refused(trial: Trial) -> str | None:
    """Negative intensities are refused if so configured, and clipped at zero otherwise."""
    strict, given = trial.load(negative="refuse"), spectra(3)
    if not np.array_equal(
        strict.prepare(given, ENERGY), trial.measure.prepare(given, ENERGY), equal_nan=True
    ):
        return "'negative: refuse' changes spectra that have no negative intensity"
    given[1, 7] = -0.25
    clipped = trial.measure.prepare(given, ENERGY)
    if not np.array_equal(clipped, trial.measure.prepare(np.maximum(given, 0), ENERGY)):
        return "a negative intensity is not the same as zero"
    try:
        strict.prepare(given, ENERGY)
    except InputError:
        return None
    return "'negative: refuse' takes an intensity of -0.25"


def _varied(count: int) -> np.ndarray:
    """Simulated spectra, and as many of random intensities, most of them small."""
    random = np.random.default_rng(4).exponential(size=(count, len(ENERGY))) ** 3
    return np.concatenate([spectra(count), random / random.max(axis=1, keepdims=True)])


def _apart(first: np.ndarray, second: np.ndarray) -> float:
    """Largest difference of two sets of distances, in parts of their median."""
    return float(np.abs(first - second).max() / (np.median(first) or 1.0))


def _always(facts: measures.Measure) -> bool:
    return True


def _of_pairs(facts: measures.Measure) -> bool:
    return not facts.depends_on_library


ORDER = "grows with a small change as order says"

# What is checked, for which measures, and how.
CHECKS: dict[str, tuple[Callable, Callable]] = {
    "one finite distance per pair, never negative": (_always, shape),
    "zero to itself, more to others": (_always, identity),
    "leaves its input alone": (_always, input_unchanged),
    "the same every time": (_always, deterministic),
    "the same pair by pair": (_of_pairs, pair_by_pair),
    "the same in any memory order": (_always, memory_order),
    "finite on noise with negative values": (_always, noise),
    "single precision is enough": (
        lambda facts: facts.precision == "single" and _of_pairs(facts),
        single_precision,
    ),
    ORDER: (_of_pairs, growth),
    "symmetric": (lambda facts: facts.symmetric, symmetry),
    "triangle inequality (is_metric)": (lambda facts: facts.is_metric, triangle_inequality),
    "tolerates a shift": (lambda facts: facts.tolerates_shift, shift_tolerance),
    "refuses negative values (needs_nonnegative)": (
        lambda facts: facts.needs_nonnegative,
        negative_refused,
    ),
}
# Claims that a measure need not make: these are tried on every one.
OPTIONAL = ("symmetric", "triangle inequality (is_metric)", "tolerates a shift")
