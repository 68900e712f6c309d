"""Reads spectra from HDF5 files: NeXus (NXxas, NXdata) and any with arrays of energy and signal.

NXxas is the NeXus application definition of X-ray absorption, https://manual.nexusformat.org.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from whiteline.errors import InputError
from whiteline.formats import arrays
from whiteline.formats.base import Choice, Recording

if TYPE_CHECKING:
    import h5py

NAME = "HDF5"
ENDINGS = (".h5", ".hdf5", ".hdf", ".nxs", ".nx", ".nc")

MAGIC = b"\x89HDF\r\n\x1a\n"
# An array of more bytes stays in the file until it is needed.
IN_MEMORY = 2**26
# Of such an array so many bytes are read at a time, where single rows can't be.
CHUNK = 2**24
# A file of more groups or arrays is damaged, or leads back to itself.
MAXIMUM_MEMBERS = 100_000


def recognise(path: Path, head: bytes) -> str | None:
    """The format's name if a file begins as HDF5."""
    return NAME if head.startswith(MAGIC) else None


def root_attributes(path: Path) -> dict[str, Any]:
    """The attributes of the file itself; raises `InputError` if it is damaged."""
    with _opened(path) as file:
        return {name: _text(value) for name, value in file.attrs.items()}


def read(path: Path, choice: Choice) -> list[Recording]:
    """Energies (eV) and signals of every group that has both.

    NXxas entries go first, then NXdata groups, then any group with an array named after energy or
    in its units. ``choice`` names arrays by path, or by an end of it that no other shares.

    Raises
    ------
    InputError
        If the file is damaged or truncated, no arrays fit, or several might.
    """
    where = str(path)
    with _opened(path) as file:
        groups = dict(_groups(file))
        tables = {name: _arrays(path, group) for name, group in groups.items()}
        every = [array for table in tables.values() for array in table]
        if choice:
            return _chosen(where, every, tables, choice)
        found = [
            recording
            for name, group in groups.items()
            if _class(group) in ("NXentry", "NXsubentry") and _defines_xas(group)
            for recording in _xas(where, name, group, tables)
        ] or [
            recording
            for name, group in groups.items()
            if _class(group) == "NXdata"
            for recording in _data(where, name, group, tables[name])
        ]
    return found or _any_group(where, every, tables)


def _any_group(
    where: str, every: list[arrays.Array], tables: Mapping[str, list[arrays.Array]]
) -> list[Recording]:
    found: list[Recording] = []
    unclear: InputError | None = None
    for name, table in tables.items():
        try:
            found += arrays.recordings(where, table, Choice(), name)
        except InputError as error:
            unclear = unclear or error
    if not found:
        # In place of "energy" beside a signal, a signal may lie in another group.
        names = ", ".join(array.name for array in every[:8]) or "none"
        raise unclear or InputError(
            f"{where}: no group holds energies and a signal that fits them; choose energy_column "
            f"and intensity_column among its arrays of numbers: {names}"
        )
    return found


