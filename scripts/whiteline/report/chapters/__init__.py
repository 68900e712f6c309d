"""The chapters of the page, one module each: ``chapter(products)`` gives its section."""

from __future__ import annotations

from collections.abc import Iterator

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


def sections(products: Products) -> Iterator[Section]:
    """All chapters of the page, in order; one that has nothing to say gives none."""
    for module in CHAPTERS:
        section = module.chapter(products)
        if section is not None:
            yield section
