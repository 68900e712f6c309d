"""Reads electron energy-loss spectra and spectrum images through RosettaSciIO.

Gatan DigitalMicrograph (``.dm3``, ``.dm4``), HyperSpy (``.hspy``) and EMD (``.emd``; of NCEM and
Velox). The data are read when they are needed, so a spectrum image may be larger than the memory.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whiteline.errors import InputError
from whiteline.formats import hdf5, rosetta
from whiteline.formats.base import Choice, Recording, energy_factor, in_electronvolts, rows_of
from whiteline.formats.tidy import MAXIMUM_POINTS, MINIMUM_POINTS

ENDINGS = (".dm3", ".dm4", ".hspy", ".emd", ".h5", ".hdf5")


def recognise(path: Path, head: bytes) -> str | None:
    """The name of the format, told by a file's first bytes or HDF5 attributes."""
    found = _reader(path, head)
    return found and found[1]


def read(path: Path, choice: Choice) -> list[Recording]:
    """Energy loss (eV) and counts of every signal that has an axis of energy.

    ``choice.intensity`` is the title of a signal or its position among these.

    Raises
    ------
    InputError
        If the file is damaged, nothing in it has an axis of energy, or there is no such signal.
    """
    if choice.energy is not None or choice.i0 is not None:
        raise InputError(f"{path}: the file knows its energies; choose intensity_column only")
    with path.open("rb") as stream:
        module, format = _reader(path, stream.read(64))
    signals = rosetta.load(module, path, format, lazy=True)
    spectral = [signal for signal in signals if _energy_axis(signal) is not None]
    if not spectral:
        axes = [str(axis.get("name")) for signal in signals for axis in signal.get("axes", ())]
        found = f"only {', '.join(dict.fromkeys(axes))}" if axes else "no data"
        raise InputError(f"{path}: no axis has units of eV or keV; there are {found}")
    return [_recording(path, signal) for signal in _chosen(path, spectral, choice.intensity)]


def _reader(path: Path, head: bytes) -> tuple[str, str] | None:
    """RosettaSciIO's reader of a file and the name of the format."""
    version, order = struct.unpack(">i", head[:4])[0] if len(head) > 16 else 0, ()
    if version in (3, 4):
        # Version, length of the file (4 or 8 bytes), byte order.
        order = struct.unpack(">i", head[8:12] if version == 3 else head[12:16])
    if order in ((0,), (1,)):
        return "digitalmicrograph", f"DigitalMicrograph {version}"
    if hdf5.recognise(path, head):
        attributes = hdf5.root_attributes(path)
        if attributes.get("file_format") == "HyperSpy":
            return "hspy", "HyperSpy"
        if path.suffix.lower() == ".emd" or "version_major" in attributes:
            return "emd", "EMD"
    return None


def _chosen(
    path: Path, signals: Sequence[Mapping[str, Any]], intensity: Any
) -> Sequence[Mapping[str, Any]]:
    titles = [_title(signal) for signal in signals]
    if intensity is None:
        return signals
    if isinstance(intensity, int) and 0 <= intensity < len(signals):
        return [signals[intensity]]
    if titles.count(intensity) == 1:
        return [signals[titles.index(intensity)]]
    raise InputError(f"{path}: there is no single signal {intensity!r}; there are {titles}")


def _title(signal: Mapping[str, Any]) -> str:
    return str(signal.get("metadata", {}).get("General", {}).get("title") or "untitled")


def _energy_axis(signal: Mapping[str, Any]) -> int | None:
    """Position, among the signal's axes, of that in units of energy, the longest if several are.

    An axis that says nothing of its units counts if it is named after energy.
    """
    dtype = signal["data"].dtype
    if dtype.fields or not np.issubdtype(dtype, np.number) or np.iscomplexobj(signal["data"]):
        return None
    named = []
    for position, axis in enumerate(signal["axes"]):
        units, name = str(axis.get("units") or ""), str(axis.get("name") or "").lower()
        is_energy = energy_factor(units) is not None or (not units and name.startswith("energy"))
        if is_energy and MINIMUM_POINTS <= axis["size"] <= MAXIMUM_POINTS:
            named.append(position)
    return max(named, key=lambda position: signal["axes"][position]["size"], default=None)


def _recording(path: Path, signal: Mapping[str, Any]) -> Recording:
    axes, data = list(signal["axes"]), signal["data"]
    axis = axes[_energy_axis(signal)]
    # The axes stand in the order of the data.
    place = axis.get("index_in_array", axes.index(axis))
    if len(axes) != data.ndim or data.shape[place] != axis["size"]:
        raise InputError(f"{path}: the axes of {_title(signal)!r} don't fit its data")
    if "axis" in axis:
        energy = np.asarray(axis["axis"], dtype=float)
    else:
        energy = float(axis["offset"]) + float(axis["scale"]) * np.arange(axis["size"])
    energy, notes = in_electronvolts(energy, energy_factor(str(axis.get("units") or "")))
    others = tuple(size for number, size in enumerate(data.shape) if number != place)
    rows = rows_of(data, place)
    if len(rows) == 1:
        return Recording(energy, rows[0], notes)
    # An axis of one pixel is none.
    shape = tuple(size for size in others if size > 1)
    return Recording(energy, rows, notes, shape=shape, pixels=_pixels(axes, place))


def _pixels(axes: Sequence[Mapping[str, Any]], place: int) -> tuple[tuple[float, str], ...]:
    """Size and units of a pixel along each axis but that of energy, if all are calibrated."""
    others = [axis for number, axis in enumerate(axes) if number != place and axis["size"] > 1]
    if not all(axis.get("scale") and axis.get("units") for axis in others):
        return ()
    return tuple((float(axis["scale"]), str(axis["units"])) for axis in others)
