"""Lays recorded spectra on a library's energy axis.

The axis of a record may be off by several eV. If it is calibrated (its uncertainty is given), the
record is taken as it stands, or moved by what a reference spectrum of known ion shows. If not, its
onset is laid on the library's. What is left is found for each library spectrum by a search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.alignment import correlate, extended, fraction, search_steps
from whiteline.atomic import edge_splitting, parse_ion
from whiteline.errors import InputError
from whiteline.preprocessing import (
    edge_onset,
    noise,
    normalise,
    resample,
    subtract_background,
    subtract_continuum,
)

# How far the search goes where nothing is known of the axis, eV: after alignment on the onset,
# what remains is the difference between the onsets of the ions, widths and crystal fields.
UNKNOWN_AXIS = 4.0
# How far from the library's onset a record's is sought, eV; measured axes are off by -20 .. +8.
EDGE_SEARCH = 25.0
# A record must cover this share of the library's grid, or its ends are made up from its end
# values.
MINIMUM_COVER = 0.5


@dataclass(frozen=True)
class Frame:
    """The axis on which queries are compared: the library's grid (eV), its spectra and their ions,
    the usual onset (eV), and the distance of L2 from L3 (eV)."""

    grid: np.ndarray
    library: np.ndarray
    ions: np.ndarray
    edge: float
    splitting: float

    @property
    def step(self) -> float:
        """Grid step, eV."""
        return float(self.grid[-1] - self.grid[0]) / (len(self.grid) - 1)


def prepare_queries(
    recorded: xr.Dataset,
    library: xr.Dataset,
    background: Mapping[str, Any],
    continuum: str,
    normalisation: str,
    energy_reference: Mapping[str, str] | None,
    on_error: str = "stop",
) -> xr.Dataset:
    """Recorded spectra without background, on the library's grid extended by the search range.

    Parameters
    ----------
    recorded, library
        Datasets of contracts "recorded" and "spectra".
    background, continuum, normalisation
        See `whiteline.preprocessing`; ``continuum`` is ``none`` or ``two_step``.
    energy_reference
        ``id`` of the spectrum that sets the zero of all, and the ``ion`` that it is known to be.
    on_error
        ``stop``, or ``skip`` to report and leave out what can't be prepared.

    Returns
    -------
    Dataset of contract "spectra"
        ``energy_shift`` is what was added to the recorded axis; ``energy_uncertainty`` what the
        search may add to it.

    Raises
    ------
    InputError
        Names the spectrum that can't be prepared, and why.
    """
    frame = frame_of(library)
    ids = recorded["id"].values.astype(str)
    faults = Faults(ids, skip=on_error == "skip")
    records, onsets = _white_lines(recorded, faults, frame, background, continuum)
    known = recorded["energy_uncertainty"].values
    limit = np.where(np.isnan(known), UNKNOWN_AXIS, known)
    coarse = frame.edge - onsets
    offset = np.where(np.isnan(known), coarse, 0.0)
    if energy_reference is not None:
        offset = _reference_offset(ids, records, coarse, frame, energy_reference)
    for row, ((energy, _), shift) in enumerate(zip(records, offset, strict=True)):
        faults.call(row, None, check_cover, energy + shift, frame)
    offset, laid, axis = _refined(records, offset, limit, frame)
    intensity = _normalised(faults, laid, frame, normalisation)
    results = {"intensity": intensity, "energy": axis, "energy_shift": offset}
    results["energy_uncertainty"] = limit
    results["noise"] = _noise(records, frame.step) * _scale(laid, intensity)
    labels = {name: recorded[name].values for name in recorded.coords if name not in results}
    data = contracts.dataset(
        "spectra",
        labels | results,
        normalisation=normalisation,
        background=contracts.dumps(background),
        continuum=continuum,
        energy_reference=contracts.dumps(energy_reference or {}),
        skipped=contracts.dumps(list(faults.found.values())),
    )
    return data.isel(spectrum=faults.rest())


def frame_of(library: xr.Dataset) -> Frame:
    """The frame of a preprocessed library, contract "spectra"."""
    return Frame(
        library["energy"].values,
        library["intensity"].values,
        library["ion"].values.astype(str),
        float(library.attrs["onset"]),
        edge_splitting(parse_ion(str(library["ion"].values[0])).element),
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
    recorded: xr.Dataset,
    faults: Faults,
    frame: Frame,
    background: Mapping[str, Any],
    continuum: str,
) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """The records (energy in eV, signal without background), and their onsets (eV), shape (n,)."""
    records, onsets = [], []
    for row, (energy, intensity) in enumerate(contracts.split_rows(recorded)):
        nothing = np.zeros_like(energy), frame.edge
        settings = frame, background, continuum
        signal, onset = faults.call(row, nothing, white_lines, energy, intensity, *settings)
        records.append((energy, signal))
        onsets.append(onset)
    return records, np.array(onsets)


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


def _noise(records: list[tuple[np.ndarray, np.ndarray]], step: float) -> np.ndarray:
    """Deviation of the records' noise at a point of the grid of that ``step`` (eV), shape (n,).

    The mean over a step of a finer record lowers it. Interpolation of a coarser one does not add
    measurements, so points of the grid that are to count as independent have more of it.
    """
    return np.array(
        [noise(signal) * np.sqrt(np.median(np.diff(energy)) / step) for energy, signal in records]
    )


def _scale(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Factor of the normalisation of each spectrum (row), NaN for one without signal."""
    height = np.ptp(before, axis=1)
    return np.ptp(after, axis=1) / np.where(height > 0, height, np.nan)