def _chosen(
    where: str,
    every: list[arrays.Array],
    tables: Mapping[str, list[arrays.Array]],
    choice: Choice,
) -> list[Recording]:
    """What the choice names; the energies are sought beside the signal if they are not named."""
    single = choice.intensity is not None and choice.intensity != arrays.ALL
    if single and choice.energy is None and choice.i0 is None:
        first = choice.intensity[0] if isinstance(choice.intensity, tuple) else choice.intensity
        signal = arrays.named(where, every, first)
        beside = next(table for table in tables.values() if signal in table)
        energy = arrays.find_energy(where, beside, None)
        choice = replace(choice, energy=energy.name if energy else None)
    found = arrays.recordings(where, every, choice)
    if not found:
        raise InputError(f"{where}: no array of energies fits; choose energy_column")
    return found


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The open file; whatever h5py raises becomes one sentence.

    The file is closed when the last array that stays in it is forgotten.
    """
    import h5py

    try:
        yield h5py.File(path, "r")
    except InputError:
        raise
    except Exception as error:
        # h5py raises errors of all kinds for damaged files.
        reason = str(error).splitlines()[:1]
        raise InputError(
            f"{path}: is a damaged or truncated HDF5 file ({' '.join(reason)})"
        ) from None


def _groups(file: h5py.File) -> Iterator[tuple[str, h5py.Group]]:
    """All groups by their path, the file itself first; links to other files are not followed."""
    import h5py

    pending, seen = [("", file)], 0
    while pending:
        name, group = pending.pop(0)
        yield name, group
        for key in group:
            seen += 1
            if seen > MAXIMUM_MEMBERS:
                raise InputError(f"{file.filename}: has more than {MAXIMUM_MEMBERS} members")
            hard = isinstance(group.get(key, getlink=True), h5py.HardLink)
            if hard and group.get(key, getclass=True) is h5py.Group:
                pending.append((f"{name}/{key}".strip("/"), group[key]))


def _arrays(path: Path, group: h5py.Group) -> list[arrays.Array]:
    """The arrays of real numbers that stand in a group, also by links within the file."""
    import h5py

    found = []
    for key in group:
        outside = isinstance(group.get(key, getlink=True), h5py.ExternalLink)
        if outside or group.get(key, getclass=True) is not h5py.Dataset:
            continue
        data = group[key]
        if data.shape and data.size and data.dtype.kind in "fiu" and not data.is_virtual:
            name = f"{group.name}/{key}".strip("/")
            units = _text(data.attrs.get("units", ""))
            found.append(arrays.Array(name, data.shape, units, partial(_load, path, data)))
    return found


def _load(path: Path, data: h5py.Dataset) -> Any:
    """The data, left in the file where they are large.

    A few bytes can claim any size: what is not stored is not read.
    """
    if data.size * data.dtype.itemsize <= IN_MEMORY:
        return data[()]
    if data.id.get_storage_size() == 0:
        raise InputError(f"{path}: {data.name} is empty")
    from dask import config
    from dask.array import from_array

    with config.set({"array.chunk-size": CHUNK}):
        return from_array(data, chunks="auto")


def _class(group: h5py.Group) -> str:
    return _text(group.attrs.get("NX_class", ""))


def _defines_xas(entry: h5py.Group) -> bool:
    return "definition" in entry and _text(entry["definition"][()]) == "NXxas"


def _xas(
    where: str, name: str, entry: h5py.Group, tables: Mapping[str, list[arrays.Array]]
) -> list[Recording]:
    """The spectrum of an NXxas entry: absorbed beam by incoming beam.

    In transmission the absorbed beam is what came through, and the signal is -ln of the ratio.
    """
    inside = [
        array
        for path, table in tables.items()
        if path == name or path.startswith(f"{name}/") or not name
        for array in table
    ]
    energy = _first(inside, "monochromator/energy", "/energy")
    signal = _first(inside, "absorbed_beam/data", "/absorbed_beam", "/intensity")
    if energy is None or signal is None:
        return []
    incoming = _first(inside, "incoming_beam/data", "/incoming_beam")
    if incoming is None or signal.last == "intensity":
        return [arrays.make(where, energy, signal, inside, Choice())]
    found = arrays.make(where, energy, signal, inside, Choice(i0=incoming.name))
    if "transmission" in _mode(entry).lower():
        if (np.asarray(found.intensity) <= 0).any():
            raise InputError(f"{where}: a transmission of {signal.name} is not positive")
        notes = (f"the signal is -ln({signal.name} / {incoming.name})",)
        return [replace(found, intensity=-np.log(found.intensity), notes=notes)]
    return [found]


def _mode(entry: h5py.Group) -> str:
    for place in ("data/mode", "mode"):
        if place in entry:
            return _text(entry[place][()])
    return ""


def _first(found: list[arrays.Array], *ends: str) -> arrays.Array | None:
    for end in ends:
        for array in found:
            if f"/{array.name}".endswith(end):
                return array
    return None


def _data(where: str, name: str, group: h5py.Group, table: list[arrays.Array]) -> list[Recording]:
    """The signal of an NXdata group over its axis of energy, if it has one."""
    signal = _first(table, "/" + _text(group.attrs.get("signal", "")))
    named = [_text(axis) for axis in np.atleast_1d(group.attrs.get("axes", []))]
    axes = [array for array in table if array.last in [axis.lower() for axis in named]]
    energy = arrays.find_energy(where, axes, None)
    if signal is None or energy is None:
        return []
    found = arrays.make(where, energy, signal, table, Choice())
    return [replace(found, names=(name,) if found.intensity.ndim == 1 else ())]


def _text(value: Any) -> str:
    value = value.reshape(-1)[0] if isinstance(value, np.ndarray) and value.size == 1 else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
