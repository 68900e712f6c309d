"""Goes through files, estimate by estimate, so that a run that was stopped goes on where it was.

What is found is kept in a partial file beside the output, an SQLite database: a block of spectra
is either whole in it or not at all, whatever ends the process. It is bound to the files and
settings by their fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from whiteline import __version__, contracts
from whiteline.errors import InputError
from whiteline.estimation.answers import FAILED, record_type
from whiteline.estimation.estimator import Estimator, named
from whiteline.formats import Collection, read_spectra

# Faults of one series of spectra that are told one by one; the rest is counted.
TOLD = 3


@dataclass(frozen=True)
class Part:
    """Spectra on one axis of one file, and their records, shape (n,)."""

    path: str
    name: str
    shape: tuple[int, ...] | None
    pixels: tuple[tuple[float, str], ...]
    ids: list[str]
    records: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What a run found: parts in the order of the files, and what went wrong, in sentences."""

    parts: list[Part]
    faults: list[str]

    @property
    def found(self) -> bool:
        """Whether there is any estimate."""
        return any((part.records["chosen"] != FAILED).any() for part in self.parts)

    def dataset(self, estimator: Estimator) -> xr.Dataset:
        """All estimates as one dataset of contract "estimates".

        Raises
        ------
        InputError
            If no spectrum could be used.
        """
        if not self.found:
            raise InputError("no spectrum of these files can be used")
        ids = np.array([id for part in self.parts for id in part.ids], dtype=str)
        files = np.repeat(
            np.array([part.path for part in self.parts], dtype=str),
            [len(part.records) for part in self.parts],
        )
        records = np.concatenate([part.records for part in self.parts])
        kept = records["chosen"] != FAILED
        skipped = contracts.dumps(self.faults)
        return estimator.dataset(ids[kept], records[kept], file=files[kept], skipped=skipped)


