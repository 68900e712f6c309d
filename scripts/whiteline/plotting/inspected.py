"""Figure of what a measured file holds: each spectrum with its edges, and the map if it is one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from whiteline.atomic import edge_splitting
from whiteline.formats import Collection, Recorded
from whiteline.inspection import FITTED, Edge, Inspection
from whiteline.plotting.layout import FONT, style
from whiteline.plotting.style import COLOURS, GREY

# Pixels: one row of panels, and above and below all.
ROW, MARGINS = 300, 110
# The map sums the signal from the onset over this range, eV, less the mean of as much before.
LINE = 6.0
# Longer spectra, eV, show their edge in a panel of its own, with this much on either side.
LONG, AROUND = 120.0, 20.0


def inspection_figure(
    inspected: Sequence[tuple[Collection, Recorded, Inspection]],
) -> go.Figure:
    """A row of panels for each energy axis: the mean spectrum, its edge where the spectrum is
    long, and the map of L3 if the spectra make one.

    Parameters
    ----------
    inspected
        Spectra on one axis, their mean, and what `whiteline.inspection.inspect` says of it.
    """
    maps = [_map(collection, found) for collection, _, found in inspected]
    zoom = any(found.edge and found.high - found.low > LONG for _, _, found in inspected)
    columns = 1 + zoom + any(image is not None for image in maps)
    rows = len(inspected)
    figure = make_subplots(
        rows, columns, horizontal_spacing=0.09, vertical_spacing=min(0.3, 90 / (ROW * rows))
    )
    style(figure, height=ROW * rows + MARGINS, width=(760, 1000, 1400)[columns - 1])
    for row, ((collection, mean, found), image) in enumerate(zip(inspected, maps, strict=True), 1):
        many = len(collection) > 1
        what = f"mean of {len(collection)} spectra" if many else collection.id(0)
        _spectrum(figure, {"row": row, "col": 1}, mean, found, what, marks=not zoom)
        if zoom and found.edge:
            _spectrum(figure, {"row": row, "col": 2}, _near(mean, found.edge), found, "the edge")
        if image is not None:
            _draw_map(figure, {"row": row, "col": columns}, image, found)
    figure.update_layout(showlegend=False)
    return figure


def _near(mean: Recorded, edge: Edge) -> Recorded:
    """The part of a spectrum about an edge."""
    end = edge.l3 + edge_splitting(edge.element) + AROUND
    near = (mean.energy > edge.onset - AROUND) & (mean.energy < end)
    return Recorded(mean.energy[near], mean.intensity[near], mean.notes)


def _spectrum(
    figure: go.Figure,
    place: dict[str, int],
    mean: Recorded,
    found: Inspection,
    what: str,
    marks: bool = True,
) -> None:
    """One spectrum, its background and its tabulated edges; with ``marks`` also those found."""
    line = {"color": "black", "width": 1.3, "simplify": False}
    figure.add_scatter(x=mean.energy, y=mean.intensity, mode="lines", line=line, **place)
    if found.background is not None:
        near = mean.energy[mean.energy > found.edge.onset - FITTED]
        line = {"color": COLOURS[1], "width": 1.3, "dash": "dash"}
        values = found.background(near)
        figure.add_scatter(x=near, y=values, mode="lines", line=line, **place)
    for edge in (found.edge, *found.others) if found.edge and marks else ():
        _mark(figure, place, edge)
    for name, energy in found.in_range:
        if mean.energy[0] < energy < mean.energy[-1]:
            figure.add_vline(x=energy, line={"color": GREY, "width": 1, "dash": "dot"}, **place)
            _label(figure, place, energy, f"{name}?", GREY, y=0, yanchor="bottom")
    if found.clipped is not None:
        low, high = found.clipped
        figure.add_vrect(x0=low, x1=high, fillcolor=COLOURS[1], opacity=0.3, **place)
    # Room for the names of the edges; the background may run far out of the spectrum.
    low, high = mean.intensity.min(), mean.intensity.max()
    room = high - low
    figure.update_yaxes(
        title_text="signal (as recorded)", range=[low - 0.14 * room, high + 0.16 * room], **place
    )
    figure.update_xaxes(title_text=f"energy (eV) · {what}", **place)


def _mark(figure: go.Figure, place: dict[str, int], edge: Edge) -> None:
    """Onset, L3 and L2 of one element."""
    for energy, text, dash, side in (
        (edge.onset, "onset", "dot", "right"),
        (edge.l3, f"{edge.element} L₃ {edge.l3:.1f}", "solid", "left"),
        (edge.l2, f"L₂ {edge.l2:.1f}", "solid", "left"),
    ):
        if np.isfinite(energy):
            line = {"color": COLOURS[0], "width": 1, "dash": dash}
            figure.add_vline(x=energy, line=line, **place)
            # L2 may lie so near to L3 that names on one line would run into each other.
            height = 0.93 if energy == edge.l2 else 1
            where = {"y": height, "yanchor": "top", "xanchor": side}
            _label(figure, place, energy, text, COLOURS[0], **where)


def _label(
    figure: go.Figure, place: dict[str, int], energy: float, text: str, colour: str, **where
) -> None:
    font = {"family": FONT, "size": 12, "color": colour}
    settings = {"xanchor": "left", "yref": "y domain", "showarrow": False, **where}
    figure.add_annotation(x=energy, text=text, font=font, **settings, **place)


def _map(collection: Collection, found: Inspection) -> np.ndarray | None:
    """Signal of L3 above what lies before it, as a picture, or nothing if the spectra make none.

    Where no edge was found, the mean signal.
    """
    if collection.shape is None or len(collection.shape) > 2:
        return None
    energy = collection.energy
    line, before = np.ones(len(energy), dtype=bool), np.zeros(len(energy), dtype=bool)
    if found.edge is not None:
        line = (energy >= found.edge.onset) & (energy < found.edge.onset + LINE)
        before = (energy < found.edge.onset - 2.0) & (energy > found.edge.onset - 2.0 - LINE)
    values = np.concatenate(
        [
            signal[:, line].mean(1) - (signal[:, before].mean(1) if before.any() else 0.0)
            for _, signal in collection.chunks()
        ]
    )
    return values.reshape(collection.shape if len(collection.shape) == 2 else (1, -1))


def _draw_map(
    figure: go.Figure, place: dict[str, int], image: np.ndarray, found: Inspection
) -> None:
    what = f"{found.edge.element} L₃ above what lies before" if found.edge else "mean signal"
    bar = {"thickness": 14, "outlinewidth": 0, "tickformat": "~g"}
    figure.add_heatmap(z=image, colorscale="Viridis", colorbar=bar, **place)
    ticks = {"tick0": 0, "dtick": max(1, max(image.shape) // 5), "showgrid": False}
    figure.update_xaxes(title_text=f"x (pixels) · {what}", **ticks, **place)
    figure.update_yaxes(title_text="y (pixels)", autorange="reversed", **ticks, **place)
