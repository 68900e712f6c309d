"""The chapters of the page, one module each: ``chapter(products)`` gives its section."""

from __future__ import annotations

from whiteline.report.chapters import (
    disturbances,
    errors,
    fits,
    maps,
    mixtures,
    preparation,
    ranking,
    run,
    summary,
    timing,
)
from whiteline.report.page import Section
from whiteline.report.products import Products

# In the order of the page.
CHAPTERS = (
    *(summary, run, ranking, disturbances, errors, maps),
    *(preparation, fits, mixtures, timing),
)


def sections(products: Products) -> list[Section]:
    """All chapters of the page, in order; one that has nothing to say gives none."""
    found = [module.chapter(products) for module in CHAPTERS]
    return [section for section in found if section is not None]
