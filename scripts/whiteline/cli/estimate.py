"""Estimate valence and 10Dq of measured files: spectra, stacks, spectrum images.

The library is one that the workflow has prepared. Maps and long stacks, and spectra whose axis is
known (--energy-uncertainty 0), share one axis, found once for all; single spectra have
theirs found one by one. A run that is stopped goes on where it was when it is started again.

  whiteline estimate scan_027.txt --library co --energy-uncertainty 1
  whiteline estimate image.dm4 --library mn --background power_law --output image.nc
  whiteline estimate *.xdi --library mn --reference MnO.csv --reference-ion Mn2+ --output t.csv
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from whiteline.cli._estimating import add_settings, columns_of, estimator_of

SUMMARY = "estimate valence and 10Dq of measured files"

# Exit codes where some inputs could not be used, and after Ctrl-C.
INCOMPLETE, STOPPED = 1, 130


def add_arguments(parser: ArgumentParser) -> None:
    """The files, the settings, and the output."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="measured files")
    add_settings(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="table ending in .csv, .json or .nc, with maps of images beside it; "
        "left out, CSV goes to stdout",
    )


def run(arguments: Namespace) -> int | None:
    """Estimate file by file, write the table, draw the maps."""
    from whiteline.estimation import output
    from whiteline.estimation.session import Session

    path = arguments.output
    if path is not None:
        output.check_ending(path)
    estimator = estimator_of(arguments)
    partial = path and path.with_name(f".{path.name}.partial")
    try:
        with _Progress(arguments.files) as progress:
            ways = partial, progress.tell, progress.advance
            outcome = Session(estimator, columns_of(arguments), *ways).run(arguments.files)
    except KeyboardInterrupt:
        rest = "; the same command goes on where it was" if partial else ""
        print(f"stopped{rest}", file=sys.stderr)
        return STOPPED
    if not outcome.found and partial:
        partial.unlink()
    estimates = outcome.dataset(estimator)
    if path is None:
        sys.stdout.write(output.csv_text(output.table(estimates)))
    else:
        output.write_table(estimates, path)
        output.write_maps(outcome, estimator, path)
        partial.unlink()
    return INCOMPLETE if outcome.faults else None


class _Progress:
    """A bar of the bytes of the files, and the sentences of what goes wrong above it."""

    def __init__(self, files: list[Path]) -> None:
        from tqdm import tqdm

        self._sizes = {path: path.stat().st_size if path.is_file() else 0 for path in files}
        self._spectra = 0
        # None: only where stderr is a terminal.
        self._bar = tqdm(
            total=sum(self._sizes.values()), unit="B", unit_scale=True, disable=None, delay=1
        )

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def tell(self, sentence: str) -> None:
        """Say a sentence to stderr."""
        self._bar.clear()
        print(sentence, file=sys.stderr)

    def advance(self, path: Path, share: float, spectra: int) -> None:
        """A share of a file is done, with so many spectra."""
        self._spectra += spectra
        self._bar.set_postfix_str(f"{self._spectra} spectra", refresh=False)
        self._bar.update(share * self._sizes[path])
