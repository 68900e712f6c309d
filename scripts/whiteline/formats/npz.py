"""Reads spectra from NumPy archives (``.npz``) of an array of energies and one of signals."""

from __future__ import annotations

import struct
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from whiteline.errors import InputError
from whiteline.formats import arrays
from whiteline.formats.base import Choice, Recording

NAME = "NumPy archive"
ENDINGS = (".npz",)

# An array beyond this is not read, bytes: it has no place in memory.
MAXIMUM_SIZE = 2**32
# An array of more bytes stays in the file, if it is not compressed.
IN_MEMORY = 2**26


def recognise(path: Path, head: bytes) -> str | None:
    """The format's name if a file is a zip archive whose first member is a NumPy array."""
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return NAME if head.startswith(b"PK\x03\x04") and name.endswith(b".npy") else None


def read(path: Path, choice: Choice) -> list[Recording]:
    """Energies (eV) and signals, (spectra, points) or any shape with an axis of energies.

    Raises
    ------
    InputError
        If the archive is damaged or truncated, no arrays fit, or several might.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = [
                array for name in archive.namelist() if (array := _array(path, archive, name))
            ]
        recordings = arrays.recordings(str(path), found, choice)
    except InputError:
        raise
    except Exception as error:
        # zlib, zipfile and numpy raise whatever they meet in a damaged file.
        raise InputError(f"{path}: is a damaged or truncated NumPy archive ({error})") from None
    if not recordings:
        shapes = ", ".join(f"{array.name} {array.shape}" for array in found[:8]) or "none"
        raise InputError(
            f"{path}: no array of energies with signals that fit; the arrays of numbers: {shapes}"
        )
    return recordings


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> arrays.Array | None:
    """A member of the archive, if it is an array of real numbers."""
    with archive.open(name) as stream:
        version = npy.read_magic(stream)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = header(stream)
    size = int(np.prod([*shape, dtype.itemsize], dtype=object))
    if dtype.kind not in "fiu" or not size:
        return None
    if size > min(MAXIMUM_SIZE, archive.getinfo(name).file_size):
        raise InputError(f"{path}: {name} claims {size} bytes, more than the archive holds")
    return arrays.Array(name.removesuffix(".npy"), shape, "", partial(_load, path, name))


def _load(path: Path, name: str) -> np.ndarray:
    """A member of the archive; a large one that is not compressed stays in the file."""
    with zipfile.ZipFile(path) as archive, archive.open(name) as stream:
        member = archive.getinfo(name)
        if member.file_size <= IN_MEMORY or member.compress_type != zipfile.ZIP_STORED:
            return npy.read_array(stream, allow_pickle=False)
    with path.open("rb") as file:
        # The length of a member's head, which the archive's directory does not tell, ends it.
        file.seek(member.header_offset + 26)
        file.seek(sum(struct.unpack("<HH", file.read(4))), 1)
        version = npy.read_magic(file)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(file)
        order = "F" if fortran else "C"
        return np.memmap(path, dtype, "r", file.tell(), shape, order)
