"""Figures of the report: each function takes tables or arrays and gives one plotly figure.

The page shows the figure itself, and `write` draws the very same one into PNG and SVG files.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import xarray as xr
from plotly.subplots import make_subplots

from whiteline.evaluation.ranking import Ranking
from whiteline.evaluation.scores import FAILURE

# P. Tol's "muted" scheme and black; told apart with any colour vision, the strongest contrasts
# first.
COLOURS = (
    *("#332288", "#CC6677", "#117733", "#999933", "#88CCEE"),
    *("#882255", "#44AA99", "#DDCC77", "#AA4499", "#000000"),
)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "cross", "triangle-down"),
    *("star", "x", "pentagon", "hexagram", "bowtie"),
)
# Okabe and Ito's scheme, by valence.
VALENCE_COLOURS = {0: "#56B4E9", 1: "#E69F00", 2: "#0072B2", 3: "#D55E00", 4: "#009E73"}
OTHER_VALENCE = "#CC79A7"
# Pixels: above the axes, where the page's buttons are; from them to the legend; one row of it.
TOP, TO_LEGEND, LEGEND_ROW = 40, 58, 26
GREY, LIGHT = "#666666", "#E3E3E3"
FONT = "Open Sans, Helvetica, Arial, sans-serif"
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
# A map names its measured spectra in full up to this many, else by number.
NAMED = 4
# One figure takes a fraction of a second; a renderer that takes this long hangs, s.
PATIENCE = 60.0
ATTEMPTS = 3
SUPERSCRIPT = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")


@dataclass(frozen=True)
class Style:
    """How one measure is drawn in every figure."""

    colour: str
    dash: str
    symbol: str


@dataclass(frozen=True)
class Fit:
    """A library spectrum laid on a measured one.

    ``heading`` and ``details`` are lines of text, the latter of about 55 letters; ``measured`` and
    ``simulated`` are intensities on the library's energies, scaled to a measured maximum of 1,
    each of shape (points,).
    """

    valence: float
    heading: str
    details: str
    measured: np.ndarray
    simulated: np.ndarray


def styles(measures: Sequence[str]) -> dict[str, Style]:
    """A style for each measure, from its place in the study, so that adding one changes none."""
    return {
        name: Style(
            COLOURS[number % len(COLOURS)],
            DASHES[(number + number // len(COLOURS)) % len(DASHES)],
            SYMBOLS[number % len(SYMBOLS)],
        )
        for number, name in enumerate(measures)
    }


def ion_label(ion: str) -> str:
    """An ion as it is printed: Mn2+ with the charge raised."""
    element = ion.rstrip("0123456789+-")
    return element + ion[len(element) :].translate(SUPERSCRIPT)


def ranking_figure(ranking: Ranking, looks: dict[str, Style]) -> go.Figure:
    """Mean rank of each measure; shaded is what can't be told from the best."""
    names = list(ranking.mean_rank.index)
    best = ranking.mean_rank.iloc[0]
    figure = _figure(height=130 + 30 * len(names), width=800)
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
    figure = _panels("10Dq mean absolute error", "valence accuracy", rows=2)
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


