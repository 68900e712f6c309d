"""Figures of spectrum images: an estimate over the pixels."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from whiteline.plotting.layout import single
from whiteline.plotting.style import GREY, valence_colour

# Pixels of the longer side of the map, and beside and above it.
SIDE, BESIDE, ABOVE = 520, 240, 130
TITLES = {
    "valence": "Valence",
    "ten_dq": "10Dq (eV)",
    "half_width": "Half width of the 68 % interval of 10Dq (eV)",
    "distance": "Distance to the nearest library spectrum",
    "energy_shift": "Energy shift (eV)",
}


def estimate_map_figure(image: xr.Dataset, name: str) -> go.Figure:
    """One map of an image, with its colour bar; pixels without an estimate stay grey.

    Parameters
    ----------
    image
        Maps (y, x), see `whiteline.estimation.output.maps`.
    name
        That to draw; valences have colours of their own and a legend.
    """
    values = image[name].values
    extent = [float(np.ptp(image[axis].values)) + _size(image[axis].values) for axis in "xy"]
    scale = SIDE / max(extent)
    width, height = (max(round(scale * side), 120) for side in extent)
    figure = single(height + ABOVE, width + BESIDE)
    if name == "valence":
        _valences(figure, image)
    else:
        bar = {"title": "", "thickness": 16, "outlinewidth": 0, "tickformat": "~g"}
        figure.add_heatmap(
            x=image["x"].values, y=image["y"].values, z=values, colorscale="Viridis", colorbar=bar
        )
    title = {"text": f"{TITLES[name]} · {image.attrs['title']}", "x": 0.02, "font": {"size": 15}}
    figure.update_layout(title=title, plot_bgcolor="#DDDDDD", margin_t=50)
    units = image["x"].attrs["units"], image["y"].attrs["units"]
    figure.update_xaxes(title_text=f"x ({units[0]})", showgrid=False, constrain="domain")
    figure.update_yaxes(
        title_text=f"y ({units[1]})",
        showgrid=False,
        autorange="reversed",
        scaleanchor="x",
        constrain="domain",
    )
    return figure


def _valences(figure: go.Figure, image: xr.Dataset) -> None:
    """Each valence as a layer of one colour, which the legend names."""
    values = image["valence"].values
    for valence in np.unique(values[np.isfinite(values)]):
        colour = valence_colour(valence)
        figure.add_heatmap(
            x=image["x"].values,
            y=image["y"].values,
            z=np.where(values == valence, 1.0, np.nan),
            colorscale=[[0, colour], [1, colour]],
            showscale=False,
        )
        marker = {"color": colour, "symbol": "square", "size": 12, "line": {"color": GREY}}
        share = (values == valence).mean()
        figure.add_scatter(
            x=[None], y=[None], mode="markers", marker=marker, name=f"{valence:.0f}+ ({share:.0%})"
        )
    legend = {"orientation": "v", "x": 1.02, "y": 1, "yanchor": "top"}
    figure.update_layout(showlegend=True, legend=legend)


def _size(places: np.ndarray) -> float:
    """Size of a pixel."""
    return float(places[1] - places[0]) if len(places) > 1 else 1.0
