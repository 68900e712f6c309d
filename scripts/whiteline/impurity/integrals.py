"""The integrals of a charge-transfer calculation."""

from __future__ import annotations

from dataclasses import fields, replace

from whiteline.atomic import AtomicParameters, Ion, atomic_parameters, ions


def impurity_integrals(ion: Ion) -> AtomicParameters:
    """Hartree-Fock Slater integrals and spin-orbit constants for all configurations of an ion.

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
