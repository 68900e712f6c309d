"""Reads calculated spectra in plain columns, such as EDRIXS scripts write with ``numpy.savetxt``.

The first column is the energy. A second one alone is the isotropic spectrum. Of several, names in
the header tell which it is (``isotropic``, ``iso``, ``intensity``, ``xas``, ``total``, ``sum`` or
``mean``), or which are the polarisations (``right``, ``parallel`` or ``z``, ``left``), whose mean
it then is. How numbers are delimited is found out as for measured spectra.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from whiteline.errors import InputError
from whiteline.formats.columns import ENDINGS, Table, read_table
from whiteline.outputs import base
from whiteline.simulation import POLARISATIONS

__all__ = ["ENDINGS", "read", "recognises"]

_ISOTROPIC = ("isotropic", "iso", "intensity", "xas", "total", "sum", "mean")
_NAMES = {"right": ("right", "r"), "parallel": ("parallel", "z"), "left": ("left", "l")}


def recognises(path: Path, lines: list[base.Numbered]) -> bool:
    """Whether the file may be columns: any text is worth a try, so this comes last."""
    return True


def read(path: Path, temperature: float) -> base.Calculated:
    """The curve, with its polarisations where the header names them.

    ``temperature`` has no meaning here: the program has populated the initial states.

    Raises
    ------
    InputError
        If there are no rows of numbers, or several columns without such names.
    """
    table = read_table(path)
    places = np.array([line for line, _ in table.rows])
    energy = table.values(0)
    places_of = {name: _column(table, names) for name, names in _NAMES.items()}
    isotropic = _column(table, _ISOTROPIC) if table.width > 2 else 1
    components = None
    if None not in places_of.values():
        components = np.column_stack([table.values(places_of[name]) for name in POLARISATIONS])
    elif isotropic is None:
        raise InputError(
            f"{path}: has {table.width} columns; a header must name one of them 'isotropic', or "
            "three 'right', 'parallel' and 'left'"
        )
    # The mean of the polarisations is isotropic by definition; a column of that name may be a sum.
    intensity = table.values(isotropic) if components is None else None
    return base.Calculated("columns", base.curve(path, energy, places, intensity, components))


def _column(table: Table, names: tuple[str, ...]) -> int | None:
    """Position of the column that has one of the names, without units in brackets."""
    for header in table.headers:
        plain = [cell.lower().split("(")[0].strip() for cell in header]
        for name in names:
            if name in plain:
                return plain.index(name)
    return None
