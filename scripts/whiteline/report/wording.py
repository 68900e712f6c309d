"""Headings, captions and sentences that several chapters share."""

from __future__ import annotations

from pathlib import Path

from whiteline.report.products import Branch, Products

CAPTIONS = Path(__file__).parents[3] / "resources" / "captions"
HONESTY = (
    "The intervals are calibrated on simulated spectra of the scenario {calibration!r}: they hold "
    "for measured spectra as far as those resemble it. A match flagged as outside the library is "
    "no identification. The tiers a and b test interpolation only."
)
UNCALIBRATED = (
    "No calibration scenario was given, so there are no intervals and nothing is flagged as "
    "outside the library. The tiers a and b test interpolation only."
)


def title(products: Products, branch: Branch, rest: str = "") -> str:
    """A heading that names the branch as far as there are several."""
    several = len({b.preprocessing for b in products.branches}) > 1
    name = f"Library {branch.library}" + (f", {branch.preprocessing}" if several else "")
    return f"{name}: {rest}" if rest else name


def caption(name: str, **values: object) -> str:
    """A caption from resources/captions with its values put in."""
    text = (CAPTIONS / f"{name}.txt").read_text(encoding="utf-8")
    return " ".join(text.format(**values).split())


def honesty(products: Products) -> str:
    """How far the results can be trusted."""
    calibration = products.calibration
    return HONESTY.format(calibration=calibration) if calibration else UNCALIBRATED
