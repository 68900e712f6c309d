"""Nearest library spectra, exactly, without comparing every query with the whole library.

    measure = measures.load("correlation")
    index = search.build(measure, measure.prepare(library, energy), energy, groups=valence)
    distances, rows = index.nearest(measure.prepare(queries, energy), k=5)

Each family of measures has a lower bound of its distance that costs a fraction of it. A library
spectrum whose bound is above the distance of one already found can't be nearer; only the others
are compared in full. The answers are therefore those of a comparison with every library spectrum,
rounding included (`whiteline.search.base.Index`). Distances are computed in float64, whatever the
precision of the prepared spectra: the measure's own agree with them within their rounding, with
``precision="double"`` to about 1e-12. A measure of which no bound is known is searched by that
comparison, with the same interface.
"""

from __future__ import annotations

import numpy as np

from whiteline.errors import InputError
from whiteline.measures import BoundMeasure
from whiteline.search.around import Axis
from whiteline.search.base import Index, available_threads
from whiteline.search.divergence import ChiSquare, JensenShannon
from whiteline.search.dtw import Warping
from whiteline.search.euclidean import KINDS, Euclidean
from whiteline.search.exhaustive import Exhaustive
from whiteline.search.wasserstein import Wasserstein

__all__ = ["Axis", "Index", "build", "has_bound"]

FAMILIES: dict[str, type[Index]] = {
    **dict.fromkeys(KINDS, Euclidean),
    "wasserstein": Wasserstein,
    "jensen_shannon": JensenShannon,
    "chi_square": ChiSquare,
    "dtw": Warping,
}


def has_bound(kind: str) -> bool:
    """Whether a measure is searched by bounds, rather than by comparing every pair."""
    return kind in FAMILIES


def build(
    measure: BoundMeasure,
    library: np.ndarray,
    energy: np.ndarray,
    groups: np.ndarray | None = None,
    threads: int | None = None,
) -> Index:
    """An index of a library under one measure.

    Parameters
    ----------
    measure
        A measure with its parameters, from `whiteline.measures.load`.
    library
        m spectra, at least one, prepared by the measure.
    energy
        The grid on which they were prepared, eV, shape (points,).
    groups
        A label for each spectrum, e.g. its valence, shape (m,), for
        `whiteline.search.base.Index.nearest_in_groups`.
    threads
        Threads of a search; by default as many as there are cores for this process.

    Raises
    ------
    InputError
        If the library is empty or not finite, the labels don't suit it, or the number of threads
        is below 1.
    """
    library = np.asarray(library)
    if not len(library):
        raise InputError("the library to be searched has no spectra")
    if not np.isfinite(library).all():
        raise InputError("the library to be searched has values that are not finite")
    if threads is not None and threads < 1:
        raise InputError(f"threads is {threads}; it must be 1 or more")
    family = FAMILIES.get(measure.kind, Exhaustive)
    return family(measure, library, energy, groups, threads or available_threads())
