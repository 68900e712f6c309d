"""Estimate every new file of a folder as soon as it is complete: one line each, for use during a
measurement. Ends with Ctrl-C.

Files that are there already are left out. A file that still grows is waited for, and one that
changes is answered again.

  whiteline watch data/ --library mn --energy-uncertainty 1 --output today.csv
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from whiteline.cli._estimating import add_settings, columns_of, estimator_of
from whiteline.errors import InputError

SUMMARY = "estimate every new file of a folder as it comes"

# How often the folder is looked at, and how long a file must not have changed, s.
PAUSE, SETTLED = 0.1, 0.3


def add_arguments(parser: ArgumentParser) -> None:
    """The folder, the settings, and the table."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where files appear")
    add_settings(parser)
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="table ending in .csv that rows are added to"
    )


def run(arguments: Namespace) -> None:
    """Get ready, then answer file after file until interrupted."""
    folder, output = arguments.folder, arguments.output
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    if output is not None and output.suffix.lower() != ".csv":
        raise InputError(f"{output}: rows can be added to a table ending in .csv only")
    watch = Watch(folder, output)
    answer = _Answer(arguments)
    print(f"watching {folder}; Ctrl-C ends it", file=sys.stderr, flush=True)
    try:
        while True:
            for path in watch.complete():
                answer(path)
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        return


class Watch:
    """The files of a folder that are new and no longer grow; hidden ones don't count.

    Parameters
    ----------
    folder
        Where to look, not into its folders.
    but
        A file to be left out.
    """

    def __init__(self, folder: Path, but: Path | None = None) -> None:
        self._folder, self._but = folder, but and but.absolute()
        self._answered = self._states()
        self._pending: dict[Path, tuple[tuple[int, int], float]] = {}

    def complete(self) -> list[Path]:
        """The files that became complete since the last call."""
        now, ready = time.monotonic(), []
        for path, state in self._states().items():
            if self._answered.get(path) == state:
                continue
            before, since = self._pending.get(path, (None, now))
            if before != state:
                self._pending[path] = state, now
            elif now - since >= SETTLED and state[0]:
                self._answered[path] = state
                del self._pending[path]
                ready.append(path)
        return sorted(ready)

    def _states(self) -> dict[Path, tuple[int, int]]:
        """Size and time of change of every file."""
        states = {}
        for path in self._folder.iterdir():
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            if path.is_file() and path.name[0] != "." and path.absolute() != self._but:
                states[path] = stat.st_size, stat.st_mtime_ns
        return states


class _Answer:
    """Estimates one file, says the line, adds its rows to the table."""

    def __init__(self, arguments: Namespace) -> None:
        from whiteline.estimation import output
        from whiteline.estimation.session import Session

        self._estimator = estimator_of(arguments)
        self._estimator.warm_up()
        self._columns, self._output = columns_of(arguments), arguments.output
        self._session, self._csv = Session, output

    def __call__(self, path: Path) -> None:
        """Answer a file; what is wrong with it is said in a sentence."""
        session = self._session(
            self._estimator, self._columns, tell=lambda text: print(text, file=sys.stderr)
        )
        try:
            rows = self._csv.table(session.run([path]).dataset(self._estimator))
        except InputError:
            # Told already, file or spectrum by spectrum.
            sys.stderr.flush()
            return
        # What has been said is in the table, even if the watch ends with it.
        if self._output is not None:
            new = not self._output.exists() or self._output.stat().st_size == 0
            self._output.parent.mkdir(parents=True, exist_ok=True)
            with self._output.open("a", encoding="utf-8") as stream:
                stream.write(self._csv.csv_text(rows, header=new))
        print(_line(path, rows), flush=True)


def _line(path: Path, rows) -> str:
    """What is said of a file: of one spectrum its estimate, of many the shares of valences."""
    if len(rows) > 1:
        shares = rows["valence"].value_counts(normalize=True).sort_index()
        parts = ", ".join(f"{valence}+ {share:.0%}" for valence, share in shares.items())
        median = _ten_dq(rows.median(numeric_only=True))
        return f"{path.name}: {len(rows)} spectra, {parts}, median {median}"
    row = rows.iloc[0]
    outside = ", outside the library" if row["outside_library"] else ""
    return (
        f"{path.name}: {row['valence']}+, {_ten_dq(row)}, distance {row['distance']:.3g}, "
        f"shift {row['energy_shift (eV)']:+.2f} eV{outside}"
    )


def _ten_dq(row) -> str:
    low, high = row["ten_dq_lower_68 (eV)"], row["ten_dq_upper_68 (eV)"]
    interval = f" ({low:.2f}..{high:.2f})" if low == low else ""
    return f"10Dq {row['ten_dq (eV)']:.2f} eV{interval}"
