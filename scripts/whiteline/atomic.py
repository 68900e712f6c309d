"""The 3d ions that can be simulated, and their tabulated energies.

The Hartree-Fock values come from Cowan's code as shipped with Crispy (MIT licence), the binding
energies from the X-ray Data Booklet, table 1-1. Both tables are in ``resources/``.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from whiteline.errors import InputError

RESOURCES = Path(__file__).parents[2] / "resources"


@dataclass(frozen=True)
class Ion:
    """A 3d ion with ``d_count`` electrons in its 3d shell before the excitation."""

    element: str
    valence: int
    d_count: int

    @property
    def name(self) -> str:
        """Element and valence, e.g. ``"Mn2+"``."""
        return f"{self.element}{self.valence}+"


@dataclass(frozen=True)
class AtomicParameters:
    """Slater integrals and spin-orbit constants, in eV.

    ``initial`` is 2p6 3d^n, ``final`` is 2p5 3d^(n+1). The tabulated values are Hartree-Fock
    ones, not yet reduced.
    """

    f2_dd_initial: float
    f4_dd_initial: float
    zeta_3d_initial: float
    f2_dd_final: float
    f4_dd_final: float
    f2_pd: float
    g1_pd: float
    g3_pd: float
    zeta_3d_final: float
    zeta_2p: float


def ions() -> tuple[Ion, ...]:
    """All ions of the table, by element and then by falling valence."""
    return tuple(_parameter_table())


def parse_ion(text: str) -> Ion:
    """The ion written as element and valence, such as ``"Mn2+"``.

    Raises
    ------
    InputError
        If the text is not an ion, or the table does not have it.
    """
    match = re.fullmatch(r"\s*([A-Z][a-z]?)(\d+)\+\s*", str(text))
    if match is None:
        raise InputError(f"{text!r} is not an ion; write element and valence, such as 'Mn2+'")
    element, valence = match[1], int(match[2])
    same_element = [ion for ion in ions() if ion.element == element]
    if not same_element:
        known = ", ".join(dict.fromkeys(ion.element for ion in ions()))
        raise InputError(f"{text!r}: there are no 3d ions of {element} in the table, only {known}")
    for ion in same_element:
        if ion.valence == valence:
            return ion
    names = ", ".join(sorted(ion.name for ion in same_element))
    raise InputError(f"{text!r} is not in the table, which has {names}")


def atomic_parameters(ion: Ion) -> AtomicParameters:
    """Hartree-Fock Slater integrals and spin-orbit constants of an ion, in eV.

    Raises
    ------
    InputError
        If the ion is not in the table.
    """
    try:
        return _parameter_table()[ion]
    except KeyError:
        raise InputError(f"{ion.name} (3d{ion.d_count}) is not in the table of ions") from None


def elements() -> tuple[str, ...]:
    """The elements whose 2p binding energies are tabulated, Sc to Cu."""
    return tuple(_binding_energies())


def edge_energy(element: str) -> float:
    """Nominal centre of the L2,3 edges in eV, (2p1/2 + 2 * 2p3/2) / 3.

    No chemical shift: measured axes are off by several eV anyway.

    Raises
    ------
    InputError
        If the element is not one of Sc to Cu.
    """
    two_p_half, two_p_three_halves = _binding_energy(element)
    return (two_p_half + 2 * two_p_three_halves) / 3


def edge_splitting(element: str) -> float:
    """Nominal distance of L2 from L3 in eV, the difference of the 2p binding energies.

    Raises
    ------
    InputError
        If the element is not one of Sc to Cu.
    """
    two_p_half, two_p_three_halves = _binding_energy(element)
    return two_p_half - two_p_three_halves


def _binding_energy(element: str) -> tuple[float, float]:
    table = _binding_energies()
    if element not in table:
        raise InputError(f"{element!r} has no 2p binding energy in the table, only {[*table]}")
    return table[element]


@cache
def _parameter_table() -> dict[Ion, AtomicParameters]:
    names = [field.name for field in fields(AtomicParameters)]
    return {
        Ion(row["element"], int(row["valence"]), int(row["d_count"])): AtomicParameters(
            **{name: float(row[name]) for name in names}
        )
        for row in _rows("atomic_parameters_l23.csv")
    }


@cache
def _binding_energies() -> dict[str, tuple[float, float]]:
    return {
        row["element"]: (float(row["2p1/2"]), float(row["2p3/2"]))
        for row in _rows("binding_energies_2p.csv")
    }


def _rows(name: str) -> list[dict[str, str]]:
    with (RESOURCES / name).open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))
