"""What the page is made of: the products of the workflow, by branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from whiteline.evaluation.ranking import Ranking, loss, rank


@dataclass(frozen=True)
class Measured:
    """A set of measured spectra: datasets of contracts "spectra", "shifts", "estimates",
    "preparation" (of the first spectra) and, where they are asked for, "mixtures"."""

    collection: str
    queries: xr.Dataset
    shifts: xr.Dataset
    estimates: xr.Dataset
    steps: xr.Dataset
    mixtures: xr.Dataset | None = None


@dataclass(frozen=True)
class Branch:
    """All that the page shows of one library in one preprocessing.

    ``errors`` is the table of single-spectrum errors (``None`` without scenarios), ``maps`` holds
    a dataset per embedding and ``seconds`` the time of the scenarios' distances per measure.
    """

    library: str
    preprocessing: str
    spectra: xr.Dataset
    errors: pd.DataFrame | None = None
    maps: Mapping[str, xr.Dataset] = field(default_factory=dict)
    measured: Sequence[Measured] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The branch in file names and anchors."""
        return f"{self.library}_{self.preprocessing}"

    def picture_name(self, kind: str, measured: Measured, row: int) -> str:
        """Name of a figure's files and its anchor; identifiers may hold anything."""
        text = str(measured.queries["id"].values[row])
        safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in text)
        return f"{kind}_{self.key}_{measured.collection}_{row + 1:02d}_{safe}"


@dataclass(frozen=True)
class Products:
    """The configuration with defaults, all scores and the branches.

    ``scores`` are those of the scenarios and ``map_quality`` those of the maps; either is empty
    where there are none.
    """

    study: Mapping[str, Any]
    scores: pd.DataFrame
    branches: Sequence[Branch]
    map_quality: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def measure(self) -> str:
        """The measure shown in detail."""
        return self.study["report"]["measure"]

    @property
    def estimator(self) -> str:
        """The estimator shown in detail."""
        return self.study["report"]["estimator"]

    @property
    def ranked_by(self) -> str | None:
        """The scenario that ranks the measures."""
        return self.study["report"].get("ranked_by")

    @property
    def calibration(self) -> str | None:
        """The scenario that calibrates the estimators."""
        return self.study.get("calibration")

    @property
    def scored(self) -> dict[str, Mapping[str, Any]]:
        """Configurations of the scored scenarios."""
        return {k: v for k, v in self.study["scenarios"].items() if k != self.calibration}

    def of(self, branch: Branch, **wanted: str) -> pd.DataFrame:
        """Scores of a branch whose columns have the wanted values."""
        wanted = {"library": branch.library, "preprocessing": branch.preprocessing, **wanted}
        chosen = np.ones(len(self.scores), dtype=bool)
        for column, value in wanted.items():
            chosen &= (self.scores[column] == value).values
        return self.scores[chosen]

    def ranked_errors(self, branch: Branch) -> pd.DataFrame | None:
        """Errors of all measures in the scenario that ranks them, by the report's estimator."""
        if branch.errors is None or self.ranked_by is None:
            return None
        errors = branch.errors
        chosen = (errors["scenario"] == self.ranked_by) & (errors["estimator"] == self.estimator)
        return errors[chosen] if chosen.any() else None

    def ranking(self, branch: Branch) -> Ranking | None:
        """The measures ranked by these errors, if there are several."""
        errors = self.ranked_errors(branch)
        if errors is None or errors["measure"].nunique() < 2:
            return None
        table = errors.assign(loss=loss(errors))
        return rank(table.pivot(index="id", columns="measure", values="loss"))


def levels(scenario: Mapping[str, Any]) -> Sequence[Any]:
    """Levels of a scenario's varied disturbance; ``[None]`` if nothing is varied."""
    return next(iter(scenario["vary"].values()), [None])


def spectra_in(scenarios: Mapping[str, Mapping[str, Any]]) -> int:
    """Number of test spectra of scenarios, all levels counted."""
    return sum(scenario["spectra"] * len(levels(scenario)) for scenario in scenarios.values())
