"""What things look like in every figure: colours and symbols of measures and valences, ions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
GREY, LIGHT = "#666666", "#E3E3E3"
SUPERSCRIPT = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")


@dataclass(frozen=True)
class Style:
    """How one measure is drawn in every figure."""

    colour: str
    dash: str
    symbol: str


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


def valence_colour(valence: float) -> str:
    """A colour for each valence, the same in every figure."""
    return VALENCE_COLOURS.get(round(valence), OTHER_VALENCE)


def valence_marker(valence: float, open_symbol: bool = False) -> dict[str, Any]:
    """The marker of a valence, to be completed by its size."""
    symbol = SYMBOLS[round(valence) % len(SYMBOLS)]
    return {
        "color": valence_colour(valence),
        "symbol": symbol + ("-open" if open_symbol else ""),
        "line": {"width": 1.5 if open_symbol else 0, "color": valence_colour(valence)},
    }
