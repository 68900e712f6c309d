"""Reads this program's own netCDF files: spectra as recorded, simulated or prepared."""

from __future__ import annotations

from pathlib import Path

from whiteline.errors import InputError
from whiteline.formats import hdf5
from whiteline.formats.base import Choice, Recording

NAME = "netCDF of Whiteline"
ENDINGS = (".nc",)


def recognise(path: Path, head: bytes) -> str | None:
    """The format's name if a file states one of our contracts for spectra."""
    if hdf5.recognise(path, head) and contract(path) in ("recorded", "spectra"):
        return NAME
    return None


def contract(path: Path) -> str:
    """The contract that a file states, empty if none."""
    return str(hdf5.root_attributes(path).get("contract", ""))


def read(path: Path, choice: Choice) -> list[Recording]:
    """Energies (eV) and signals; each spectrum of contract "recorded" has energies of its own.

    Raises
    ------
    InputError
        If columns are asked for, or the file breaks its contract.
    """
    if choice:
        raise InputError(f"{path}: the file knows its columns; there are none to choose from")
    # Not for every text file: xarray takes a second to import.
    from whiteline import contracts

    kind = contract(path)
    try:
        data = contracts.read(path, kind)
    except (OSError, RuntimeError, ValueError, KeyError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is a damaged or truncated netCDF file ({error})") from None
    names = tuple(data["id"].values.astype(str))
    if kind == "spectra":
        return [Recording(data["energy"].values, data["intensity"].values, names=names)]
    rows = zip(names, contracts.split_rows(data), strict=True)
    return [Recording(energy, intensity, names=(name,)) for name, (energy, intensity) in rows]
