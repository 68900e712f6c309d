"""Figure of a measured spectrum before and after its preparation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from whiteline.plotting.layout import legend_below, style
from whiteline.plotting.style import COLOURS, VALENCE_COLOURS

BACKGROUND, CONTINUUM, SMOOTHED = (VALENCE_COLOURS[number] for number in (2, 3, 4))
MASKED = COLOURS[1]


def preparation_figure(
    before: Mapping[str, np.ndarray], energy: np.ndarray, after: np.ndarray, shift: float
) -> go.Figure:
    """A record with what was subtracted from it, and below it what it was compared as.

    Parameters
    ----------
    before
        ``energy`` (eV, as recorded), ``intensity``, ``background``, ``continuum``, ``signal``
        (what is left, smoothed or not) and ``masked`` (1 where interpolated over), each of shape
        (samples,).
    energy, after
        The library's energies, eV, and the prepared spectrum on them, each of shape (points,).
    shift
        Added to the recorded energies, eV; both panels show the same range.
    """
    figure = make_subplots(2, 1, vertical_spacing=0.2)
    style(figure, 500, 560)
    # The legend lies below both panels.
    legend_below(figure, rows=2)
    for name, places, values, look in _curves(before):
        _add(figure, 1, name, places, values, look)
    black = {"line": _line("black", 1.2), "showlegend": False}
    _add(figure, 2, "prepared", energy, after / (np.abs(after).max() or 1.0), black)
    figure.update_xaxes(title_text="energy as recorded (eV)", row=1, col=1)
    figure.update_xaxes(title_text="energy on the library's axis (eV)", row=2, col=1)
    figure.update_xaxes(range=[energy[0] - shift, energy[-1] - shift], row=1, col=1)
    figure.update_xaxes(range=[energy[0], energy[-1]], row=2, col=1)
    figure.update_yaxes(title_text="signal (of its maximum)", row=1, col=1)
    figure.update_yaxes(title_text="prepared (of its maximum)", row=2, col=1)
    return figure


def _curves(before: Mapping[str, np.ndarray]) -> list[tuple[str, np.ndarray, np.ndarray, dict]]:
    """Name, energies, values and look of the curves of the record; only of what was done to it."""
    x = np.round(before["energy"], 3)
    height = np.abs(before["intensity"]).max() or 1.0
    recorded, background, continuum, signal = (
        before[name] / height for name in ("intensity", "background", "continuum", "signal")
    )
    under = background + continuum
    masked = before["masked"] == 1
    kept = signal + under
    curves = [
        ("as recorded", x, recorded, {"line": _line("black", 1.2)}),
        ("background", x, background, {"line": _line(BACKGROUND, 1.5, "dash")}),
    ]
    if continuum.any():
        curves.append(("with continuum", x, under, {"line": _line(CONTINUUM, 1.5)}))
    if not np.allclose(kept[~masked], recorded[~masked], rtol=0, atol=1e-9):
        curves.append(("smoothed", x, kept, {"line": _line(SMOOTHED, 1.2)}))
    if masked.any():
        cross = {"color": MASKED, "symbol": "x-thin-open", "size": 8, "line": {"width": 2}}
        points = {"mode": "markers", "marker": cross}
        curves.append(("masked", x[masked], recorded[masked], points))
    return curves


def _line(colour: str, width: float, dash: str = "solid") -> dict[str, object]:
    return {"color": colour, "width": width, "dash": dash, "simplify": False}


def _add(
    figure: go.Figure, row: int, name: str, x: np.ndarray, y: np.ndarray, look: Mapping
) -> None:
    hover = "%{x:.1f} eV<extra>" + name + "</extra>"
    figure.add_scatter(
        x=x,
        y=np.round(y, 4),
        name=name,
        hovertemplate=hover,
        row=row,
        col=1,
        **{"mode": "lines"} | look,
    )
