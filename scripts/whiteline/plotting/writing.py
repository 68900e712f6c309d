"""Figures into files."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import plotly.graph_objects as go

# One figure takes a fraction of a second; a renderer that takes this long hangs, s.
PATIENCE = 60.0
ATTEMPTS = 3
# Names of a drawing and of its traces in SVG.
RANDOM = re.compile(r"(?:\bdefs-|\btrace|\bcb|\bfills)([0-9a-f]{6})\b")


def write(figure: go.Figure, folder: str | Path, name: str) -> None:
    """Write ``name``.png (at twice the size) and ``name``.svg into an existing folder."""
    for ending in ("png", "svg"):
        draw(figure, Path(folder) / f"{name}.{ending}")


def draw(figure: go.Figure, path: str | Path) -> None:
    """Draw a figure into a file, PNG at twice the size or SVG, by kaleido.

    On rare occasions kaleido starts and then never answers.
    """
    import plotly.io

    scale = 2 if Path(path).suffix.lower() == ".png" else 1
    size = {"width": figure.layout.meta["width"], "scale": scale}

    # Else kaleido asks the network for a formula renderer. Setting it starts kaleido anew.
    if plotly.io.kaleido.scope.mathjax is not None:
        plotly.io.kaleido.scope.mathjax = None
    _write(figure, path, size)
    if Path(path).suffix.lower() == ".svg":
        _name_alike(Path(path))


def _write(figure: go.Figure, path: str | Path, size: dict[str, float]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        watchdog = threading.Timer(PATIENCE, _end_renderer)
        watchdog.start()
        try:
            figure.write_image(path, **size)
            return
        except (ValueError, OSError):
            if attempt == ATTEMPTS:
                raise
        finally:
            watchdog.cancel()


def _name_alike(path: Path) -> None:
    """Number the parts of a drawing; plotly.js gives them other random names each time."""
    text = path.read_text(encoding="utf-8")
    for number, name in enumerate(dict.fromkeys(RANDOM.findall(text))):
        # A name always follows what it is the name of, and digits of a number never do.
        text = re.sub(f"(?<=[a-z-]){name}", f"part{number}", text)
    path.write_text(text, encoding="utf-8")


def _end_renderer() -> None:
    """End kaleido's processes: the call that waits for them fails, and the next starts anew."""
    import plotly.io
    import psutil

    renderer = psutil.Process(plotly.io.kaleido.scope._proc.pid)
    for process in [*renderer.children(recursive=True), renderer]:
        process.kill()
