"""Reads Athena project files (``.prj``) through xraylarch, an optional extra.

Ravel, Newville, J. Synchrotron Rad. 12, 537 (2005), doi 10.1107/S0909049505012719.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from whiteline.errors import InputError
from whiteline.formats.base import Choice, Recording

NAME = "Athena project"
ENDINGS = (".prj",)

_FIRST_LINE = b"# Athena project file"


def recognise(path: Path, head: bytes) -> str | None:
    """The format's name if a file, or what it is packed from, begins as Athena writes it."""
    if head.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as stream:
                head = stream.read(len(_FIRST_LINE))
        except (OSError, EOFError, zlib.error):
            return None
    return NAME if head.startswith(_FIRST_LINE) else None


def read(path: Path, choice: Choice) -> list[Recording]:
    """Energy (eV) and absorption of every group of the project, named by its label.

    ``choice.intensity`` is a label or position.

    Raises
    ------
    InputError
        If xraylarch is not installed, the file is damaged, or there is no such group.
    """
    if choice.energy is not None or choice.i0 is not None:
        raise InputError(f"{path}: a project knows its energies; choose intensity_column only")
    try:
        from larch.io import read_athena
    except ImportError:
        raise InputError(
            f"{path}: Athena projects are read by xraylarch; pip install 'whiteline[athena]'"
        ) from None
    try:
        project = read_athena(str(path), do_preedge=False, do_bkg=False, do_fft=False)
        groups = list(project.groups.values())
        found = {
            str(getattr(group, "label", name)): Recording(
                np.asarray(group.energy, dtype=float), np.asarray(group.mu, dtype=float)
            )
            for name, group in zip(project.groups, groups, strict=True)
        }
    except Exception as error:
        # Its parser checks nothing: any exception may come out of a damaged file.
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{path}: is not a readable Athena project ({reason})") from None
    return _chosen(path, found, choice.intensity)


def _chosen(path: Path, found: dict[str, Recording], intensity) -> list[Recording]:
    labels = list(found)
    if intensity is not None:
        known = [*labels, *range(len(labels))]
        if intensity not in known:
            raise InputError(f"{path}: there is no group {intensity!r}; there are {labels}")
        labels = [intensity if isinstance(intensity, str) else labels[intensity]]
    if not labels:
        raise InputError(f"{path}: the project is empty")
    return [
        Recording(found[label].energy, found[label].intensity, names=(label,)) for label in labels
    ]
