"""The report page: what was run, how well it works on simulated spectra, and the measured ones.

The page is one file without network: sections of text, tables and figures put into
resources/report.html.jinja. `whiteline.report.chapters` has one module per chapter.
"""

from __future__ import annotations

from pathlib import Path

from whiteline.report import page
from whiteline.report.chapters import sections
from whiteline.report.products import Branch, Measured, Products

__all__ = ["Branch", "Measured", "Products", "write"]


def write(products: Products, report: str | Path, figures: str | Path) -> None:
    """Write the page, and every figure of it as PNG and SVG.

    Parameters
    ----------
    products
        What the page shows.
    report
        Path of the page.
    figures
        Folder of the figures, made if it is missing.
    """
    page.write(sections(products), report, figures)
