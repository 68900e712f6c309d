"""Figure of the measures' mean ranks."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from whiteline.evaluation.ranking import Ranking
from whiteline.plotting.layout import single
from whiteline.plotting.style import GREY, LIGHT, Style


def ranking_figure(ranking: Ranking, looks: dict[str, Style]) -> go.Figure:
    """Mean rank of each measure; shaded is what can't be told from the best."""
    names = list(ranking.mean_rank.index)
    best = ranking.mean_rank.iloc[0]
    figure = single(height=130 + 30 * len(names), width=800)
    figure.add_vrect(
        x0=best,
        x1=best + ranking.critical_difference,
        fillcolor=LIGHT,
        line_width=0,
        layer="below",
    )
    figure.add_scatter(
        x=ranking.mean_rank.values,
        y=names,
        mode="markers",
        marker={
            "size": 12,
            "color": [looks[name].colour for name in names],
            "symbol": [looks[name].symbol for name in names],
        },
        error_x={
            "array": np.full(len(names), ranking.critical_difference / 2),
            "color": GREY,
            "thickness": 1.5,
        },
        hovertemplate="%{y}: mean rank %{x:.2f}<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title_text="mean rank (1 is best)")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure
