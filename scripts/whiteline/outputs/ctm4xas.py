"""Reads CTM4XAS: curves in four columns (``.xy``) and sticks by polarisation (``_sticks.xy``).

Stavitski and de Groot, Micron 41, 687 (2010), doi 10.1016/j.micron.2010.06.005. A curve has no
header and the columns energy, then left, right and z polarisation; that is the order of
``*_data.xy``, while version 5.22, which names its files ``*.xy``, writes right before left. The
widths that were entered in its window are not in the file. Sticks follow the titles ``L Sticks``,
``R Sticks`` and ``Z Sticks``. In its input left is the operator of q = +1, right that of q = -1.

Its ``.ora`` and ``.oba`` files are the output of TTMULT's programs: `whiteline.outputs.ttmult`.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from whiteline.errors import InputError
from whiteline.outputs import base
from whiteline.simulation import POLARISATIONS

ENDINGS = (".xy",)

_TITLE = re.compile(r"([LRZ]|[+-]?\d) Sticks")
_POLARISATION = {"L": "left", "R": "right", "Z": "parallel"}


def recognises(path: Path, lines: list[base.Numbered]) -> bool:
    """Whether the file is of CTM4XAS: by a title, or four columns without a header."""
    first = lines[0][1].split()
    if _TITLE.fullmatch(" ".join(first)):
        return True
    numbers = len(first) == 4 and all(map(base.is_number, first))
    return path.suffix.lower() in ENDINGS and numbers


def read(path: Path, temperature: float) -> base.Calculated:
    """The curve, or the sticks, with their three polarisations.

    ``temperature`` has no meaning here: the program has populated the initial states.

    Raises
    ------
    InputError
        If the file is neither, is truncated, or holds quadrupole transitions.
    """
    lines = base.numbered_lines(path)
    if lines and _TITLE.fullmatch(lines[0][1].strip()):
        return _sticks(path, lines)
    table, places = base.rows(path, lines, 4)
    named = path.stem.lower().endswith("_data")
    order = ("left", "right", "parallel") if named else ("right", "left", "parallel")
    components = np.column_stack([table[:, 1 + order.index(name)] for name in POLARISATIONS])
    curve = base.curve(path, table[:, 0], places, components=components)
    return base.Calculated("ctm4xas", curve)


def _sticks(path: Path, lines: list[base.Numbered]) -> base.Calculated:
    energies, parts, seen = [], [], []
    for name, part in base.sections(lines, _TITLE):
        if name == "" and not part:
            continue
        if name not in _POLARISATION:
            raise InputError(f"{path}: holds {name} sticks, of quadrupole transitions; not read")
        table, _ = base.rows(path, part, 2)
        components = np.zeros((len(table), 3))
        components[:, POLARISATIONS.index(_POLARISATION[name])] = table[:, 1]
        energies.append(table[:, 0])
        parts.append(components)
        seen.append(name)
    if sorted(seen) != sorted(_POLARISATION):
        raise InputError(
            f"{path}: holds the sticks {', '.join(seen)} where L, R and Z should be; is it "
            "truncated?"
        )
    sticks = base.sticks(path, np.concatenate(energies), components=np.concatenate(parts))
    return base.Calculated("ctm4xas", sticks=sticks)
