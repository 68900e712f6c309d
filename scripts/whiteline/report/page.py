"""The page: sections of text, tables and figures, rendered to one HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go

from whiteline import __version__, plotting
from whiteline.report.formatting import NOTHING

TEMPLATES = Path(__file__).parents[3] / "resources"


@dataclass(frozen=True)
class Table:
    """A table of text; ``anchors`` gives rows a link for their first cell."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    anchors: Sequence[str] = ()

    @property
    def words(self) -> list[bool]:
        """Which columns hold words, which are set to the left, rather than numbers."""
        return [
            not all(cell == NOTHING or cell[:1] in "+-0123456789" for cell in column)
            for column in zip(*self.rows, strict=True)
        ]


@dataclass(frozen=True)
class Picture:
    """A figure under its file name, with its caption."""

    name: str
    figure: go.Figure
    caption: str
    title: str = ""


@dataclass(frozen=True)
class Part:
    """Text, figures (``cards``: several in a row) and tables under one heading."""

    heading: str = ""
    text: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    cards: bool = False


@dataclass(frozen=True)
class Section:
    """A chapter of the page."""

    anchor: str
    heading: str
    parts: Sequence[Part]


def write(sections: Iterable[Section], report: str | Path, figures: str | Path) -> None:
    """Write the page to ``report``, and its figures as PNG and SVG into the folder ``figures``.

    Figures of a section are drawn, by a program of its own, while the next section is made.
    """
    Path(figures).mkdir(parents=True, exist_ok=True)
    Path(report).parent.mkdir(parents=True, exist_ok=True)
    made, drawn = [], []
    with ThreadPoolExecutor(1) as artist:
        for section in sections:
            made.append(section)
            for part in section.parts:
                for picture in part.pictures:
                    files = picture.figure, figures, picture.name
                    drawn.append(artist.submit(plotting.write, *files))
        page = render(made)
    for figure in drawn:
        figure.result()
    Path(report).write_text(page, encoding="utf-8")


def render(sections: Sequence[Section]) -> str:
    """The page as one HTML file."""
    import jinja2
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Inside a script element, "<" could end it.
    environment.filters["figure_json"] = lambda figure: Markup(
        figure.to_json().replace("<", "\\u003c")
    )
    template = environment.get_template("report.html.jinja")
    return template.render(
        sections=sections, plotly=Markup(get_plotlyjs()), version=__version__, nothing=NOTHING
    )
