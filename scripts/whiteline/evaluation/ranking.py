"""Ranks measures by their errors on the same spectra, with a critical difference.

Friedman's test says whether the measures differ at all; two measures differ where their mean ranks
are farther apart than Nemenyi's critical difference (Demsar, J. Mach. Learn. Res. 7, 1 (2006)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, rankdata, studentized_range

SIGNIFICANCE = 0.05
# A wrong valence is worse than any error of 10Dq, eV.
WRONG_VALENCE = 100.0


@dataclass(frozen=True)
class Ranking:
    """Mean rank of each measure (1 is best), the critical difference and Friedman's p-value."""

    mean_rank: pd.Series
    critical_difference: float
    p_value: float


def rank(loss: pd.DataFrame) -> Ranking:
    """Rank the columns (measures, at least two) of a table of losses, one row per spectrum."""
    rows, count = loss.shape
    mean_rank = pd.Series(rankdata(loss.values, axis=1).mean(0), loss.columns).sort_values()
    quantile = studentized_range.ppf(1 - SIGNIFICANCE, count, np.inf) / np.sqrt(2)
    difference = quantile * np.sqrt(count * (count + 1) / (6 * rows))
    # The test needs three columns; for two the difference of ranks says all.
    p_value = friedmanchisquare(*loss.values.T).pvalue if count > 2 else np.nan
    return Ranking(mean_rank, float(difference), float(p_value))


def loss(errors: pd.DataFrame) -> pd.Series:
    """Per spectrum the error of 10Dq (eV), far beyond any where it or the valence is missed."""
    return (
        errors["ten_dq_error"].abs().fillna(WRONG_VALENCE)
        + WRONG_VALENCE * ~errors["valence_correct"]
    )
