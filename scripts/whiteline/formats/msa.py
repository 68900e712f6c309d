"""Reads EELS spectra from EMSA/MAS files (``.msa``) through RosettaSciIO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from whiteline.errors import InputError
from whiteline.formats import columns, rosetta
from whiteline.formats.base import Choice, Recording, energy_factor, in_electronvolts

NAME = "EMSA/MAS"
ENDINGS = (".msa", ".emsa")


def recognise(path: Path, head: bytes) -> str | None:
    """The format's name if a file begins with the keyword that the format demands."""
    first = head.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n")[0]
    return NAME if first.startswith(b"#FORMAT") and b"EMSA" in first else None


def read(path: Path, choice: Choice) -> list[Recording]:
    """Energy loss (eV) and counts.

    Raises
    ------
    InputError
        If columns are asked for, the file is not EMSA/MAS, a keyword is missing or wrong, or
        it holds fewer points than it says.
    """
    if choice:
        raise InputError(f"{path}: an .msa file has no columns to choose from")
    keywords, counts = _parse(path)
    units = str(keywords.get("XUNITS") or "").strip()
    factor = energy_factor(units)
    if factor is None:
        stated = f"are {units!r}" if units else "are missing"
        raise InputError(f"{path}: the energy units XUNITS {stated}; they should be eV or keV")
    if str(keywords["DATATYPE"]).strip().upper() == "XY":
        # RosettaSciIO takes no notice of the energies of this variant.
        table = columns.read_table(path)
        energy, counts = table.values(0), table.values(1)
    else:
        start, step = (_number(path, keywords, name) for name in ("OFFSET", "XPERCHAN"))
        energy = start + step * np.arange(len(counts))
    expected = _number(path, keywords, "NPOINTS")
    if len(counts) != expected:
        raise InputError(
            f"{path}: holds {len(counts)} points where NPOINTS says {expected:g}; is it truncated?"
        )
    energy, notes = in_electronvolts(energy, factor)
    return [Recording(energy, counts, notes)]


def _parse(path: Path) -> tuple[Mapping[str, Any], np.ndarray]:
    """Keywords and counts, (n,)."""
    content = rosetta.load("msa", path, NAME)[0]
    keywords = content["original_metadata"]
    try:
        counts = np.asarray(content["data"], dtype=float)
    except ValueError:
        raise InputError(f"{path}: is not an EMSA/MAS file with numbers") from None
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
