"""Figures of the errors of single spectra: 10Dq, valence, and how often the intervals hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from whiteline.evaluation.scores import FAILURE
from whiteline.plotting.layout import legend_below, single
from whiteline.plotting.style import COLOURS, GREY, SYMBOLS, valence_marker


def error_figure(errors: pd.DataFrame) -> go.Figure:
    """Error of 10Dq of every test spectrum against its true 10Dq, with the mean size in bins."""
    figure = single(height=430, width=800)
    for valence, part in errors.groupby("true_valence"):
        for correct, rows in part.groupby("valence_correct"):
            figure.add_scatter(
                x=rows["true_ten_dq"],
                y=rows["ten_dq_error"],
                mode="markers",
                marker=valence_marker(valence, open_symbol=not correct) | {"size": 8},
                name=f"valence {valence:g}" + ("" if correct else ", estimated as another"),
                text=rows["id"],
                hovertemplate="%{text}<br>true %{x:.2f} eV, error %{y:.2f} eV<extra></extra>",
            )
    edges = np.arange(0, errors["true_ten_dq"].max() + 0.5, 0.5)
    bins = pd.cut(errors["true_ten_dq"], edges, include_lowest=True)
    size = errors["ten_dq_error"].abs().groupby(bins, observed=True).mean()
    figure.add_scatter(
        x=[interval.mid for interval in size.index],
        y=size.values,
        mode="lines+markers",
        line={"color": "black", "width": 2},
        marker={"symbol": "line-ew-open", "size": 14, "color": "black"},
        name="mean absolute error in bins of 0.5 eV",
        hovertemplate="mean absolute error %{y:.3f} eV<extra></extra>",
    )
    for limit in (-FAILURE, FAILURE):
        figure.add_hline(y=limit, line={"color": GREY, "dash": "dot", "width": 1})
    legend_below(figure)
    figure.update_xaxes(title_text="true 10Dq (eV)")
    figure.update_yaxes(title_text="error of 10Dq (eV)")
    return figure


def confusion_figure(counts: pd.DataFrame) -> go.Figure:
    """Share and number of test spectra by true valence (rows) and estimated valence (columns)."""
    share = counts.div(counts.sum(axis=1), axis=0).fillna(0) * 100
    figure = single(height=190 + 62 * len(counts), width=520)
    figure.add_heatmap(
        z=share.values,
        x=[str(name) for name in counts.columns],
        y=[str(name) for name in counts.index],
        text=[
            [f"{part:.0f} %<br>({count:.0f})" for part, count in zip(parts, row, strict=True)]
            for parts, row in zip(share.values, counts.values, strict=True)
        ],
        texttemplate="%{text}",
        colorscale="Blues",
        zmin=0,
        zmax=100,
        xgap=2,
        ygap=2,
        colorbar={"title": {"text": "share (%)", "side": "right"}, "thickness": 14},
        hovertemplate="true %{y}, estimated %{x}: %{z:.1f} %<extra></extra>",
    )
    figure.update_xaxes(title_text="estimated valence (1)", type="category", showgrid=False)
    figure.update_yaxes(
        title_text="true valence (1)", type="category", autorange="reversed", showgrid=False
    )
    return figure


def coverage_figure(coverage: pd.DataFrame) -> go.Figure:
    """How often the intervals hold the truth, beside how often they should.

    Parameters
    ----------
    coverage
        Index the measures, columns the nominal coverage (e.g. ``"68%"``), values shares; the
        attribute ``spectra`` is the number of test spectra.
    """
    figure = single(height=170 + 30 * len(coverage), width=800)
    lowest = max(0, 100 * coverage.min(axis=None) - 15)
    for number, level in enumerate(coverage.columns):
        observed = coverage[level]
        error = np.sqrt(observed * (1 - observed) / coverage.attrs["spectra"])
        figure.add_scatter(
            x=100 * observed.values,
            y=list(coverage.index),
            mode="markers",
            marker={"size": 11, "color": COLOURS[number], "symbol": SYMBOLS[number]},
            error_x={"array": 100 * error.values, "color": COLOURS[number], "thickness": 1.5},
            name=f"{level.rstrip('%')} % intervals",
            hovertemplate="%{y}: %{x:.0f} %<extra></extra>",
        )
        nominal = float(level.rstrip("%"))
        figure.add_vline(x=nominal, line={"color": COLOURS[number], "dash": "dash", "width": 1.5})
    figure.update_xaxes(title_text="intervals that hold the true 10Dq (%)", range=[lowest, 103])
    figure.update_yaxes(autorange="reversed", automargin=True)
    legend_below(figure)
    return figure
