"""Borda ensemble: the mean rank that several measures give to a library spectrum.

Each member ranks the library for a query, the nearest first (Borda's count, turned round); spectra
at one distance share the least rank. The distance is the mean of the ranks over the number of
library spectra: 0 where all members put a spectrum first. So it depends on the whole library and
says nothing of how far away the nearest spectrum is.
"""

from __future__ import annotations

import numpy as np

from whiteline.measures.base import Measure

MEASURE = Measure(
    name="Borda ensemble",
    reference="Zheng et al., npj Comput. Mater. 4, 12 (2018), doi 10.1038/s41524-018-0067-x",
    symmetric=False,
    is_metric=False,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=1,
    cost="its members",
    depends_on_library=True,
)

MEMBERS = [
    "euclidean",
    "correlation",
    {"kind": "correlation", "derivative": 1},
    "jensen_shannon",
    "wasserstein",
]


def combine(distances: np.ndarray, *, members: list = MEMBERS) -> np.ndarray:
    """Mean ranks over the number of library spectra.

    Parameters
    ----------
    distances
        Of every member, shape (members, n, m).
    members
        Kinds of measures, or kinds with their parameters.

    Returns
    -------
    ndarray of shape (n, m)
    """
    from scipy.stats import rankdata

    ranks = rankdata(distances, method="min", axis=-1) if distances.size else distances
    return (ranks - 1).mean(axis=0) / max(distances.shape[-1], 1)
