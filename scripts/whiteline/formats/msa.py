"""Reads EELS spectra from EMSA/MAS files (``.msa``) through RosettaSciIO."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from whiteline.errors import InputError
from whiteline.formats import columns
from whiteline.formats.tidy import Recording

ENDINGS = (".msa", ".emsa")

# Factor to eV by the units that a file may state.
_UNITS = {"ev": 1.0, "kev": 1000.0}


def read(
    path: Path, energy_column: str | int | None, intensity_column: str | int | None
) -> Recording:
    """Energy loss (eV) and counts.

    Raises
    ------
    InputError
        If columns are asked for, the file is not EMSA/MAS, a keyword is missing or wrong, or
        it holds fewer points than it says.
    """
    if energy_column is not None or intensity_column is not None:
        raise InputError(f"{path}: an .msa file has no columns to choose from")
    keywords, counts = _parse(path)
    units = str(keywords.get("XUNITS") or "").strip()
    if units.lower() not in _UNITS:
        stated = f"are {units!r}" if units else "are missing"
        raise InputError(f"{path}: the energy units XUNITS {stated}; they should be eV or keV")
    if str(keywords["DATATYPE"]).strip().upper() == "XY":
        # RosettaSciIO takes no notice of the energies of this variant.
        table = columns.read(path, 0, 1)
        energy, counts = table.energy, table.intensity
    else:
        start, step = (_number(path, keywords, name) for name in ("OFFSET", "XPERCHAN"))
        energy = start + step * np.arange(len(counts))
    expected = _number(path, keywords, "NPOINTS")
    if len(counts) != expected:
        raise InputError(
            f"{path}: holds {len(counts)} points where NPOINTS says {expected:g}; is it truncated?"
        )
    notes = ("energies were converted from keV",) if units.lower() == "kev" else ()
    return Recording(energy * _UNITS[units.lower()], counts, notes)


def _parse(path: Path) -> tuple[Mapping[str, Any], np.ndarray]:
    """Keywords and counts, (n,)."""
    from rsciio.msa import file_reader

    # The library reports odd keywords (dates, signal types) that don't matter here.
    log = logging.getLogger("rsciio")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = file_reader(str(path))[0]
    except OSError:
        raise
    except Exception as error:
        # Its parser checks nothing: any exception may come out of a damaged file.
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"{path}: is not a readable EMSA/MAS file ({reason})") from None
    finally:
        log.setLevel(level)
    keywords, counts = content["original_metadata"], np.asarray(content["data"], dtype=float)
    if "DATATYPE" not in keywords or not counts.size:
        raise InputError(f"{path}: is not an EMSA/MAS file with data")
    return keywords, counts


def _number(path: Path, keywords: Mapping[str, Any], name: str) -> float:
    try:
        value = float(keywords[name])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path}: the keyword {name} is missing or no number") from None
    if not np.isfinite(value):
        raise InputError(f"{path}: the keyword {name} is {value}")
    return value
