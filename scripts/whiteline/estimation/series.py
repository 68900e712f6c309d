"""Many spectra on one energy axis: prepared by one matrix product, compared without shifts.

The spectra of a map share their axis and the place of the edge. The edge is read from their mean,
the axis from whichever of the mean and some samples the library fits best, as those of a single
spectrum are; background, continuum and resampling are then the same linear map for all, and no
shift is sought for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from whiteline.errors import InputError
from whiteline.estimation.answers import failed, records_of
from whiteline.estimation.noise import noise_of_many
from whiteline.estimation.steps import Steps
from whiteline.formats import Collection, Recorded
from whiteline.inspection import check
from whiteline.placing import check_cover
from whiteline.preprocessing.normalisation import normalise
from whiteline.search.base import available_threads

if TYPE_CHECKING:
    from whiteline.estimation.estimator import Estimator

# Spectra that are read at a time, and those that one thread prepares and answers at a time.
CHUNK = 8192
PART = 1024
# The same where distances to the whole library are wanted.
SMALL_PART = 256
# Parts of a series, so many of each number of neighbours, whose axis is looked at.
SAMPLES, NEIGHBOURS = 8, (1, 4, 16)


class Series:
    """The spectra of a collection, to be answered part by part.

    Parameters
    ----------
    estimator
        Fitted.
    collection
        Spectra on one axis.

    Raises
    ------
    InputError
        If their mean can't be used; says why.
    """

    def __init__(self, estimator: Estimator, collection: Collection) -> None:
        self._collection, self._estimator = collection, estimator
        self._normalisation = estimator.library_.attrs["normalisation"]
        self._part = SMALL_PART if estimator.profiles_ is None else PART
        self._threads = estimator.threads or available_threads()
        mean = collection.mean()
        try:
            check(mean.energy, mean.intensity, estimator.element_)
            record = self._best([mean, *self._samples(mean)])
            self.energy_shift = float(record["energy_shift"])
            self._uncertainty = float(record["energy_uncertainty"])
            check_cover(mean.energy + self.energy_shift, estimator.frame_)
            frame = estimator.frame_
            self._steps = Steps(mean, frame, estimator.preparation_, self.energy_shift)
            self._noise_on_grid = np.sqrt(np.median(np.diff(mean.energy)) / frame.step)
        except InputError as error:
            sentence = str(error).removeprefix("spectrum 'mean': ")
            raise InputError(f"{collection.where}, mean of its spectra: {sentence}") from None

    def _best(self, spectra: Sequence[Recorded]) -> np.void:
        """The record of the spectrum that the library fits best; the first must be fit for use."""
        (best,) = self._estimator.find(["mean"], spectra[:1])
        for spectrum in spectra[1:]:
            try:
                (record,) = self._estimator.find(["sample"], [spectrum])
            except InputError:
                continue
            best = min(best, record, key=lambda one: one["distance"].min())
        return best

    def _samples(self, mean: Recorded) -> list[Recorded]:
        """Single spectra and means of neighbours, spread evenly.

        The mean of all may be a mixture that fits nowhere; the smaller a part, the purer it is,
        but the noisier. Where the axis is known nothing is to be found.
        """
        count = len(self._collection)
        if self._estimator.energy_uncertainty == 0 or count < 2 * SAMPLES:
            return []
        samples = []
        for size in NEIGHBOURS:
            for start in np.linspace(0, count - size, SAMPLES).astype(int):
                raw = np.asarray(self._collection.raw(start, start + size), dtype=float)
                signal = self._collection.in_order(raw).mean(axis=0)
                if np.isfinite(signal).all():
                    samples.append(Recorded(mean.energy, signal, ()))
        return samples

    def blocks(
        self, skip: Callable[[int], bool]
    ) -> Iterator[tuple[int, tuple[np.ndarray, list[tuple[int, str]]]]]:
        """First row, records and faults (row, sentence) of one chunk of spectra after another.

        Chunks whose first row ``skip`` tells to be done are left out. While one is estimated, the
        next is read.
        """
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(self._threads) as pool:
            before = None
            for start in range(0, len(self._collection), CHUNK):
                if skip(start):
                    continue
                raw = self._collection.raw(start, start + CHUNK)
                firsts = range(0, len(raw), self._part)
                parts = [raw[first : first + self._part] for first in firsts]
                asked = start, [pool.submit(self._answer, part) for part in parts]
                if before:
                    yield self._gathered(*before)
                before = asked
            if before:
                yield self._gathered(*before)

    def _gathered(
        self, start: int, parts: Sequence[Future]
    ) -> tuple[int, tuple[np.ndarray, list[tuple[int, str]]]]:
        found = [part.result() for part in parts]
        firsts = range(start, start + CHUNK, self._part)
        faults = [
            (first + row, self._sentence(first + row, wrong))
            for first, (_, part) in zip(firsts, found, strict=False)
            for row, wrong in part.items()
        ]
        return start, (np.concatenate([records for records, _ in found]), faults)

    def prepared(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
        """Signals as the file holds them, (n, points in the file), on the library's grid.

        Normalised, shape (n, points); their noise at a point of the grid, (n,); and what is wrong
        with rows, which are then meaningless.
        """
        # Single precision carries 16 bits of counts; what is more precise stays so.
        raw = np.asarray(raw, dtype=np.result_type(raw.dtype, np.float32))
        finite = np.isfinite(raw).all(axis=1)
        faults = dict.fromkeys(np.flatnonzero(~finite).tolist(), "the signal is not finite")
        signals = self._collection.in_order(np.where(finite[:, None], raw, 0))
        deviation = noise_of_many(signals) * self._noise_on_grid
        laid = self._steps(signals, faults)
        spectra = self._normalised(laid.copy(), faults)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviation *= np.ptp(spectra, axis=1) / np.ptp(laid, axis=1)
        return spectra, deviation, faults

    def _normalised(self, spectra: np.ndarray, faults: dict[int, str]) -> np.ndarray:
        # Rows with a fault get a signal that can be normalised.
        spectra[list(faults)] = self._estimator.frame_.library[0]
        try:
            return normalise(spectra, self._normalisation)
        except InputError:
            pass
        for row, spectrum in enumerate(spectra):
            try:
                spectra[row] = normalise(spectrum, self._normalisation)
            except InputError as error:
                faults[row] = str(error)
                spectra[row] = self._estimator.frame_.library[0]
        return spectra

    def _answer(self, raw: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
        spectra, deviation, faults = self.prepared(raw)
        found, evidence = self._estimator.answer(spectra, deviation, self._uncertainty)
        records = records_of(found, evidence, self.energy_shift)
        records[list(faults)] = failed(len(faults), records["match"].shape[1])
        return records, faults

    def _sentence(self, row: int, wrong: str) -> str:
        collection = self._collection
        return f"{collection.where}, spectrum {collection.id(row)!r}: {wrong}"
