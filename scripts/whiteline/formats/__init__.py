"""Readers of measured spectra, one module per format.

A format is a module that offers ``ENDINGS`` (of file names, lower case) and ``read``, and stands
in `_FORMATS` here.
"""

from __future__ import annotations

from pathlib import Path

from whiteline.errors import InputError
from whiteline.formats import columns, msa
from whiteline.formats.tidy import Recorded, tidy

__all__ = ["Recorded", "read_spectrum"]

_FORMATS = (columns, msa)
_READERS = {ending: module.read for module in _FORMATS for ending in module.ENDINGS}


def read_spectrum(
    path: str | Path,
    *,
    energy_column: str | int | None = None,
    intensity_column: str | int | None = None,
) -> Recorded:
    """Read one measured spectrum; the ending of the file's name tells the format.

    Parameters
    ----------
    path
        The file.
    energy_column, intensity_column
        Name (or a beginning of it that no other column shares) or position from 0. The first and
        the second column if left out.

    Returns
    -------
    Recorded
        Energies (eV) ascending, white line positive.

    Raises
    ------
    InputError
        If the file can't be read or holds no spectrum; says where and why.
    """
    path = Path(path)
    _check_file(path)
    try:
        read = _READERS[path.suffix.lower()]
    except KeyError:
        raise InputError(
            f"{path}: the ending {path.suffix!r} is not known; read are {', '.join(_READERS)}"
        ) from None
    try:
        recording = read(path, energy_column, intensity_column)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror or error})") from None
    return tidy(recording, str(path))


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a file")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
