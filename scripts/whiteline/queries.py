"""Lays recorded spectra on a library's energy axis.

The axis of a record may be off by several eV. If it is calibrated (its uncertainty is given), the
record is taken as it stands, or moved by what a reference spectrum of known ion shows. If not, its
onset, or what else the preparation's ``alignment`` says, is laid on the library's. What is left is
found for each library spectrum by a search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.alignment import correlate, extended, fraction, search_steps
from whiteline.errors import InputError
from whiteline.placing import (
    UNKNOWN_AXIS,
    Frame,
    check_cover,
    coarse_offsets,
    frame_of,
    offset_onto_ion,
)
from whiteline.preprocessing.edge import noise
from whiteline.preprocessing.normalisation import normalise
from whiteline.preprocessing.resampling import resample
from whiteline.preprocessing.white_lines import WhiteLines, white_lines

# So many records of a set are kept as they were, for the report's figures.
SHOWN = 50


def prepare_queries(
    recorded: xr.Dataset,
    library: xr.Dataset,
    preparation: Mapping[str, Any],
    energy_reference: Mapping[str, str] | None,
    on_error: str = "stop",
    energy_offset: float | None = None,
) -> tuple[xr.Dataset, xr.Dataset]:
    """Recorded spectra without background, on the library's grid extended by the search range.

    Parameters
    ----------
    recorded, library
        Datasets of contracts "recorded" and "spectra".
    preparation
        As of `whiteline.preprocessing.white_lines.white_lines`; also ``normalisation`` (see
        `whiteline.preprocessing.normalisation`) and ``alignment`` of records whose axis is unknown
        (see `whiteline.placing.coarse_offsets`; ``onset`` if left out).
    energy_reference
        ``id`` of the spectrum that sets the zero of all, and the ``ion`` that it is known to be.
    on_error
        ``stop``, or ``skip`` to report and leave out what can't be prepared.
    energy_offset
        Shift (eV) of all axes, where a reference that is not of the set has shown it.

    Returns
    -------
    spectra
        Contract "spectra". ``energy_shift`` is what was added to the recorded axis;
        ``energy_uncertainty`` what the search may add to it.
    steps
        Contract "preparation": the first 50 records and what was subtracted from them.

    Raises
    ------
    InputError
        Names the spectrum that can't be prepared, and why.
    """
    ids, known = recorded["id"].values.astype(str), recorded["energy_uncertainty"].values
    frame, faults = frame_of(library), Faults(ids, skip=on_error == "skip")
    records = _white_lines(recorded, faults, frame, preparation)
    coarse = coarse_offsets(records, frame, preparation.get("alignment", "onset"))
    if energy_reference is not None:
        offset = _reference_offset(ids, records, coarse, frame, energy_reference)
    else:
        placed = np.where(np.isnan(known), coarse, 0.0)
        offset = placed if energy_offset is None else np.full(len(ids), energy_offset)
    results = _on_grid(records, offset, known, frame, preparation["normalisation"], faults)
    labels = {name: recorded[name].values for name in recorded.coords if name not in results}
    data = contracts.dataset(
        "spectra",
        labels | results,
        normalisation=preparation["normalisation"],
        background=contracts.dumps(preparation["background"]),
        continuum=preparation["continuum"],
        energy_reference=contracts.dumps(energy_reference or {}),
        skipped=contracts.dumps(list(faults.found.values())),
    )
    rest = faults.rest()
    shown = {str(ids[row]): records[row] for row in rest[:SHOWN]}
    return data.isel(spectrum=rest), _steps(shown, preparation)


def _on_grid(
    records: list[WhiteLines],
    offset: np.ndarray,
    known: np.ndarray,
    frame: Frame,
    normalisation: str,
    faults: Faults,
) -> dict[str, np.ndarray]:
    """Records whose axes are shifted (eV) on the grid, and how uncertain the shifts are.

    ``known`` is what is known of that, NaN for nothing.
    """
    limit = np.where(np.isnan(known), UNKNOWN_AXIS, known)
    for row, (record, shift) in enumerate(zip(records, offset, strict=True)):
        faults.call(row, None, check_cover, record.energy + shift, frame)
    offset, laid, axis = _refined(records, offset, limit, frame)
    intensity = _normalised(faults, laid, frame, normalisation)
    return {
        "intensity": intensity,
        "energy": axis,
        "energy_shift": offset,
        "energy_uncertainty": limit,
        "noise": _noise(records, frame.step) * _scale(laid, intensity),
    }


def _steps(records: Mapping[str, WhiteLines], preparation: Mapping[str, Any]) -> xr.Dataset:
    """Records by identifier, and what was subtracted from them, contract "preparation"."""
    names = {"intensity": "recorded"} | {
        name: name for name in ("energy", "masked", "background", "continuum", "signal")
    }
    rows = records.values()
    samples = {
        variable: np.concatenate([getattr(record, name) for record in rows])
        for variable, name in names.items()
    }
    labels = {
        "id": [*records],
        "onset": [record.onset for record in rows],
        "row_size": [len(record.energy) for record in rows],
    }
    return contracts.dataset(
        "preparation", samples | labels, preparation=contracts.dumps(preparation)
    )


def named(name: str, function, *arguments):
    """Call a function; its `InputError` then says which spectrum it speaks of."""
    try:
        return function(*arguments)
    except InputError as error:
        raise InputError(f"spectrum {str(name)!r}: {error}") from None


class Faults:
    """What is wrong with spectra: raised at once, or kept by row where they are to be skipped."""

    def __init__(self, ids: np.ndarray, skip: bool) -> None:
        self.ids, self.skip = ids, skip
        self.found: dict[int, str] = {}

    def call(self, row: int, instead: Any, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function, whose `InputError` then says which spectrum it speaks of.

        ``instead`` is returned for a spectrum to be skipped.
        """
        if row in self.found:
            return instead
        try:
            return function(*arguments)
        except InputError as error:
            message = f"spectrum {str(self.ids[row])!r}: {error}"
        if not self.skip:
            raise InputError(message)
        print(f"skipped: {message}")
        self.found[row] = message
        return instead

    def rest(self) -> list[int]:
        """The rows without a fault; raises `InputError` if there are none."""
        kept = [row for row in range(len(self.ids)) if row not in self.found]
        if not kept:
            first = next(iter(self.found.values()))
            raise InputError(f"none of {len(self.ids)} spectra can be used; the first: {first}")
        return kept


