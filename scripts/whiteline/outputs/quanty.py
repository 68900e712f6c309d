"""Reads Quanty's spectra (``.spec``) and the results that Crispy saves (HDF5).

A ``.spec`` has five header lines, then energy and the real and imaginary part of one or more
Green's functions G (Haverkort, Zwierzycki, Andersen, Phys. Rev. B 85, 165113 (2012)). The
absorption is -Im G / pi. A script that prints G itself leaves a negative column, whose sign is
turned here; Gamma in the header is then the full width at half maximum. Crispy's templates turn
the sign before they print, and broaden further than Gamma says, so that the width of a positive
column is not known. Energies count from <psi_i|H_final|psi_i> of each initial state, eV, to which
Crispy may add an edge energy.

Crispy names its files by what they hold: ``_iso``, ``_r`` and ``_l`` (right, q = -1, and left,
q = +1), ``_cd`` and ``_ld`` (differences), ``_k``, ``_v``, ``_h`` (one polarisation). Beside an
``_iso`` the other two give all polarisations: parallel is 3 iso - r - l.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from whiteline.errors import InputError
from whiteline.outputs import base

ENDINGS = (".spec", ".hdf5", ".h5")

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HEADERS = 5
_PART = re.compile(r"_(cd|ld|r|l|k|v|h)$")
_PARTS = {
    "cd": "a circular dichroic difference",
    "ld": "a linear dichroic difference",
    "r": "right circular light alone",
    "l": "left circular light alone",
    "k": "one polarisation alone",
    "v": "one polarisation alone",
    "h": "one polarisation alone",
}


@dataclass(frozen=True, eq=False)
class _Spec:
    """Energy (eV), absorption (points, spectra), line of each point, and width where known."""

    energy: np.ndarray
    absorption: np.ndarray
    places: np.ndarray
    widths: Mapping[str, float]
    notes: tuple[str, ...]


def recognises(path: Path, lines: list[base.Numbered]) -> bool:
    """Whether the file is of Quanty or Crispy: by its signature or its first line."""
    if path.suffix.lower() in ENDINGS:
        return True
    return bool(lines) and lines[0][1].startswith(("#Spectra:", "Emin______Emax"))


def is_binary(path: Path) -> bool:
    """Whether the file is HDF5, as Crispy's saved results are."""
    with path.open("rb") as handle:
        return handle.read(len(_SIGNATURE)) == _SIGNATURE


def read(path: Path, temperature: float) -> base.Calculated:
    """The curve, with its polarisations where the files beside it or several columns tell them.

    ``temperature`` has no meaning here: the program has populated the initial states.

    Raises
    ------
    InputError
        If the file is truncated or of another format, or holds no isotropic absorption.
    """
    if is_binary(path):
        return _crispy(path)
    part = _PART.search(path.stem)
    if part:
        raise InputError(
            f"{path}: holds {_PARTS[part[1]]}, going by its name; give the file that ends in _iso"
        )
    spec = _spec(path)
    count = spec.absorption.shape[1]
    if count not in (1, 3):
        raise InputError(
            f"{path}: holds {count} spectra; one, or the three of all polarisations, can be read"
        )
    curve = base.curve(path, spec.energy, spec.places, spec.absorption.mean(axis=1))
    notes = spec.notes + (("three spectra were averaged",) if count == 3 else ())
    if count == 1:
        curve = _with_beside(path, curve)
    return base.Calculated("quanty", curve, widths=spec.widths, notes=notes)


def _spec(path: Path) -> _Spec:
    lines = base.numbered_lines(path)
    header, data = lines[:_HEADERS], lines[_HEADERS:]
    titles = ("#Spectra:", "Emin______Emax", "EminPole__EmaxPole", "dE________Gamma", "Energy")
    for (line, text), title in zip(header, titles, strict=False):
        if not text.startswith(title):
            raise InputError(
                f"{path}, line {line}: {text.strip()[:40]!r} where {title!r} should stand; is it "
                "a spectrum of Quanty?"
            )
    if not data:
        raise InputError(f"{path}: ends within its header; is it truncated?")
    count = _header(path, header[0], 1)[0]
    end, (step, gamma) = _header(path, header[1], 2)[1], _header(path, header[3], 2)
    table, places = base.rows(path, data, 1 + 2 * int(count))
    energy, absorption = table[:, 0], table[:, 2::2]
    if len(energy) > 1 and energy[-1] < end - 1.5 * step:
        raise InputError(
            f"{path}, line {places[-1]}: ends at {energy[-1]:g} eV where the header says {end:g}; "
            "is it truncated?"
        )
    if absorption.sum() >= 0:
        return _Spec(energy, absorption, places, {}, ())
    hwhm = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2")
    widths = dict.fromkeys(hwhm, gamma / 2) | {"gaussian_sigma": 0.0}
    return _Spec(energy, -absorption, places, widths, ("the sign of -Im G was turned",))


