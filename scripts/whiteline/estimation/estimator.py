"""The workflow's estimate, of any spectrum, without the workflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts, estimators, measures
from whiteline.alignment import correlate, search_steps
from whiteline.atomic import parse_ion
from whiteline.distances import Distances
from whiteline.errors import InputError
from whiteline.estimation import profiles
from whiteline.estimation.answers import (
    calibrated,
    estimated,
    estimates_dataset,
    failed,
    records_of,
)
from whiteline.estimation.series import Series
from whiteline.estimators import Comparison, Estimates, Library
from whiteline.evaluation.calibration import Calibration, Evidence
from whiteline.evaluation.identifiability import Identifiability
from whiteline.formats import Collection, Recorded, read_spectra, read_spectrum
from whiteline.formats.base import Recording
from whiteline.formats.tidy import collect
from whiteline.inspection import check
from whiteline.placing import coarse_offsets, frame_of, offset_onto_ion
from whiteline.preprocessing.white_lines import white_lines
from whiteline.queries import prepare_queries
from whiteline.recorded import as_recorded

RESULTS = Path("results")
# Prepared test spectra of a library stand beside it; these of them calibrate.
CALIBRATION_FILE, SCENARIO = "scenarios.nc", "calibration"
BESIDE = "beside"
# A stack of more spectra than this is taken for one series, its axis off by the same throughout.
STACK = 1000


@dataclass
class Estimator:
    """Valence, 10Dq and the other parameters of measured spectra, by a prepared library.

    Settings are those of the workflow's configuration. The interface is scikit-learn's where it
    fits: settings are attributes, ``get_params`` gives them, and ``fit`` learns the library, which
    the first estimate does by itself.

    Attributes
    ----------
    library
        A prepared library's file, or its name, to be found in ``results``.
    measure, estimator
        A kind, or a mapping of ``kind`` and parameters.
    energy_uncertainty
        How far the energy axis may be off, eV; None where nothing is known of it.
    background
        ``kind`` and ``window``, see `whiteline.preprocessing.background`; None for the
        library's.
    continuum
        ``none``, ``two_step`` or ``two_step_line``.
    post_edge, alignment, smoothing, glitches
        The other steps of the preparation, as for a query set (config/README.md): where the
        continuum is read, eV; how an unknown axis is laid; ``window`` (eV) and ``order``;
        ``threshold`` and ``ranges``. None for none.
    resolution
        Gaussian deviation of the instrument, eV: only library spectra of this width are compared;
        None for all.
    reference, reference_ion
        The file of a spectrum recorded on the same axis and the ion that it is known to be, which
        set the axis' zero.
    calibration
        File of prepared test spectra, whose scenario "calibration" sets intervals and the limit
        of the library; ``"beside"`` for that beside the library if there is one; None for none.
    threads
        Of the search; by default as many as there are cores.
    """

    library: str | Path
    measure: str | Mapping[str, Any] = "correlation"
    estimator: str | Mapping[str, Any] = "profile"
    energy_uncertainty: float | None = None
    background: Mapping[str, Any] | None = None
    continuum: str = "none"
    post_edge: Sequence[float] | None = None
    alignment: str = "onset"
    smoothing: Mapping[str, Any] | None = None
    glitches: Mapping[str, Any] | None = None
    resolution: float | None = None
    reference: str | Path | None = None
    reference_ion: str | None = None
    calibration: str | Path | None = BESIDE
    threads: int | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Settings by name; ``deep`` has no meaning here."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def fit(self) -> Estimator:
        """Read and learn the library, calibrate, and lay the reference on its ion.

        Raises
        ------
        InputError
            If a file is missing, a kind unknown, or the reference can't be used.
        """
        if (self.reference is None) != (self.reference_ion is None):
            raise InputError("reference and reference_ion (such as Mn2+) must be given together")
        self.library_path_ = find_library(self.library)
        self.library_ = contracts.read(self.library_path_, "spectra")
        self.frame_ = frame_of(self.library_)
        self.element_ = parse_ion(str(self.frame_.ions[0])).element
        kind = named(self.measure)
        labels = {name: self.library_[name].values for name in ("valence", "ten_dq")}
        self.measure_ = measures.load(**kind).fit(
            self.frame_.library, labels, self.frame_.grid, seed=0
        )
        self.distances_ = Distances(self.measure_, self.frame_.library, self.frame_.grid)
        self.estimator_ = estimators.load(**named(self.estimator))
        self.estimator_.fit(Library.of(self.library_), self.measure_.facts.order)
        self.profiles_ = None
        self.hidden_ = self._of_other_widths()
        searched = profiles.serves(named(self.estimator)["kind"], self.measure_)
        if searched and not self.hidden_.any():
            self.profiles_ = profiles.Profiles(self.estimator_, self.measure_)
        self.bounds_ = Identifiability(self.library_)
        self.preparation_ = self._preparation()
        self.offset_ = self._offset()
        self.calibration_ = self._calibration()
        return self

    def warm_up(self) -> Estimator:
        """Do once what the first estimates would wait for: imports, compilation."""
        self._fitted()
        rows = np.arange(2) % len(self.frame_.library)
        spectra = self.frame_.library[rows]
        self.estimate((self.frame_.grid, spectra[0]))
        self.answer(spectra, np.zeros(2), 0.0)
        return self

    def estimate(self, spectra: Any) -> xr.Dataset:
        """Estimates of all spectra, contract "estimates".

        Parameters
        ----------
        spectra
            The path of a measured file or several; or energies (points,), eV, and signals
            (points,) or (n, points).

        Returns
        -------
        Dataset of contract "estimates"
            Its attribute ``skipped`` lists, in JSON, what could not be used and why.

        Raises
        ------
        InputError
            If no spectrum could be used.
        """
        ids, found, faults = [], [], []
        for collection in self._collections(spectra, faults):
            for start, (records, wrong) in self.blocks(collection):
                faults += [sentence for _, sentence in wrong]
                names = [collection.id(start + row) for row in range(len(records))]
                kept = records["chosen"] >= 0
                ids += [name for name, good in zip(names, kept, strict=True) if good]
                found.append(records[kept])
        if not ids:
            raise InputError(f"no spectrum can be used; the first: {faults[0]}")
        return self.dataset(ids, np.concatenate(found), skipped=contracts.dumps(faults))

    def dataset(self, ids: Sequence[str], records: np.ndarray, **others: Any) -> xr.Dataset:
        """Records as a dataset of contract "estimates"; see `answers.estimates_dataset`."""
        settings = named(self.estimator)
        return estimates_dataset(
            ids,
            records,
            self.library_,
            self.calibration_,
            estimator=settings.pop("kind"),
            parameters=contracts.dumps(settings),
            measure=self.measure_.kind,
            **others,
        )

    def blocks(
        self, collection: Collection, skip: Callable[[int], bool] = lambda first: False
    ) -> Iterator[tuple[int, tuple[np.ndarray, list[tuple[int, str]]]]]:
        """First row, records and faults (row, sentence) of one part of a collection after another.

        Parts whose first row ``skip`` tells to be done are left out. Raises `InputError` if a
        series can't be used at all.
        """
        self._fitted()
        if self.is_series(collection):
            yield from Series(self, collection).blocks(skip)
            return
        for start in range(len(collection)):
            if not skip(start):
                yield start, self._single(collection, start)

    def is_series(self, collection: Collection) -> bool:
        """Whether spectra share the error of their axis: maps, long stacks, known axes."""
        many = collection.shape is not None or len(collection) > STACK
        return many or (len(collection) > 1 and self.energy_uncertainty == 0)

    def find(self, ids: Sequence[str], spectra: Sequence[Recorded]) -> np.ndarray:
        """Records of single spectra, each with its own search for the shift.

        Raises
        ------
        InputError
            Names the spectrum that can't be prepared, and why.
        """
        self._fitted()
        uncertainty = np.nan if self.energy_uncertainty is None else self.energy_uncertainty
        known = {"energy_uncertainty": np.full(len(ids), uncertainty, dtype=float)}
        if self.resolution is not None:
            known["resolution"] = np.full(len(ids), self.resolution, dtype=float)
        recorded = as_recorded(ids, spectra, **known)
        query = self._prepared(recorded)
        answer = estimated(self.estimator_, self.bounds_, query, *self._compared(query))
        return records_of(*answer, query["energy_shift"].values)

    def answer(
        self, spectra: np.ndarray, noise: np.ndarray, uncertainty: float
    ) -> tuple[Estimates, Evidence]:
        """Estimates of prepared spectra, taken as they lie, and what they rest on.

        Parameters
        ----------
        spectra, noise
            On the library's grid, (n, points), and the deviation of their noise, (n,).
        uncertainty
            How far the search for the shift of all went, eV.
        """
        limit = np.full(len(spectra), uncertainty)
        if self.profiles_ is not None:
            found, spread = self.profiles_.estimates(spectra, self.calibration_ is not None)
            match = found.of_chosen(found.match)
            width = self.library_["gaussian_sigma"].values[match]
            bound = self.bounds_.bound(match, spectra, noise)
            return found, Evidence(found.distance, width, bound, spread, limit)
        unmoved = np.zeros((len(spectra), len(self.frame_.library)), dtype=int)
        distance = self.distances_.rows(spectra, unmoved)
        distance[:, self.hidden_] = np.inf
        compared = Comparison(distance, None, spectra, self.frame_.step, np.zeros(len(spectra)))
        found = self.estimator_.predict(compared)
        known = {"noise": ("spectrum", noise), "energy_uncertainty": ("spectrum", limit)}
        order = self.estimator_.order_
        return found, Evidence.of(found, compared, xr.Dataset(known), self.bounds_, order)

    def _single(
        self, collection: Collection, row: int
    ) -> tuple[np.ndarray, list[tuple[int, str]]]:
        name = collection.id(row)
        try:
            spectrum = collection.spectrum(row)
            try:
                check(spectrum.energy, spectrum.intensity, self.element_)
                return self.find([name], [spectrum]), []
            except InputError as error:
                sentence = str(error).removeprefix(f"spectrum {name!r}: ")
                where = "" if len(collection) == 1 else f", spectrum {name!r}"
                raise InputError(f"{collection.where}{where}: {sentence}") from None
        except InputError as error:
            return failed(1, len(self.estimator_.candidates_)), [(row, str(error))]

    def _prepared(self, recorded: xr.Dataset) -> xr.Dataset:
        query, _ = prepare_queries(
            recorded, self.library_, self.preparation_, None, energy_offset=self.offset_
        )
        return query

    def _compared(self, query: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """Shifts (eV) and distances of prepared queries to the library, (n, m)."""
        intensity = query["intensity"].values
        limit = search_steps(query["energy_uncertainty"].values, self.frame_.step)
        steps, _ = correlate(intensity, self.frame_.library, limit)
        shift = np.round(steps * self.frame_.step, 6).astype(np.float32)
        return shift, self.distances_.rows(intensity, steps)

    def _preparation(self) -> dict[str, Any]:
        """The steps of the preparation, those that are not asked for left out."""
        steps = {
            "background": self.background or json.loads(self.library_.attrs["background"]),
            "continuum": self.continuum,
            "normalisation": self.library_.attrs["normalisation"],
            "alignment": self.alignment,
            "post_edge": self.post_edge,
            "smoothing": self.smoothing,
            "glitches": self.glitches,
        }
        return {name: value for name, value in steps.items() if value is not None}

    def _of_other_widths(self) -> np.ndarray:
        """Library spectra that a stated resolution leaves out, mask (m,)."""
        width = self.library_["gaussian_sigma"].values
        if self.resolution is None:
            return np.zeros(len(width), dtype=bool)
        met = np.isclose(width, self.resolution)
        if not met.any():
            known = ", ".join(f"{value:g}" for value in np.unique(width[np.isfinite(width)]))
            raise InputError(
                f"resolution: the library has no spectrum of a Gaussian width of "
                f"{self.resolution:g} eV, but of {known or 'unknown ones'} eV"
            )
        return ~met & ~np.isnan(width)

    def _offset(self) -> float | None:
        if self.reference is None:
            return None
        record = read_spectrum(self.reference)
        edge = self.frame_.edge, self.frame_.splitting
        record = white_lines(record.energy, record.intensity, *edge, self.preparation_)
        (coarse,) = coarse_offsets([record], self.frame_, "onset")
        place = record.energy, record.signal, coarse, self.frame_
        return offset_onto_ion(*place, self.reference_ion)

    def _calibration(self) -> Calibration | None:
        path = self.calibration_path_ = find_calibration(self.library_path_, self.calibration)
        if path is None:
            return None
        known = contracts.read(path, "spectra")
        chosen = known["scenario"].values.astype(str) == SCENARIO
        if not chosen.any():
            raise InputError(f"{path}: holds no spectra of a scenario named {SCENARIO!r}")
        known = known.isel(spectrum=np.flatnonzero(chosen))
        return calibrated(self.estimator_, self.bounds_, known, *self._compared(known))

    def _collections(self, spectra: Any, faults: list[str]) -> Iterator[Collection]:
        if isinstance(spectra, tuple):
            energy, intensity = map(np.asarray, spectra)
            yield collect(Recording(energy, intensity), "spectra", name="spectrum")
            return
        for path in [spectra] if isinstance(spectra, (str, Path)) else spectra:
            try:
                yield from read_spectra(path)
            except InputError as error:
                faults.append(str(error))

    def _fitted(self) -> None:
        if not hasattr(self, "calibration_"):
            self.fit()


def find_library(library: str | Path) -> Path:
    """The file of a library: itself, or the one of that name in `RESULTS`.

    Raises
    ------
    InputError
        If there is none, or several preparations of it; says what makes one.
    """
    path = Path(library)
    if path.suffix == ".nc" or path.parent != Path():
        if not path.is_file():
            raise InputError(f"{path}: no such library")
        return path
    found = sorted((RESULTS / path).glob("*/library.nc"))
    if not found:
        wanted = RESULTS / path / "standard" / "library.nc"
        raise InputError(
            f"there is no prepared library {path.name!r} in {RESULTS}; "
            f"make it by 'snakemake --cores 2 -- {wanted}', or give its file"
        )
    if len(found) > 1:
        names = ", ".join(map(str, found))
        raise InputError(f"the library {path.name!r} is prepared in several ways; choose {names}")
    return found[0]


def find_calibration(library: Path, calibration: str | Path | None) -> Path | None:
    """The file of test spectra, or None."""
    if calibration is None:
        return None
    if calibration != BESIDE:
        return Path(calibration)
    beside = library.with_name(CALIBRATION_FILE)
    return beside if beside.is_file() else None


def named(kind: str | Mapping[str, Any]) -> dict[str, Any]:
    """A kind as a mapping of ``kind`` and parameters."""
    return {"kind": kind} if isinstance(kind, str) else dict(kind)
