"""Many spectra on one energy axis: prepared by one matrix product, compared without shifts.

The spectra of a map share their axis and the place of the edge. Both are read from their mean, as
those of a single spectrum are; background, continuum and resampling are then the same linear map
for all, and no shift is sought for each.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from whiteline.errors import InputError
from whiteline.estimation.answers import failed, records_of
from whiteline.formats import Collection
from whiteline.inspection import check
from whiteline.preprocessing import (
    l3_maximum,
    normalise,
    resample,
    subtract_background,
    subtract_continuum,
)
from whiteline.queries import check_cover, white_lines
from whiteline.search.base import available_threads

if TYPE_CHECKING:
    from whiteline.estimation.estimator import Estimator

# Spectra that are read at a time, and those that one thread prepares and answers at a time.
CHUNK = 8192
PART = 512


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
        self._threads = estimator.threads or available_threads()
        mean = collection.mean()
        try:
            check(mean.energy, mean.intensity, estimator.element_)
            (record,) = estimator.find(["mean"], [mean])
            self.energy_shift = float(record["energy_shift"])
            check_cover(mean.energy + self.energy_shift, estimator.frame_)
            self._lay_out(mean.energy, mean.intensity)
        except InputError as error:
            sentence = str(error).removeprefix("spectrum 'mean': ")
            raise InputError(f"{collection.where}, mean of its spectra: {sentence}") from None

    def starts(self) -> range:
        """First rows of the chunks."""
        return range(0, len(self._collection), CHUNK)

    def records(self, start: int) -> tuple[np.ndarray, list[tuple[int, str]]]:
        """Records of a chunk of spectra, and the rows that can't be used with what is wrong."""
        raw = self._collection.raw(start, start + CHUNK)
        parts = [raw[first : first + PART] for first in range(0, len(raw), PART)]
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(self._threads) as pool:
            found = list(pool.map(self._answer, parts))
        faults = [
            (row, self._sentence(row, wrong))
            for number, (_, part) in enumerate(found)
            for row, wrong in ((start + number * PART + at, wrong) for at, wrong in part.items())
        ]
        return np.concatenate([records for records, _ in found]), faults

    def prepared(self, raw: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
        """Signals as the file holds them, (n, points in the file), on the library's grid.

        Normalised, shape (n, points), and what is wrong with rows, which are then meaningless.
        """
        # Single precision carries 16 bits of counts; what is more precise stays so.
        raw = np.asarray(raw, dtype=np.result_type(raw.dtype, np.float32))
        finite = np.isfinite(raw).all(axis=1)
        faults = dict.fromkeys(np.flatnonzero(~finite).tolist(), "the signal is not finite")
        raw = np.where(finite[:, None], raw, 0)
        spectra = raw @ self._matrix.astype(raw.dtype)
        if self._power_law is not None:
            spectra -= self._power_law(raw, faults) @ self._after.astype(raw.dtype)
        return self._normalised(spectra, faults), faults

    def _lay_out(self, energy: np.ndarray, mean: np.ndarray) -> None:
        """The linear map from signals as the file holds them to the library's grid.

        Found by what becomes of one point after the other.
        """
        estimator = self._estimator
        background, frame = estimator.background_, estimator.frame_
        signal, onset = white_lines(energy, mean, frame, background, "none")
        l3 = l3_maximum(energy, signal, onset, frame.splitting)
        grid = frame.grid - self.energy_shift
        power_law = background["kind"] == "power_law"

        def laid(point: np.ndarray) -> np.ndarray:
            if not power_law:
                point = subtract_background(energy, point, onset, background)
            if estimator.continuum == "two_step":
                point = subtract_continuum(energy, point, onset, frame.splitting, l3)
            return resample(energy, point, grid)

        self._after = np.stack([laid(point) for point in np.eye(len(energy))])
        self._matrix = self._collection.on_file_axis(self._after)
        self._power_law = None
        if power_law:
            self._power_law = PowerLaw(self._collection, energy, onset, background["window"])

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
        spectra, faults = self.prepared(raw)
        records = records_of(self._estimator.answer(spectra), self.energy_shift)
        records[list(faults)] = failed(len(faults), records["match"].shape[1])
        return records, faults

    def _sentence(self, row: int, wrong: str) -> str:
        collection = self._collection
        return f"{collection.where}, spectrum {collection.id(row)!r}: {wrong}"


class PowerLaw:
    """The background A E^-r of many spectra, see `whiteline.preprocessing.subtract_background`.

    Called with signals as the file holds them, (n, points in the file), it gives that of each on
    the ascending energies, (n, points), and adds to the faults the rows that have none.
    """

    def __init__(
        self, collection: Collection, energy: np.ndarray, onset: float, window: list[float]
    ) -> None:
        low, high = (onset + bound for bound in window)
        inside = (energy >= low) & (energy <= high)
        self._select = collection.on_file_axis(np.eye(len(energy))[:, inside])
        logarithm = np.log(energy[inside])
        self._centre = logarithm.mean()
        self._slope = (logarithm - self._centre) / ((logarithm - self._centre) ** 2).sum()
        # A record may begin before the zero-loss peak, where energies have no logarithm.
        self._defined = energy > 0
        self._logarithm = np.log(np.where(self._defined, energy, 1)) - self._centre

    def __call__(self, raw: np.ndarray, faults: dict[int, str]) -> np.ndarray:
        counts = raw @ self._select.astype(raw.dtype)
        positive = (counts > 0).all(axis=1)
        wrong = "a power-law background needs positive counts before the edge"
        faults |= {row: faults.get(row, wrong) for row in np.flatnonzero(~positive).tolist()}
        logarithm = np.log(np.where(positive[:, None], counts, 1)).astype(float)
        slope = (logarithm @ self._slope)[:, None]
        values = np.exp(logarithm.mean(1, keepdims=True) + slope * self._logarithm)
        return np.where(self._defined, values, 0).astype(raw.dtype)
