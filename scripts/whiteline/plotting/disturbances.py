"""Figure of the error against the strength of a disturbance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from whiteline.plotting.layout import panels
from whiteline.plotting.style import GREY, Style

# What each disturbance is called on an axis; those of the second set get a logarithmic axis.
LEVELS = {
    "snr": "signal-to-noise ratio (1)",
    "counts": "counts at the peak (1)",
    "gaussian_fwhm": "further Gaussian broadening, FWHM (eV)",
    "energy_shift": "rigid shift of the energy axis (eV)",
    "dispersion_error": "relative error of the energy step (1)",
    "background": "linear background across the axis (peak heights)",
}
LOGARITHMIC = ("snr", "counts")
BASELINES = {"library_mean": "dash", "random": "dot"}


def level_figure(
    scores: pd.DataFrame, baselines: pd.DataFrame, kind: str, looks: dict[str, Style]
) -> go.Figure:
    """Error of 10Dq and accuracy of the valence against the strength of a disturbance.

    Parameters
    ----------
    scores
        Columns measure, level, ten_dq_mae (eV), valence_accuracy.
    baselines
        The same with the baseline's name in place of the measure's.
    kind
        The disturbance, a key of `LEVELS`.
    looks
        From `styles`.
    """
    figure = panels("10Dq mean absolute error", "valence accuracy", rows=2)
    for name, part in scores.groupby("measure", sort=False):
        look = looks[name]
        drawn = {
            "name": name,
            "legendgroup": name,
            "line": {"color": look.colour, "dash": look.dash, "width": 2},
            "marker": {"color": look.colour, "symbol": look.symbol, "size": 9},
            "mode": "lines+markers",
        }
        _level_lines(figure, part, kind, drawn)
    for name, part in baselines.groupby("measure", sort=False):
        drawn = {
            "name": str(name).replace("_", " "),
            "legendgroup": name,
            "line": {"color": GREY, "dash": BASELINES.get(name, "longdashdot"), "width": 2},
            "mode": "lines",
        }
        _level_lines(figure, part, kind, drawn)
    _level_axis(figure, scores["level"].unique(), kind)
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]
    figure.update_yaxes(title_text="10Dq error (eV)", type="log", tickvals=ticks, col=1)
    figure.update_yaxes(title_text="correct valence (%)", range=[0, 104], col=2)
    return figure


def _level_lines(figure: go.Figure, part: pd.DataFrame, kind: str, drawn: dict[str, Any]) -> None:
    part = part.sort_values("level")
    x = _level_places(part["level"].values, kind)
    level = [_level_text(level) for level in part["level"]]
    columns = (("ten_dq_mae", 1, "%{y:.3f} eV"), ("valence_accuracy", 100, "%{y:.0f} %"))
    for column, (name, factor, shown) in enumerate(columns, start=1):
        figure.add_scatter(
            x=x,
            y=factor * part[name].values,
            text=level,
            hovertemplate=f"%{{text}}: {shown}",
            showlegend=column == 1,
            row=1,
            col=column,
            **drawn,
        )


def _level_places(levels: np.ndarray, kind: str) -> np.ndarray:
    """Where levels lie on the axis; none (infinite) one typical step beyond the largest."""
    levels = np.asarray(levels, dtype=float)
    if kind not in LOGARITHMIC:
        return levels
    finite = np.sort(levels[np.isfinite(levels)])
    step = (finite[-1] / finite[0]) ** (1 / (len(finite) - 1)) if len(finite) > 1 else 3.0
    return np.where(np.isinf(levels), finite[-1] * step, levels)


def _level_text(level: float) -> str:
    return "none" if np.isinf(level) else f"{level:g}"


def _level_axis(figure: go.Figure, levels: np.ndarray, kind: str) -> None:
    title = LEVELS[kind]
    if kind in LOGARITHMIC:
        ticks = {
            "type": "log",
            "tickvals": _level_places(levels, kind),
            "ticktext": [_level_text(level) for level in levels],
        }
        figure.update_xaxes(**ticks)
        if np.isinf(levels).any():
            title += "; none: no noise"
    figure.update_xaxes(title_text=title)
