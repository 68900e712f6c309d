"""Readers of what other programs have calculated, one module per program.

A module offers ``recognises(path, lines)`` and ``read(path, temperature)``, and stands in
`_PROGRAMS` here. Which one reads a file is found by looking into it.
"""

from __future__ import annotations

from pathlib import Path

from whiteline.errors import InputError
from whiteline.outputs import base, columns, ctm4xas, quanty, ttmult
from whiteline.outputs.base import Calculated, Curve

__all__ = ["KINDS", "Calculated", "Curve", "read"]

# In the order in which they look at a file; columns take what is left.
_PROGRAMS = {"quanty": quanty, "ttmult": ttmult, "ctm4xas": ctm4xas, "columns": columns}
KINDS = tuple(_PROGRAMS)
ROOM_TEMPERATURE = 300.0


def read(
    path: str | Path, kind: str | None = None, temperature: float = ROOM_TEMPERATURE
) -> Calculated:
    """Read the spectrum of one file.

    Parameters
    ----------
    path
        The file.
    kind
        The program, one of `KINDS`; None to find it out.
    temperature
        Of the initial states, K, where a file lists the transitions from each of them.

    Raises
    ------
    InputError
        One sentence with the file, and the line where there is one, if it can't be read.
    """
    path = Path(path)
    _check_file(path)
    try:
        program = _PROGRAMS[kind or _kind(path)]
        return program.read(path, temperature)
    except KeyError:
        raise InputError(f"{path}: there is no kind {kind!r}, only {', '.join(KINDS)}") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror or error})") from None


def _kind(path: Path) -> str:
    if quanty.is_binary(path):
        return "quanty"
    lines = base.numbered_lines(path)
    if not lines:
        raise InputError(f"{path}: holds nothing but blank lines")
    return next(kind for kind, program in _PROGRAMS.items() if program.recognises(path, lines))


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a file")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); calculate it again")
