"""Figure of the differences between engines."""

from __future__ import annotations

from itertools import compress
from math import log10

import pandas as pd
import plotly.graph_objects as go

from whiteline import engines
from whiteline.evaluation.crosscheck import AGREEMENT
from whiteline.plotting.layout import legend_below, single
from whiteline.plotting.style import GREY, ion_label, styles

SMALLEST = 1e-9  # what is less, zero too, is drawn here; files hold seven digits
POINT_GROUPS = {
    "Oh": "O<sub>h</sub>",
    "Td": "T<sub>d</sub>",
    "D4h": "D<sub>4h</sub>",
    "C3v": "C<sub>3v</sub>",
}


def crosscheck_figure(differences: pd.DataFrame) -> go.Figure:
    """Largest difference of each pair of engines, by case and ion, on a logarithmic axis.

    Parameters
    ----------
    differences
        The table of `whiteline.evaluation.crosscheck.differences`.
    """
    labels = [
        [f"{row.case} ({POINT_GROUPS[row.symmetry]})" for row in differences.itertuples()],
        [ion_label(ion) for ion in differences["ion"]],
    ]
    places = len(differences[["case", "ion"]].drop_duplicates())
    figure = single(height=190 + 21 * places, width=900)
    pairs = list(dict.fromkeys(zip(differences["engine_a"], differences["engine_b"], strict=True)))
    looks = styles([" ".join(pair) for pair in pairs])
    for (first, second), look in zip(pairs, looks.values(), strict=True):
        chosen = (differences["engine_a"] == first) & (differences["engine_b"] == second)
        figure.add_scatter(
            x=differences["largest_difference"][chosen].clip(lower=SMALLEST),
            y=[list(compress(level, chosen)) for level in labels],
            mode="markers",
            marker={"size": 10, "symbol": f"{look.symbol}-open", "line": {"width": 2}}
            | {"color": look.colour},
            name=f"{engines.facts(first).name} and {engines.facts(second).name}",
            text=differences["parameters"][chosen],
            hovertemplate="%{y}: %{x:.1e}<br>%{text}<extra></extra>",
        )
    figure.add_vline(x=AGREEMENT, line={"color": GREY, "dash": "dash", "width": 1.5})
    figure.add_annotation(
        x=log10(AGREEMENT),
        xref="x",
        y=1,
        yref="paper",
        yanchor="bottom",
        text=f"agreement, {AGREEMENT:g}",
        showarrow=False,
    )
    legend_below(figure, rows=-(-len(pairs) // 3))
    farthest = max(10 * AGREEMENT, 2 * differences["largest_difference"].max())
    figure.update_xaxes(
        title_text="largest difference, relative to the peak (1); 10<sup>−9</sup>: that or less",
        type="log",
        range=[log10(SMALLEST / 2), log10(farthest)],
        exponentformat="power",
        dtick=1,
    )
    figure.update_yaxes(autorange="reversed", automargin=True, title_text="")
    return figure