def error_figure(errors: pd.DataFrame) -> go.Figure:
    """Error of 10Dq of every test spectrum against its true 10Dq, with the mean size in bins."""
    figure = _figure(height=430, width=800)
    for valence, part in errors.groupby("true_valence"):
        for correct, rows in part.groupby("valence_correct"):
            figure.add_scatter(
                x=rows["true_ten_dq"],
                y=rows["ten_dq_error"],
                mode="markers",
                marker=_valence_marker(valence, open_symbol=not correct) | {"size": 8},
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
    _legend_below(figure)
    figure.update_xaxes(title_text="true 10Dq (eV)")
    figure.update_yaxes(title_text="error of 10Dq (eV)")
    return figure


def confusion_figure(counts: pd.DataFrame) -> go.Figure:
    """Share and number of test spectra by true valence (rows) and estimated valence (columns)."""
    share = counts.div(counts.sum(axis=1), axis=0).fillna(0) * 100
    figure = _figure(height=190 + 62 * len(counts), width=520)
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
    figure = _figure(height=170 + 30 * len(coverage), width=800)
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
    _legend_below(figure)
    return figure


def map_figure(embedding: xr.Dataset) -> go.Figure:
    """The map coloured by valence and by 10Dq, with the measured spectra labelled.

    Parameters
    ----------
    embedding
        Dataset of contract "embedding" with at least two components; the first two are shown.
    """
    figure = _panels("valence", "10Dq", height=500, shared=True)
    place = embedding["coordinate"].values[:, :2]
    own = embedding["is_query"].values == 0
    ions = embedding["ion"].values.astype(str)
    text = np.array(
        [
            f"{ion_label(ion)}, 10Dq {value:.2f} eV"
            for ion, value in zip(ions, embedding["ten_dq"].values, strict=True)
        ]
    )
    for valence in np.unique(embedding["valence"].values[own]):
        chosen = own & (embedding["valence"].values == valence)
        marker = _valence_marker(valence) | {"size": 7, "opacity": 0.8}
        name = " / ".join(ion_label(ion) for ion in np.unique(ions[chosen]))
        _map_points(figure, place[chosen], text[chosen], marker, 1, name)
    marker = {"color": embedding["ten_dq"].values[own], "coloraxis": "coloraxis", "size": 7}
    _map_points(figure, place[own], text[own], marker, 2)
    _map_queries(figure, place[~own], embedding["id"].values[~own].astype(str), place)
    _map_axes(figure)
    return figure


def fit_figure(energy: np.ndarray, fits: Sequence[Fit]) -> go.Figure:
    """A measured spectrum with the best simulated one of each valence, the best at the top.

    Parameters
    ----------
    energy
        The library's energies, eV, shape (points,).
    fits
        Best first.
    """
    # In measured maxima: from one spectrum to the next, and from a spectrum to its residual.
    pitch, below = 1.95, 0.25
    figure = _figure(height=135 + 132 * len(fits), width=560)
    thin = {"color": "black", "width": 1.2, "simplify": False}
    figure.update_layout(margin={"l": 36, "r": 10, "t": 34})
    _legend_below(figure)
    for number, fit in enumerate(fits):
        base = (len(fits) - 1 - number) * pitch
        shown = {"x": energy, "mode": "lines", "showlegend": number == 0}
        colour = _valence_colour(fit.valence)
        fitted = {"color": colour, "width": 1.8, "simplify": False}
        residual = fit.measured - fit.simulated
        _line(figure, base + fit.measured, "measured", thin, shown)
        _line(figure, base + fit.simulated, fit.heading, fitted, shown | {"showlegend": False})
        _line(
            figure,
            base - below + residual,
            "measured less simulated",
            {"color": GREY, "width": 1, "simplify": False},
            shown,
        )
        figure.add_hline(y=base - below, line={"color": LIGHT, "width": 1}, layer="below")
        figure.add_annotation(
            x=1,
            y=base + 1.06,
            xref="paper",
            xanchor="right",
            yanchor="bottom",
            align="right",
            showarrow=False,
            text=f'<b>{fit.heading}</b><br><span style="font-size:11px">{fit.details}</span>',
            font={"size": 12, "color": colour},
        )
    figure.update_xaxes(title_text="energy (eV)", range=[energy[0], energy[-1]])
    figure.update_yaxes(
        title_text="intensity (arb. units, offset)",
        showticklabels=False,
        showgrid=False,
        ticks="",
        range=[-0.7, len(fits) * pitch - 0.35],
    )
    return figure


def write(figure: go.Figure, folder: str | Path, name: str) -> None:
    """Write ``name``.png (at twice the size) and ``name``.svg into an existing folder."""
    width = figure.layout.meta["width"]
    _draw(figure, Path(folder) / f"{name}.png", width=width, scale=2)
    _draw(figure, Path(folder) / f"{name}.svg", width=width)


def _draw(figure: go.Figure, path: Path, **size: int) -> None:
    """Draw a figure by kaleido, which on rare occasions starts and then never answers."""
    import plotly.io

    # Else kaleido asks the network for a formula renderer. Setting it starts kaleido anew.
    if plotly.io.kaleido.scope.mathjax is not None:
        plotly.io.kaleido.scope.mathjax = None
    for attempt in range(1, ATTEMPTS + 1):
        watchdog = threading.Timer(PATIENCE, _end_renderer)
        watchdog.start()
        try:
            figure.write_image(path, **size)
            return
        except (ValueError, OSError):
            if attempt == ATTEMPTS:
                raise
        finally:
            watchdog.cancel()


def _end_renderer() -> None:
    """End kaleido's processes: the call that waits for them fails, and the next starts anew."""
    import plotly.io
    import psutil

    renderer = psutil.Process(plotly.io.kaleido.scope._proc.pid)
    for process in [*renderer.children(recursive=True), renderer]:
        process.kill()


def _figure(height: int, width: int) -> go.Figure:
    figure = go.Figure()
    _common(figure, height, width)
    return figure


def _common(figure: go.Figure, height: int, width: int) -> None:
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


def _legend_below(figure: go.Figure, rows: int = 1) -> None:
    """Room for a legend under the axis title."""
    bottom = TO_LEGEND + rows * LEGEND_ROW
    figure.update_layout(margin_b=bottom, legend_y=_below(figure.layout.height, rows))


def _below(height: int, rows: int = 1) -> float:
    """Place of that legend in heights of the axes."""
    return -TO_LEGEND / (height - TOP - TO_LEGEND - rows * LEGEND_ROW)


def _panels(
    left: str, right: str, height: int = 430, rows: int = 1, shared: bool = False
) -> go.Figure:
    """Two panels side by side; ``meta.narrow`` is the layout that puts one above the other."""
    figure = make_subplots(1, 2, subplot_titles=[left, right], horizontal_spacing=0.11)
    _common(figure, height, 1000)
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
    _legend_below(figure, rows)
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


def _valence_colour(valence: float) -> str:
    return VALENCE_COLOURS.get(round(valence), OTHER_VALENCE)


def _valence_marker(valence: float, open_symbol: bool = False) -> dict[str, Any]:
    symbol = SYMBOLS[round(valence) % len(SYMBOLS)]
    return {
        "color": _valence_colour(valence),
        "symbol": symbol + ("-open" if open_symbol else ""),
        "line": {"width": 1.5 if open_symbol else 0, "color": _valence_colour(valence)},
    }


def _map_points(
    figure: go.Figure,
    place: np.ndarray,
    text: Sequence[str],
    marker: dict[str, Any],
    column: int,
    name: str | None = None,
) -> None:
    figure.add_scatter(
        x=place[:, 0],
        y=place[:, 1],
        mode="markers",
        marker=marker,
        text=text,
        name=name,
        showlegend=name is not None,
        hovertemplate="%{text}<extra></extra>",
        row=1,
        col=column,
    )


def _map_queries(figure: go.Figure, place: np.ndarray, ids: np.ndarray, every: np.ndarray) -> None:
    """Measured spectra, by name where there are few and else by number, labels moved apart."""
    if not len(ids):
        return
    labels = list(ids) if len(ids) <= NAMED else [str(n) for n in range(1, len(ids) + 1)]
    hover = [f"{number}: {name}" for number, name in enumerate(ids, start=1)]
    marker = {
        "color": "white",
        "size": 9,
        "symbol": "circle",
        "line": {"color": "black", "width": 1.8},
    }
    # ASSUME: a panel is about 400 pixels wide; the labels are kept apart at that size.
    span = np.ptp(every, axis=0).max() or 1.0
    pixels = np.array([1, -1]) / span * 400
    offsets = _apart(place * pixels, labels, every * pixels)
    for column in (1, 2):
        _map_points(figure, place, hover, marker, column, "measured" if column == 1 else None)
        for point, label, offset in zip(place, labels, offsets, strict=True):
            figure.add_annotation(
                x=point[0],
                y=point[1],
                ax=offset[0],
                ay=offset[1],
                text=f"<b>{label}</b>",
                arrowhead=0,
                arrowwidth=1,
                arrowcolor=GREY,
                font={"size": 12},
                standoff=5,
                row=1,
                col=column,
            )


def _apart(
    points: np.ndarray, labels: Sequence[str], every: np.ndarray
) -> list[tuple[float, float]]:
    """Offsets (pixels) that keep labels off each other and off all points, while there is room."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False) - np.pi / 4
    tries = np.array(
        [
            (radius * np.cos(angle), radius * np.sin(angle))
            for radius in range(22, 150, 8)
            for angle in angles
        ]
    )
    centres, sizes = list(every), [np.array([6.0, 6.0])] * len(every)
    offsets = []
    for point, label in zip(points, labels, strict=True):
        half = np.array([4.0 + 4.0 * len(label), 9.0])
        places = point + tries
        gaps = np.abs(places[:, None] - np.array(centres)) - np.array(sizes) - half
        free = ~(gaps < 0).all(2).any(1)
        offset = tries[int(free.argmax())]
        centres.append(point + offset)
        sizes.append(half)
        offsets.append(offset)
    return offsets


def _map_axes(figure: go.Figure) -> None:
    for column, axis in ((1, "x"), (2, "x2")):
        figure.update_yaxes(scaleanchor=axis, scaleratio=1, col=column)
    figure.update_xaxes(title_text="first coordinate (1)", constrain="domain")
    figure.update_yaxes(title_text="second coordinate (1)", col=1)
    narrow = figure.layout.meta["narrow"] | {
        "coloraxis.colorbar.y": 0.21,
        "coloraxis.colorbar.len": 0.42,
    }
    figure.update_layout(
        meta={"width": 1000, "narrow": narrow},
        coloraxis={
            "colorscale": "Viridis",
            "colorbar": {
                "title": {"text": "10Dq (eV)", "side": "right"},
                "thickness": 14,
                "len": 1,
            },
        },
    )


def _line(
    figure: go.Figure, y: np.ndarray, name: str, line: dict[str, Any], shown: dict[str, Any]
) -> None:
    hover = "%{x:.1f} eV<extra>" + name + "</extra>"
    figure.add_scatter(y=np.round(y, 4), name=name, line=line, hovertemplate=hover, **shown)
