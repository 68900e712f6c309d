"""Empty figures: axes, one or two panels, room for the legend."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from whiteline.plotting.style import GREY, LIGHT

# Pixels: above the axes, where the page's buttons are; from them to the legend; one row of it.
TOP, TO_LEGEND, LEGEND_ROW = 40, 58, 26
FONT = "Open Sans, Helvetica, Arial, sans-serif"


def single(height: int, width: int) -> go.Figure:
    """One panel; ``width`` is that of the files."""
    figure = go.Figure()
    style(figure, height, width)
    return figure


def panels(
    left: str, right: str, height: int = 430, rows: int = 1, shared: bool = False
) -> go.Figure:
    """Two panels side by side; ``meta.narrow`` is the layout that puts one above the other."""
    figure = make_subplots(1, 2, subplot_titles=[left, right], horizontal_spacing=0.11)
    style(figure, height, 1000)
    figure.update_annotations(font={"family": FONT, "size": 14})
    if shared:
        figure.update_xaxes(matches="x")
        figure.update_yaxes(matches="y")
    narrow = {
        "height": round(1.9 * height),
        "xaxis.domain": [0, 1],
        "xaxis2.domain": [0, 1],
        "yaxis.domain": [0.58, 1],
        "yaxis2.domain": [0, 0.42],
        "annotations[0].x": 0.5,
        "annotations[1].x": 0.5,
        "annotations[1].y": 0.42,
        # A narrow legend has more rows; the axes give way to them.
        "legend.y": _below(round(1.9 * height), rows=4),
    }
    figure.update_layout(meta={"width": 1000, "narrow": narrow})
    legend_below(figure, rows)
    return figure


def legend_below(figure: go.Figure, rows: int = 1) -> None:
    """Room for a legend under the axis title."""
    bottom = TO_LEGEND + rows * LEGEND_ROW
    figure.update_layout(margin_b=bottom, legend_y=_below(figure.layout.height, rows))


def style(figure: go.Figure, height: int, width: int) -> None:
    """The look of all figures; ``meta`` holds the width of the files, as the page's is free."""
    axis = {
        "gridcolor": LIGHT,
        "linecolor": GREY,
        "showline": True,
        "ticks": "outside",
        "tickcolor": GREY,
        "zeroline": False,
        "title": {"font": {"size": 14}, "standoff": 8},
    }
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": "#222222"},
        height=height,
        margin={"l": 70, "r": 20, "t": TOP, "b": 55},
        paper_bgcolor="white",
        plot_bgcolor="white",
        legend={"orientation": "h", "yanchor": "top", "x": 0, "font": {"size": 13}},
        hoverlabel={"font": {"family": FONT, "size": 13}},
        meta={"width": width},
    )
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)


def _below(height: int, rows: int = 1) -> float:
    """Place of that legend in heights of the axes."""
    return -TO_LEGEND / (height - TOP - TO_LEGEND - rows * LEGEND_ROW)
