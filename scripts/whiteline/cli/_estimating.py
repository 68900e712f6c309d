"""What ``estimate`` and ``watch`` share: the settings of the estimator, and how a line is said."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from whiteline.cli.base import column, number

BACKGROUNDS = ("none", "constant", "linear", "power_law")
CONTINUA = ("none", "two_step", "two_step_line")
ALIGNMENTS = ("onset", "maximum", "centroid", "correlation", "none")
WINDOW = [-10.0, -3.0]
ORDER = 3  # of the polynomials that smooth


def add_settings(parser: ArgumentParser) -> None:
    """Library, measure, estimator, energy axis, preparation, columns."""
    parser.add_argument(
        "--library", required=True, help="name of a library in results, or its prepared file"
    )
    parser.add_argument("--measure", default="correlation", help="kind (default: correlation)")
    parser.add_argument("--estimator", default="profile", help="kind (default: profile)")
    parser.add_argument(
        "--energy-uncertainty",
        type=uncertainty,
        metavar="EV",
        help="how far the energy axis may be off; left out, nothing is known of it",
    )
    parser.add_argument("--reference", type=Path, metavar="FILE", help="sets the axis' zero")
    parser.add_argument("--reference-ion", metavar="ION", help="what the reference is, as Mn2+")
    parser.add_argument(
        "--alignment",
        choices=ALIGNMENTS,
        default="onset",
        help="how an axis of which nothing is known is laid on the library (default: onset)",
    )
    parser.add_argument(
        "--resolution",
        type=uncertainty,
        metavar="EV",
        help="Gaussian deviation of the instrument; only library spectra of this width are "
        "compared; left out, each spectrum finds its own",
    )
    _add_preparation(parser)
    parser.add_argument(
        "--calibration",
        metavar="FILE",
        help="prepared test spectra for the intervals; left out, scenarios.nc beside the library",
    )
    for name in ("energy", "intensity", "i0"):
        parser.add_argument(f"--{name}-column", type=column, metavar="COLUMN")


def _add_preparation(parser: ArgumentParser) -> None:
    """The steps of the preparation."""
    parser.add_argument(
        "--smoothing",
        type=positive,
        metavar="EV",
        help=f"window of a Savitzky-Golay filter of order {ORDER}",
    )
    parser.add_argument(
        "--glitches",
        type=positive,
        metavar="DEVIATIONS",
        help="single points that stand out by so many deviations of the noise are left out",
    )
    parser.add_argument(
        "--mask",
        type=window,
        action="append",
        metavar="LOW,HIGH",
        help="energies to leave out, eV on the recorded axis; may be given several times",
    )
    parser.add_argument("--background", choices=BACKGROUNDS, help="left out: that of the library")
    parser.add_argument(
        "--background-window",
        type=window,
        metavar="LOW,HIGH",
        help="where it is fitted, eV relative to the onset of L3 (default: -10,-3)",
    )
    parser.add_argument(
        "--baseline",
        metavar="METHOD",
        help="the background is a baseline by this method of pybaselines, as arpls",
    )
    parser.add_argument(
        "--continuum",
        choices=CONTINUA,
        default="none",
        help="steps at L3 and L2 that are subtracted (default: none)",
    )
    parser.add_argument(
        "--post-edge",
        type=window,
        metavar="LOW,HIGH",
        help="where the continuum is read, eV relative to the onset of L3",
    )


def uncertainty(text: str) -> float:
    """An energy (eV) that is not negative."""
    value = number(text)
    if value < 0:
        raise ArgumentTypeError(f"{text} eV is negative")
    return value


def positive(text: str) -> float:
    """A number above zero."""
    value = number(text)
    if value <= 0:
        raise ArgumentTypeError(f"{text} is not above zero")
    return value


def window(text: str) -> list[float]:
    """Two energies (eV), the lower first."""
    bounds = [number(part) for part in text.split(",")]
    if len(bounds) != 2 or bounds[0] >= bounds[1]:
        raise ArgumentTypeError(f"{text!r} is not low,high, such as -10,-3")
    return bounds


def estimator_of(arguments: Namespace):
    """The fitted estimator of the settings."""
    from whiteline.estimation.estimator import BESIDE, Estimator

    return Estimator(
        arguments.library,
        arguments.measure,
        arguments.estimator,
        energy_uncertainty=arguments.energy_uncertainty,
        background=_background(arguments),
        continuum=arguments.continuum,
        post_edge=arguments.post_edge,
        alignment=arguments.alignment,
        smoothing=arguments.smoothing and {"window": arguments.smoothing, "order": ORDER},
        glitches=_glitches(arguments),
        resolution=arguments.resolution,
        reference=arguments.reference,
        reference_ion=arguments.reference_ion,
        calibration=arguments.calibration or BESIDE,
    ).fit()


def _background(arguments: Namespace) -> dict[str, Any] | None:
    """The settings of the background, if one is asked for."""
    from whiteline.errors import InputError
    from whiteline.preprocessing.background import baseline_faults

    kind, method, fitted = arguments.background, arguments.baseline, arguments.background_window
    if fitted and not kind:
        raise InputError("--background-window: needs --background, the kind that is fitted in it")
    if kind and method:
        raise InputError("--baseline: is itself the background; leave out --background")
    if method:
        background = {"kind": "pybaselines", "method": method}
        for fault in baseline_faults(background):
            raise InputError(f"--baseline: {fault}")
        return background
    return {"kind": kind, "window": fitted or WINDOW} if kind else None


def _glitches(arguments: Namespace) -> dict[str, Any] | None:
    """The settings of the step that leaves points out, if it is asked for."""
    asked = {"threshold": arguments.glitches, "ranges": arguments.mask}
    return {name: value for name, value in asked.items() if value} or None


def columns_of(arguments: Namespace) -> dict[str, Any]:
    """The columns asked for, as `whiteline.formats.read_spectra` takes them."""
    names = ("energy_column", "intensity_column", "i0_column")
    return {name: getattr(arguments, name) for name in names}