class Session:
    """A run over files.

    Parameters
    ----------
    estimator
        Fitted.
    columns
        ``energy_column``, ``intensity_column`` and ``i0_column`` of `whiteline.formats`.
    partial
        Where results are kept until they are all there; None to keep them in memory.
    tell
        Called with each sentence of what goes wrong, as soon as it does.
    advance
        Called with the share of a file that a block was, and its number of spectra.
    """

    def __init__(
        self,
        estimator: Estimator,
        columns: dict[str, Any],
        partial: Path | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
        advance: Callable[[Path, float, int], None] = lambda path, share, count: None,
    ) -> None:
        self._estimator, self._columns, self._partial = estimator, columns, partial
        self._tell, self._advance = tell, advance
        self._faults: list[str] = []

    def run(self, files: Sequence[Path]) -> Outcome:
        """Estimate all spectra of all files; the partial file stays until it is removed."""
        with closing(self._opened(files)) as store:
            parts = [
                part
                for number, path in enumerate(files)
                for part in self._file(store, number, path)
            ]
        return Outcome(parts, self._faults)

    def _file(self, store: sqlite3.Connection, number: int, path: Path) -> Iterator[Part]:
        try:
            found = read_spectra(path, **self._columns)
        except InputError as error:
            self._fault(str(error))
            self._advance(path, 1.0, 0)
            return
        total = sum(map(len, found))
        for place, collection in enumerate(found):
            try:
                yield self._part(store, (number, place), path, collection, total)
            except InputError as error:
                self._fault(str(error))

    def _part(
        self,
        store: sqlite3.Connection,
        key: tuple[int, int],
        path: Path,
        collection: Collection,
        total: int,
    ) -> Part:
        stored = store.execute(
            "SELECT first, records, faults FROM blocks WHERE file = ? AND part = ?", key
        )
        blocks = {first: (blob, json.loads(faults)) for first, blob, faults in stored}
        told = _Told(self._fault, f"{path}", len(collection))
        for blob, faults in blocks.values():
            self._advance(path, self._size(blob) / total, self._size(blob))
            told.add(*faults)
        for first, (records, wrong) in self._estimator.blocks(collection, blocks.__contains__):
            faults = len(wrong), [sentence for _, sentence in wrong[:TOLD]]
            blocks[first] = records.tobytes(), faults
            row = (*key, first, blocks[first][0], json.dumps(faults))
            with store:
                store.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", row)
            told.add(*faults)
            self._advance(path, len(records) / total, len(records))
        told.rest()
        joined = b"".join(blocks[first][0] for first in sorted(blocks))
        records = np.frombuffer(joined, self._type)
        ids = collection.ids()
        return Part(f"{path}", collection.name, collection.shape, collection.pixels, ids, records)

    @property
    def _type(self) -> np.dtype:
        return record_type(len(self._estimator.estimator_.candidates_))

    def _size(self, blob: bytes) -> int:
        return len(blob) // self._type.itemsize

    def _fault(self, sentence: str) -> None:
        self._faults.append(sentence)
        self._tell(sentence)

    def _opened(self, files: Sequence[Path]) -> sqlite3.Connection:
        """The store of this very run: what is in it was found with the same files and settings."""
        if self._partial is None:
            store = sqlite3.connect(":memory:")
        else:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            wanted = fingerprint(self._estimator, self._columns, files)
            if self._partial.exists() and _fingerprint_in(self._partial) != wanted:
                self._tell(f"{self._partial}: is of other files or settings, so all begins anew")
                self._partial.unlink()
            store = sqlite3.connect(self._partial)
        with store:
            # A process that ends loses nothing; a machine that does may lose the file.
            store.execute("PRAGMA synchronous = OFF")
            store.execute("CREATE TABLE IF NOT EXISTS run (fingerprint TEXT)")
            store.execute(
                "CREATE TABLE IF NOT EXISTS blocks "
                "(file INTEGER, part INTEGER, first INTEGER, records BLOB, faults TEXT)"
            )
            if self._partial and not store.execute("SELECT * FROM run").fetchall():
                store.execute("INSERT INTO run VALUES (?)", (wanted,))
        return store


class _Told:
    """Tells the first faults of the spectra of a file, and counts the others."""

    def __init__(self, tell: Callable[[str], None], where: str, spectra: int) -> None:
        self._tell, self._where, self._spectra = tell, where, spectra
        self._told = self._count = 0

    def add(self, count: int, sentences: Sequence[str]) -> None:
        """Some faults, of which the first are at hand."""
        self._count += count
        for sentence in sentences[: TOLD - self._told]:
            self._told += 1
            self._tell(sentence)

    def rest(self) -> None:
        """Say how many were not told."""
        if more := self._count - self._told:
            self._tell(f"{self._where}: {more} more of {self._spectra} spectra can't be used")


def fingerprint(estimator: Estimator, columns: dict[str, Any], files: Sequence[Path]) -> str:
    """What a result depends on: version, settings, files by name, size and time, and the content
    of the library, calibration, reference and modules of the user's.
    """
    content = [estimator.library_path_, estimator.calibration_path_, estimator.reference]
    content += [
        kind["kind"] if kind["kind"].endswith(".py") else None
        for kind in map(named, (estimator.measure, estimator.estimator))
    ]
    settings = {
        "version": __version__,
        "settings": {k: v for k, v in estimator.get_params().items() if k != "threads"},
        "columns": columns,
        "files": [_state(path) for path in files],
        "content": [
            path and hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in content
        ],
    }
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _state(path: Path) -> list:
    try:
        state = path.stat()
    except OSError:
        return [str(path.absolute())]
    return [str(path.absolute()), state.st_size, state.st_mtime_ns]


def _fingerprint_in(path: Path) -> str:
    try:
        with closing(sqlite3.connect(path)) as store:
            return store.execute("SELECT fingerprint FROM run").fetchone()[0]
    except (sqlite3.DatabaseError, TypeError):
        return ""
