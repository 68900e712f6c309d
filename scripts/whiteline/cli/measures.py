"""List the measures with what they claim, or check that a measure is what it claims to be.

A measure is the name of a built-in one, a name that an installed package offers, or a file of your
own. A check ends with exit code 1 if anything is violated.

  whiteline measures
  whiteline measures --check my_measure.py
"""

from __future__ import annotations

import csv
import sys
import textwrap
from argparse import ArgumentParser, Namespace
from dataclasses import asdict, fields

from whiteline import measures, registry
from whiteline.measures import Measure

SUMMARY = "list the measures, or check one"
WIDTH = 100

# Columns of the table: heading and attribute.
COLUMNS = {
    "kind": "kind",
    "order": "order",
    "symm.": "symmetric",
    "metric": "is_metric",
    "not < 0": "needs_nonnegative",
    "shift": "tolerates_shift",
    "cost of a pair": "cost",
}
LEGEND = (
    "order: the distance grows with a small change x as |x| (1) or x^2 (2); metric: the triangle "
    "inequality holds; not < 0: negative intensities have no meaning; shift: a small error of the "
    "energy axis costs little. Parameters: see the module. All facts: --csv."
)


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the list, or what to check instead."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--csv", action="store_true", help="all facts as a table with commas")
    what.add_argument(
        "--check",
        nargs="+",
        metavar="MEASURE",
        help="try these measures on simulated spectra, and say what they violate",
    )


def run(arguments: Namespace) -> int:
    """Print the list or the outcome of the checks; returns 1 if a check fails."""
    if arguments.check:
        for kind in arguments.check:
            measures.load(kind)  # all faults of loading come before the first check
        return int(any([_check(kind) for kind in arguments.check]))
    known = {kind: measures.load(kind).facts for kind in (*measures.kinds(), *measures.offered())}
    (_print_csv if arguments.csv else _print_table)(known)
    for sentence in registry.clashes("measures"):
        print(sentence, file=sys.stderr)
    return 0


def _check(kind: str) -> bool:
    """Print a line for each check; whether any is violated."""
    from whiteline.evaluation import claims

    print(f"{kind}: {measures.load(kind).facts.name}")
    violated = 0
    for found in claims.check(kind):
        if found.claimed:
            violated += found.violation is not None
            outcome = "VIOLATED" if found.violation else "ok"
            detail = f": {found.violation}" if found.violation else ""
        else:
            outcome = "-"
            detail = ": not claimed" + ("" if found.violation else ", though it holds here")
        print(f"  {outcome:<8}  {found.name}{detail}", flush=True)
    print(f"{kind}: {violated or 'nothing'} violated")
    return violated > 0


def _print_csv(known: dict[str, Measure]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["kind", *(field.name for field in fields(Measure))])
    writer.writerows([kind, *asdict(facts).values()] for kind, facts in known.items())


def _print_table(known: dict[str, Measure]) -> None:
    rows = [tuple(COLUMNS)]
    for kind, facts in known.items():
        values = {"kind": kind, **asdict(facts)}
        rows.append(tuple(_cell(values[name]) for name in COLUMNS.values()))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    print("", _wrapped(LEGEND), "", sep="\n")
    for kind, facts in known.items():
        print(_wrapped(f"{kind}: {facts.name}; {facts.reference}"))


def _cell(value: str | bool | int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "-"
    return str(value)


def _wrapped(text: str) -> str:
    """Lines of at most `WIDTH` that leave a DOI whole."""
    return textwrap.fill(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