def white_lines(
    energy: np.ndarray,
    intensity: np.ndarray,
    frame: Frame,
    background: Mapping[str, Any],
    continuum: str,
) -> tuple[np.ndarray, float]:
    """White lines alone, and their onset on the recorded axis (eV)."""
    onset = edge_onset(energy, intensity, frame.edge - EDGE_SEARCH, frame.edge + EDGE_SEARCH)
    signal = subtract_background(energy, intensity, onset, background)
    if continuum == "two_step":
        signal = subtract_continuum(energy, signal, onset, frame.splitting)
    return signal, onset


def _reference_offset(
    ids: np.ndarray,
    records: list,
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
    offset = offset_onto_ion(*records[chosen], coarse[chosen], frame, reference["ion"])
    return np.full(len(ids), offset)


def offset_onto_ion(
    energy: np.ndarray, intensity: np.ndarray, coarse: float, frame: Frame, ion: str
) -> float:
    """Shift (eV) that lays a record without background on the best simulation of an ion.

    It is sought around ``coarse``, eV. Shapes: energy (eV) and intensity (samples,).
    """
    steps = search_steps(np.array([UNKNOWN_AXIS]), frame.step)
    axis = extended(frame.grid, int(steps[0]) + 1)
    spectrum = resample(energy + coarse, intensity, axis)[None]
    of_ion = frame.library[frame.ions == ion]
    if not len(of_ion):
        raise InputError(f"energy_reference.ion: the library holds no {ion}")
    shift, similarity = correlate(spectrum, of_ion, steps)
    part = fraction(spectrum, of_ion, shift, similarity)
    return coarse + float(shift[0, similarity[0].argmax()] + part[0]) * frame.step


def check_cover(energy: np.ndarray, frame: Frame) -> None:
    """Refuse a record, its energies (eV) on the library's axis, that covers too little of it."""
    low, high = max(energy[0], frame.grid[0]), min(energy[-1], frame.grid[-1])
    cover = (high - low) / (frame.grid[-1] - frame.grid[0])
    if cover < MINIMUM_COVER:
        raise InputError(
            f"its energies {energy[0]:.1f}..{energy[-1]:.1f} eV cover {max(cover, 0):.0%} of the "
            f"library's {frame.grid[0]:.1f}..{frame.grid[-1]:.1f} eV; "
            f"at least {MINIMUM_COVER:.0%} is needed"
        )


def _refined(
    records: list, offset: np.ndarray, limit: np.ndarray, frame: Frame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets with the fraction of a grid step found, and the records resampled with them.

    One fraction serves a query's comparisons with all library spectra, because it is a property of
    the recorded axis.
    """
    steps = search_steps(limit, frame.step)
    axis = extended(frame.grid, int(steps.max(initial=0)) + 1)

    def laid(shifts: np.ndarray) -> np.ndarray:
        return np.stack(
            [resample(e + s, i, axis) for (e, i), s in zip(records, shifts, strict=True)]
        )

    spectra = laid(offset)
    found, similarity = correlate(spectra, frame.library, steps)
    part = fraction(spectra, frame.library, found, similarity)
    # Without a search the axis is taken at its word.
    offset = offset + np.where(steps > 0, part, 0.0) * frame.step
    return offset, laid(offset), axis
