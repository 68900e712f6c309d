"""Where a record lies on the library's axis, as far as can be told without comparing pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from whiteline.alignment import correlate, extended, fraction, search_steps
from whiteline.atomic import edge_splitting, parse_ion
from whiteline.errors import InputError
from whiteline.preprocessing.edge import edge_onset, l3_centroid, l3_maximum
from whiteline.preprocessing.resampling import resample
from whiteline.preprocessing.white_lines import WhiteLines

# How far the search goes where nothing is known of the axis, eV: after alignment on the onset,
# what remains is the difference between the onsets of the ions, widths and crystal fields.
UNKNOWN_AXIS = 4.0
# A record must cover this share of the library's grid, or its ends are made up from its end
# values.
MINIMUM_COVER = 0.5
# So many spectra, spread evenly over the library, stand for it in a coarse alignment.
REPRESENTATIVES = 500


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

    @property
    def representatives(self) -> np.ndarray:
        """Spectra that stand for the library, shape (k, points)."""
        return self.library[:: -(-len(self.library) // REPRESENTATIVES)]


def frame_of(library: xr.Dataset) -> Frame:
    """The frame of a preprocessed library, contract "spectra"."""
    return Frame(
        library["energy"].values,
        library["intensity"].values,
        library["ion"].values.astype(str),
        float(library.attrs["onset"]),
        edge_splitting(parse_ion(str(library["ion"].values[0])).element),
    )


def coarse_offsets(records: list[WhiteLines], frame: Frame, alignment: str) -> np.ndarray:
    """What lays each record of unknown axis roughly on the library, eV, shape (n,).

    Parameters
    ----------
    records
        n records, their background and continuum subtracted.
    frame
        The library's axis.
    alignment
        ``onset``, ``maximum`` or ``centroid`` of L3 is laid on the library's median; or the
        offset of greatest ``correlation`` with any of up to 500 library spectra, within half the
        distance of L2 from L3 about that by the onset (farther off, L2 of a record with a
        continuum is taken for L3); or ``none``, the recorded axis as it is.
    """
    if alignment == "none":
        return np.zeros(len(records))
    if alignment == "onset":
        return frame.edge - np.array([record.onset for record in records])
    if alignment == "correlation":
        return np.array([_correlation_offset(record, frame) for record in records])
    place = {"maximum": l3_maximum, "centroid": l3_centroid}[alignment]
    target = _usual(place, frame)
    return target - np.array(
        [place(r.energy, r.signal, r.onset, frame.splitting) for r in records]
    )


def _usual(place: Callable[..., float], frame: Frame) -> float:
    """Median of a place of L3 over the library, eV."""
    grid = frame.grid
    onsets = [edge_onset(grid, row, grid[0], grid[-1]) for row in frame.representatives]
    rows = zip(frame.representatives, onsets, strict=True)
    return float(np.median([place(grid, row, onset, frame.splitting) for row, onset in rows]))


def _correlation_offset(record: WhiteLines, frame: Frame) -> float:
    coarse = frame.edge - record.onset
    steps = search_steps(np.array([frame.splitting / 2]), frame.step)
    axis = extended(frame.grid, int(steps[0]))
    spectrum = resample(record.energy + coarse, record.signal, axis)[None]
    shift, similarity = correlate(spectrum, frame.representatives, steps)
    return coarse + float(shift[0, similarity[0].argmax()]) * frame.step


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