def _white_lines(
    recorded: xr.Dataset, faults: Faults, frame: Frame, preparation: Mapping[str, Any]
) -> list[WhiteLines]:
    """The records taken apart; one with a fault that is to be skipped has no signal."""
    records = []
    for row, (energy, intensity) in enumerate(contracts.split_rows(recorded)):
        none = np.zeros_like(energy)
        nothing = WhiteLines(energy, intensity, none != 0, none, none, none, frame.edge)
        settings = frame.edge, frame.splitting, preparation
        record = faults.call(row, nothing, white_lines, energy, intensity, *settings)
        if masked := int(record.masked.sum()):
            points = "1 point masked as a glitch" if masked == 1 else f"{masked} points masked"
            print(f"spectrum {str(faults.ids[row])!r}: {points}")
        records.append(record)
    return records


def _normalised(faults: Faults, spectra: np.ndarray, frame: Frame, kind: str) -> np.ndarray:
    """Spectra normalised on the library's grid: the margin depends on the set's widest search."""
    margin = (spectra.shape[1] - len(frame.grid)) // 2
    own = slice(margin, margin + len(frame.grid))
    nothing = np.zeros(spectra.shape[1])
    return np.stack(
        [
            faults.call(row, nothing, normalise, spectrum, kind, own)
            for row, spectrum in enumerate(spectra)
        ]
    )


def _noise(records: list[WhiteLines], step: float) -> np.ndarray:
    """Deviation of the records' noise at a point of the grid of that ``step`` (eV), shape (n,).

    It is that before smoothing, which hides noise and removes none of its slow part. The mean over
    a step of a finer record lowers it. Interpolation of a coarser one does not add measurements,
    so points of the grid that are to count as independent have more of it.
    """
    return np.array(
        [noise(r.recorded) * np.sqrt(np.median(np.diff(r.energy)) / step) for r in records]
    )


def _scale(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Factor of the normalisation of each spectrum (row), NaN for one without signal."""
    height = np.ptp(before, axis=1)
    return np.ptp(after, axis=1) / np.where(height > 0, height, np.nan)


def _reference_offset(
    ids: np.ndarray,
    records: list[WhiteLines],
    coarse: np.ndarray,
    frame: Frame,
    reference: Mapping[str, str],
) -> np.ndarray:
    """Shift (eV), the same for all records, that lays the reference on the best simulation of its
    ion, sought around ``coarse``, shape (n,).
    """
    if list(ids).count(reference["id"]) != 1:
        raise InputError(
            f"energy_reference.id: there is no spectrum {reference['id']!r}; "
            f"there are {', '.join(ids)}"
        )
    chosen = list(ids).index(reference["id"])
    record = records[chosen]
    ion = reference["ion"]
    offset = offset_onto_ion(record.energy, record.signal, coarse[chosen], frame, ion)
    return np.full(len(ids), offset)


def _refined(
    records: list[WhiteLines], offset: np.ndarray, limit: np.ndarray, frame: Frame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets with the fraction of a grid step found, and the records resampled with them.

    One fraction serves a query's comparisons with all library spectra, because it is a property of
    the recorded axis.
    """
    steps = search_steps(limit, frame.step)
    axis = extended(frame.grid, int(steps.max(initial=0)) + 1)

    def laid(shifts: np.ndarray) -> np.ndarray:
        return np.stack(
            [resample(r.energy + s, r.signal, axis) for r, s in zip(records, shifts, strict=True)]
        )

    spectra = laid(offset)
    found, similarity = correlate(spectra, frame.library, steps)
    part = fraction(spectra, frame.library, found, similarity)
    # Without a search the axis is taken at its word.
    offset = offset + np.where(steps > 0, part, 0.0) * frame.step
    return offset, laid(offset), axis
