"""Say what a measured file holds: its axes, the edge, noise, background, and what may spoil it.

Any file that a query set takes; of a map or stack, its mean. A figure is written with --output.

  whiteline inspect scan_027.txt --intensity-column Is/Im
  whiteline inspect image.dm4 --output image.png
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from whiteline.cli.base import column
from whiteline.errors import InputError

SUMMARY = "say what a measured file holds, and draw it"

FIGURES = (".png", ".svg")
# Spectra with energies of their own that are described; the rest is counted.
SHOWN = 10


def add_arguments(parser: ArgumentParser) -> None:
    """The file, its columns, and the figure."""
    parser.add_argument("file", type=Path, help="measured file, of any format that is read")
    for name, what in (
        ("energy", "energy"),
        ("intensity", "signal; or all"),
        ("i0", "incident intensity, by which the signal is divided"),
    ):
        parser.add_argument(
            f"--{name}-column",
            type=column,
            metavar="COLUMN",
            help=f"name, position (from 0) or path of the {what}",
        )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help=f"figure ending in {' or '.join(FIGURES)}"
    )


def run(arguments: Namespace) -> None:
    """Read the file, print what is found, draw the figure."""
    from whiteline.formats import read_spectra
    from whiteline.inspection import describe, inspect

    output = arguments.output
    if output is not None and output.suffix.lower() not in FIGURES:
        raise InputError(
            f"{output}: the ending tells the format; it must be {' or '.join(FIGURES)}"
        )
    found = read_spectra(
        arguments.file,
        energy_column=arguments.energy_column,
        intensity_column=arguments.intensity_column,
        i0_column=arguments.i0_column,
    )
    shown = [(collection, collection.mean()) for collection in found[:SHOWN]]
    seen = [inspect(mean.energy, mean.intensity) for _, mean in shown]
    texts = [
        describe(collection, mean, inspection)
        for (collection, mean), inspection in zip(shown, seen, strict=True)
    ]
    if len(found) > SHOWN:
        texts.append(f"and {len(found) - SHOWN} more spectra with energies of their own\n")
    sys.stdout.write("\n".join(texts))
    if output is not None:
        _draw([(*pair, inspection) for pair, inspection in zip(shown, seen, strict=True)], output)


def _draw(inspected: list, output: Path) -> None:
    from whiteline import plotting
    from whiteline.files import whole

    with whole(output) as temporary:
        plotting.draw(plotting.inspection_figure(inspected), temporary)
