"""Figure of a map of spectra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from whiteline.plotting.layout import panels
from whiteline.plotting.style import GREY, ion_label, valence_marker

# A map names its measured spectra in full up to this many, else by number.
NAMED = 4
# A map draws so many of its spectra, at most: each adds some 150 bytes to the page.
DRAWN = 3000
# Points are smaller from this number on.
CROWDED = 1000


def map_figure(embedding: xr.Dataset) -> go.Figure:
    """The map coloured by valence and by 10Dq, with the measured spectra labelled.

    Parameters
    ----------
    embedding
        Dataset of contract "embedding" with at least two components; the first two are shown.
        Of more than `DRAWN` library spectra a random sample is drawn.
    """
    figure = panels("valence", "10Dq", height=500, shared=True)
    embedding = embedding.isel(spectrum=_drawn(embedding["is_query"].values == 1))
    place = embedding["coordinate"].values[:, :2]
    own = embedding["is_query"].values == 0
    ions = embedding["ion"].values.astype(str)
    text = np.array(
        [
            ion_label(ion) + (f", 10Dq {value:.2f} eV" if np.isfinite(value) else "")
            for ion, value in zip(ions, embedding["ten_dq"].values, strict=True)
        ]
    )
    size = 7 if own.sum() < CROWDED else 4
    for valence in np.unique(embedding["valence"].values[own]):
        chosen = own & (embedding["valence"].values == valence)
        marker = valence_marker(valence) | {"size": size, "opacity": 0.8}
        name = " / ".join(ion_label(ion) for ion in np.unique(ions[chosen]))
        _map_points(figure, place[chosen], text[chosen], marker, 1, name)
    marker = {"color": embedding["ten_dq"].values[own], "coloraxis": "coloraxis", "size": size}
    _map_points(figure, place[own], text[own], marker, 2)
    _map_queries(figure, place[~own], embedding["id"].values[~own].astype(str), place)
    _map_axes(figure)
    return figure


def _drawn(is_query: np.ndarray) -> np.ndarray:
    """Places of the spectra that are drawn: all queries, and a sample of the others."""
    own = np.flatnonzero(~is_query)
    # The sample is the same in every map of these spectra.
    chosen = np.random.default_rng(0).permutation(own)[:DRAWN]
    return np.sort(np.concatenate([chosen, np.flatnonzero(is_query)]))


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