def _header(path: Path, header: base.Numbered, count: int) -> list[float]:
    """The numbers after the words of a header line."""
    line, text = header
    cells = text.split()[1:]
    if len(cells) != count:
        raise InputError(f"{path}, line {line}: {len(cells)} numbers in the header, not {count}")
    return [base.number(path, line, cell) for cell in cells]


def beside(path: Path) -> list[Path]:
    """Of an ``_iso`` file the files of right and left circular light, if both are there."""
    if path.suffix.lower() != ENDINGS[0] or not path.stem.endswith("_iso"):
        return []
    stem = path.stem.removesuffix("_iso")
    files = [path.with_name(f"{stem}_{part}{path.suffix}") for part in "rl"]
    return files if all(file.is_file() for file in files) else []


def _with_beside(path: Path, curve: base.Curve) -> base.Curve:
    """The curve of an ``_iso`` file with the polarisations that the files beside it tell."""
    others = beside(path)
    if not others:
        return curve
    circular = [_spec(other) for other in others]
    for other, spec in zip(others, circular, strict=True):
        if spec.absorption.shape != (len(curve.energy), 1) or not np.allclose(
            spec.energy, curve.energy
        ):
            raise InputError(f"{other}: is not on the energies of {path.name} beside it")
    right, left = (spec.absorption[:, 0] for spec in circular)
    return _polarised(curve, right, left)


def _polarised(curve: base.Curve, right: np.ndarray, left: np.ndarray) -> base.Curve:
    parallel = 3 * curve.intensity - right - left
    return replace(curve, components=np.column_stack([right, parallel, left]))


def _crispy(path: Path) -> base.Calculated:
    """The isotropic spectrum of a file with one saved calculation of an L2,3 edge."""
    import netCDF4

    try:
        with netCDF4.Dataset(path) as file:
            if _value(file, "format") != "Crispy Results":
                raise InputError(f"{path}: is HDF5, but not the results that Crispy saves")
            found = [g for g in file.groups.values() if _value(g, "type") == "calculation"]
            if len(found) != 1:
                raise InputError(
                    f"{path}: holds {len(found)} calculations; save each in a file of its own"
                )
            return _calculation(path, found[0])
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read as HDF5 ({error})") from None


def _calculation(path: Path, group: Any) -> base.Calculated:
    edge = str(_value(group, "edge"))
    if _value(group, "experiment") != "XAS" or not edge.startswith("L2,3"):
        raise InputError(f"{path}: is of {_value(group, 'experiment')} at {edge}, not of XAS L2,3")
    spectra = {}
    results = _group(path, _group(path, group, "Spectra"), "Results")
    for result in results.groups.values():
        if "raw" in result.variables:
            spectra[_value(result, "suffix")] = np.asarray(result["raw"][:], dtype=float)
    if "iso" not in spectra:
        raise InputError(f"{path}: holds no isotropic absorption, only {', '.join(spectra)}")
    raw = spectra["iso"]
    if raw.ndim != 2 or raw.shape[1] != 3 or not np.isfinite(raw).all():
        raise InputError(f"{path}: its spectrum is not of energy, real and imaginary part")
    axis = _group(path, _group(path, group, "Axes"), "XAxis")
    curve = base.curve(path, raw[:, 0], np.arange(1, len(raw) + 1), raw[:, 2])
    circular = [spectra.get(name) for name in "rl"]
    if all(part is not None and part.shape == raw.shape for part in circular):
        curve = _polarised(curve, *(part[:, 2] for part in circular))
    ion = f"{_value(group, 'symbol')}{_value(group, 'charge')}"
    return base.Calculated("quanty", curve, widths=_widths(axis), ion=ion)


def _widths(axis: Any) -> dict[str, float]:
    """Crispy gives full widths; it keeps the Gaussian one for its window, not for the file."""
    widths = {"gaussian_sigma": 0.0}
    points = axis.variables.get("lorentzianPoints")
    fwhm = _value(axis, "lorentzian")
    if fwhm is not None and (points is None or len(np.unique(np.asarray(points[:])[..., 1])) <= 1):
        widths |= dict.fromkeys(("lorentzian_hwhm_l3", "lorentzian_hwhm_l2"), float(fwhm) / 2)
    return widths


def _group(path: Path, parent: Any, name: str) -> Any:
    if name not in parent.groups:
        raise InputError(f"{path}: lacks the group {name!r}, which Crispy saves")
    return parent.groups[name]


def _value(group: Any, name: str) -> Any:
    """A scalar, which older files keep as an attribute; None where there is none."""
    if name in group.variables:
        value = group.variables[name][...]
        value = value.item() if hasattr(value, "item") else value
    else:
        value = getattr(group, name, None)
    return value.decode() if isinstance(value, bytes) else value
