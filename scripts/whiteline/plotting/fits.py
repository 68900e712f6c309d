"""Figure of a measured spectrum and its best matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from whiteline.plotting.layout import legend_below, single
from whiteline.plotting.style import GREY, LIGHT, valence_colour


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
    figure = single(height=135 + 132 * len(fits), width=560)
    thin = {"color": "black", "width": 1.2, "simplify": False}
    figure.update_layout(margin={"l": 36, "r": 10, "t": 34})
    legend_below(figure)
    for number, fit in enumerate(fits):
        base = (len(fits) - 1 - number) * pitch
        shown = {"x": energy, "mode": "lines", "showlegend": number == 0}
        colour = valence_colour(fit.valence)
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


def _line(
    figure: go.Figure, y: np.ndarray, name: str, line: dict[str, Any], shown: dict[str, Any]
) -> None:
    hover = "%{x:.1f} eV<extra>" + name + "</extra>"
    figure.add_scatter(y=np.round(y, 4), name=name, line=line, hovertemplate=hover, **shown)
