"""Figure of simulated spectra or sticks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from whiteline.curves import Curve, several_polarisations
from whiteline.plotting.layout import legend_below, single
from whiteline.plotting.style import COLOURS
from whiteline.simulation import AXES

# More curves than this are told apart by a scale of colours, not by a legend.
NAMED = 8
SCALE = "Viridis"
# Height of one of many spectra above the one before, in that of the highest line.
PITCH = 0.05


def simulated_figure(
    curves: Sequence[Curve], title: str, sticks: bool, relative: bool
) -> go.Figure:
    """Curves over one another; where there are many, coloured by the first varied parameter, and
    spectra one above the other.

    Parameters
    ----------
    curves
        At least one.
    title
        Ion and symmetry.
    sticks
        Whether they are sticks, to be drawn as lines from zero.
    relative
        Whether energies are E_final - E_initial.
    """
    figure = single(height=460, width=760)
    scaled = len(curves) > NAMED and bool(curves[0].varied)
    stacked = scaled and not sticks
    pitch = PITCH * max(curve.intensity.max() for curve in curves) if stacked else 0.0
    colours = _scale(figure, curves) if scaled else COLOURS
    polarised = several_polarisations(curves)
    for number, curve in enumerate(curves):
        x, y = _stems(curve) if sticks else (curve.energy, curve.intensity + number * pitch)
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name=_label(curve, polarised),
            line={"color": colours[number % len(colours)], "width": 1.5, "simplify": False},
            showlegend=len(curves) > 1 and not scaled,
        )
    if len(curves) > 1 and not scaled:
        legend_below(figure, rows=-(-len(curves) // 4))
    figure.add_annotation(
        text=title,
        x=1,
        y=1,
        xref="paper",
        yref="paper",
        xanchor="right",
        yanchor="bottom",
        showarrow=False,
        font={"size": 14},
    )
    figure.update_xaxes(title_text="final − initial energy (eV)" if relative else "energy (eV)")
    figure.update_yaxes(
        title_text=f"intensity (squared matrix elements{'' if sticks else ' / eV'})"
    )
    if stacked:
        figure.update_layout(height=620)
        figure.update_yaxes(title_text="intensity (arb. units, offset)", showticklabels=False)
    return figure


def _label(curve: Curve, polarised: bool) -> str:
    parts = []
    for parameter, value in curve.varied.items():
        axis = AXES[parameter]
        parts.append(f"{axis.label} {value:g} {axis.units}".removesuffix(" 1"))
    return ", ".join([*parts, *([curve.polarisation.replace("_", " ")] if polarised else [])])


def _stems(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Lines from zero to each stick, with gaps between."""
    zero = np.zeros_like(curve.intensity)
    height = np.stack([zero, curve.intensity, np.full_like(zero, np.nan)], axis=1)
    return np.repeat(curve.energy, 3), height.ravel()


def _scale(figure: go.Figure, curves: Sequence[Curve]) -> list[str]:
    """A colour for each curve by its first varied parameter, and the bar that explains them."""
    parameter = next(iter(curves[0].varied))
    values = np.array([curve.varied[parameter] for curve in curves])
    axis = AXES[parameter]
    title = axis.label if axis.units == "1" else f"{axis.label} ({axis.units})"
    marker = {"color": [values.min(), values.max()], "coloraxis": "coloraxis", "size": 0.1}
    figure.add_scatter(
        x=[None, None], y=[None, None], mode="markers", marker=marker, showlegend=False
    )
    bar = {"title": {"text": title, "side": "right"}, "thickness": 14, "outlinewidth": 0}
    figure.update_layout(coloraxis={"colorscale": SCALE, "colorbar": bar}, margin_r=90)
    return sample_colorscale(SCALE, (values - values.min()) / np.ptp(values))
