"""Readers of measured spectra, one module per format.

A format is a module that offers ``ENDINGS`` (of file names, lower case), ``recognise`` (by
content) and ``read``, and stands in `_FORMATS` here. Content decides, so that a file with a wrong
ending is read as what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from whiteline.errors import InputError
from whiteline.formats import athena, columns, eels, guarded, hdf5, msa, netcdf, npz, xdi
from whiteline.formats.base import Choice, Column, Recording
from whiteline.formats.tidy import Collection, Recorded, collect

__all__ = ["ENDINGS", "Collection", "Recorded", "read_spectra", "read_spectrum"]

# The first that recognises a file reads it.
_FORMATS = (xdi, msa, athena, npz, netcdf, eels, hdf5, columns)
ENDINGS = tuple(dict.fromkeys(ending for module in _FORMATS for ending in module.ENDINGS))

# Bytes by which a format is recognised.
_HEAD = 512
# What is often mistaken for a spectrum, by its first bytes.
_OTHERS = {
    b"PK\x03\x04": "is a zip archive or an Excel workbook; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an old Office document; save the sheet as CSV",
    b"%PDF": "is a PDF document",
    b"\x1f\x8b": "is a gzip archive; unpack it",
    b"CDF": "is a netCDF 3 file; convert it to netCDF 4 (nccopy -k nc4)",
    b"II*\0": "is a TIFF image",
    b"MM\0*": "is a TIFF image",
    b"\x89PNG": "is a PNG image",
}


def read_spectrum(
    path: str | Path,
    *,
    energy_column: Column | None = None,
    intensity_column: Column | None = None,
    i0_column: Column | None = None,
) -> Recorded:
    """Read the one measured spectrum of a file; parameters as of `read_spectra`.

    Returns
    -------
    Recorded
        Energies (eV) ascending, white line positive.

    Raises
    ------
    InputError
        If the file can't be read, or holds no spectrum or several; says where and why.
    """
    found = read_spectra(
        path,
        energy_column=energy_column,
        intensity_column=intensity_column,
        i0_column=i0_column,
    )
    if (count := sum(map(len, found))) > 1:
        first = ", ".join(repr(c.id(0)) for c in found[:4])
        raise InputError(f"{path}: holds {count} spectra, such as {first}; choose one")
    return found[0].spectrum()


def read_spectra(
    path: str | Path,
    *,
    energy_column: Column | None = None,
    intensity_column: Column | Sequence[Column] | None = None,
    i0_column: Column | None = None,
) -> list[Collection]:
    """Read all spectra of a file; its content tells the format.

    Parameters
    ----------
    path
        The file.
    energy_column, intensity_column
        In text, a column's name (or a beginning of it that no other column shares) or position
        from 0; in HDF5 and NumPy archives an array's path (or an end of it that no other array
        shares). ``intensity_column`` may be several, or ``"all"``. Left out, the first and second
        column, or what the file says of its arrays.
    i0_column
        The incident intensity, by which the signal is divided.

    Returns
    -------
    list of Collection
        One for each energy axis in the file; most files have one. Spectrum images and other large
        arrays stay in the file until a spectrum is asked for.

    Raises
    ------
    InputError
        If the file can't be read or holds no spectrum; says where and why.
    """
    path = Path(path)
    _check_file(path)
    if not isinstance(intensity_column, (str, int, type(None))):
        intensity_column = tuple(intensity_column)
    choice = Choice(energy_column, intensity_column, i0_column)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        if head.startswith(hdf5.MAGIC):
            guarded.attempt(path, lambda: [c.spectrum() for c in _collections(path, head, choice)])
        return _collections(path, head, choice)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror or error})") from None


def _collections(path: Path, head: bytes, choice: Choice) -> list[Collection]:
    module, format = _format(path, head)
    found = module.read(path, choice)
    notes = _ending_notes(path, module, format)
    alone = len(found) == 1
    return [
        collect(_noted(recording, notes), str(path), format, path.stem, alone)
        for recording in found
    ]


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a file")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")


def _format(path: Path, head: bytes) -> tuple[ModuleType, str]:
    """The module that reads a file, and the name of the format."""
    for module in _FORMATS:
        if format := module.recognise(path, head):
            return module, format
    for first, sentence in _OTHERS.items():
        if head.startswith(first):
            raise InputError(f"{path}: {sentence}")
    raise InputError(
        f"{path}: is a binary file of no known format, or damaged; read are {', '.join(ENDINGS)}"
    )


def _ending_notes(path: Path, module: ModuleType, format: str) -> tuple[str, ...]:
    """A note where the ending of a file's name promises another format."""
    if path.suffix.lower() in module.ENDINGS:
        return ()
    return (f"the file is {format}, whatever its ending {path.suffix!r}",)


def _noted(recording: Recording, notes: tuple[str, ...]) -> Recording:
    return replace(recording, notes=(*notes, *recording.notes)) if notes else recording
