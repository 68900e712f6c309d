"""The chapters of the page, one module each: ``chapter(products)`` gives its section."""

from __future__ import annotations

from whiteline.report.chapters import (
    disturbances,
    errors,
    fits,
    maps,
    preparation,
    ranking,
    run,
    summary,
    timing,
)
from whiteline.report.page import Section
from whiteline.report.products import Products

# In the order of the page.
CHAPTERS = (summary, run, ranking, disturbances, errors, maps, preparation, fits, timing)


def sections(products: Products) -> list[Section]:
    """All chapters of the page, in order."""
    return [module.chapter(products) for module in CHAPTERS]
