"""Figures: of the report, one module for each chapter that has any, and of simulations.

Each ``..._figure`` takes tables or arrays and gives one plotly figure. The page shows the figure
itself, and `write` draws the very same one into PNG and SVG files.
"""

from whiteline.plotting.crosscheck import crosscheck_figure
from whiteline.plotting.disturbances import BASELINES, LEVELS, level_figure
from whiteline.plotting.errors import confusion_figure, coverage_figure, error_figure
from whiteline.plotting.fits import Fit, fit_figure
from whiteline.plotting.inspected import inspection_figure
from whiteline.plotting.maps import DRAWN, NAMED, map_figure
from whiteline.plotting.mixtures import mixture_figure
from whiteline.plotting.preparation import preparation_figure
from whiteline.plotting.ranking import ranking_figure
from whiteline.plotting.simulated import simulated_figure
from whiteline.plotting.style import ion_label, styles
from whiteline.plotting.writing import draw, write

__all__ = [
    "BASELINES",
    "DRAWN",
    "LEVELS",
    "NAMED",
    "Fit",
    "confusion_figure",
    "coverage_figure",
    "crosscheck_figure",
    "draw",
    "error_figure",
    "fit_figure",
    "inspection_figure",
    "ion_label",
    "level_figure",
    "map_figure",
    "mixture_figure",
    "preparation_figure",
    "ranking_figure",
    "simulated_figure",
    "styles",
    "write",
]
