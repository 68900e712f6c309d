"""Figure of a measured spectrum as a mixture of valences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from whiteline.plotting.layout import legend_below, single
from whiteline.plotting.style import COLOURS, GREY, LIGHT, valence_colour

# From the spectra down to what is left, in measured maxima.
BELOW = 0.3


def mixture_figure(
    energy: np.ndarray,
    measured: np.ndarray,
    background: float,
    components: Sequence[tuple[str, float, np.ndarray]],
) -> go.Figure:
    """A measured spectrum, its components, their sum and what is left.

    Parameters
    ----------
    energy, measured
        The library's energies, eV, and the spectrum on them, each of shape (points,).
    background
        The constant in the sum, in units of the spectrum.
    components
        Name, valence and share in the spectrum, (points,), of each.
    """
    height = np.abs(measured).max() or 1.0
    total = background + sum(share for _, _, share in components)
    figure = single(height=360, width=560)
    figure.update_layout(margin={"l": 36, "r": 10, "t": 14})
    legend_below(figure, rows=2)
    for name, valence, share in components:
        line = {"color": valence_colour(valence), "width": 1.5}
        _add(figure, energy, share / height, name, line)
    _add(figure, energy, total / height, "sum", {"color": COLOURS[1], "width": 2, "dash": "dot"})
    _add(figure, energy, measured / height, "measured", {"color": "black", "width": 1.2})
    rest = (measured - total) / height - BELOW
    _add(figure, energy, rest, "measured less sum", {"color": GREY, "width": 1})
    figure.add_hline(y=-BELOW, line={"color": LIGHT, "width": 1}, layer="below")
    figure.update_xaxes(title_text="energy (eV)", range=[energy[0], energy[-1]])
    figure.update_yaxes(
        title_text="intensity (of the maximum)", showticklabels=False, showgrid=False, ticks=""
    )
    return figure


def _add(figure: go.Figure, x: np.ndarray, y: np.ndarray, name: str, line: dict) -> None:
    figure.add_scatter(
        x=x,
        y=np.round(y, 4),
        name=name,
        mode="lines",
        line=line | {"simplify": False},
        hovertemplate="%{x:.1f} eV<extra>" + name + "</extra>",
    )
