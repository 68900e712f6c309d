"""The integrals of a charge-transfer calculation."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from whiteline.atomic import AtomicParameters, Ion, atomic_parameters, ions
from whiteline.errors import InputError

SHARED, OWN = "shared", "own"
D_SHELL = 10
# Ions of the same element through which integrals of one that is not tabulated are extrapolated.
# Four give back F2 of Fe2+ to 0.1 %, three that of Co2+ to 0.2 %.
EXTRAPOLATED_FROM = 4


def impurity_integrals(ion: Ion) -> AtomicParameters:
    """Hartree-Fock Slater integrals and spin-orbit constants that serve all configurations.

    They are those of the ionic configuration, as in Crispy. Only what d0 and d1 have no electrons
    for, and d^(n+1) L needs, comes from the same element with one or two electrons more; Crispy
    has zero there.

    Raises
    ------
    InputError
        If the ion is not in the table.
    """
    values = atomic_parameters(ion)
    for more in (1, 2):
        reduced = Ion(ion.element, ion.valence - more, ion.d_count + more)
        if reduced in ions():
            other = atomic_parameters(reduced)
            missing = [f.name for f in fields(values) if getattr(values, f.name) == 0.0]
            values = replace(values, **{name: getattr(other, name) for name in missing})
    return values


def configuration_integrals(
    ion: Ion, configurations: int, whose: str = SHARED
) -> tuple[AtomicParameters, ...]:
    """Unreduced integrals of d^n, d^(n+1) L, ..., one entry for each configuration.

    Parameters
    ----------
    ion
        The ion, with d^n.
    configurations
        Length of the expansion.
    whose
        ``"shared"``: those of d^n for all, as in Crispy. ``"own"``: those of the free ions with n,
        n + 1, ... electrons, as in TTMULT; ions that are not tabulated are extrapolated.

    Raises
    ------
    InputError
        If ``whose`` is neither, the ion is not in the table, or too few ions of its element are.
    """
    if whose not in (SHARED, OWN):
        raise InputError(f"integrals must be {SHARED!r} or {OWN!r}, not {whose!r}")
    if whose == SHARED:
        return (impurity_integrals(ion),) * configurations
    return tuple(_integrals_with(ion, more) for more in range(configurations))


def _integrals_with(ion: Ion, more: int) -> AtomicParameters:
    """Integrals of the ion with more electrons."""
    wanted = Ion(ion.element, ion.valence - more, ion.d_count + more)
    if wanted in ions():
        return atomic_parameters(wanted)
    if wanted.d_count >= D_SHELL:
        # A full 3d shell has no multiplets, and nothing is excited into it.
        return atomic_parameters(ion)
    return AtomicParameters(
        **{f.name: _extrapolated(wanted, f.name) for f in fields(AtomicParameters)}
    )


def _extrapolated(wanted: Ion, name: str) -> float:
    """One integral from the polynomial through the ions with the next valences."""
    known = {
        ion.valence: value
        for ion in ions()
        if ion.element == wanted.element and (value := getattr(atomic_parameters(ion), name))
    }
    valences = sorted(known)[:EXTRAPOLATED_FROM]
    if len(valences) < 2:
        raise InputError(
            f"integrals: own needs {name} of {wanted.name}, which is not in the table of ions and "
            "can't be extrapolated; use integrals: shared"
        )
    values = [known[valence] for valence in valences]
    return float(np.polyval(np.polyfit(valences, values, len(valences) - 1), wanted.valence))
