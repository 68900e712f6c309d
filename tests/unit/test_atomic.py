"""The table of ions."""

import pytest

from whiteline.atomic import Ion, atomic_parameters, edge_energy, ions, parse_ion
from whiteline.errors import InputError

ATOMIC_NUMBERS = {
    "Sc": 21, "Ti": 22, "V": 23, "Cr": 24, "Mn": 25, "Fe": 26, "Co": 27, "Ni": 28, "Cu": 29,
}  # fmt: skip


def test_parse_ion():
    assert parse_ion("Mn2+") == Ion("Mn", 2, 5)
    assert parse_ion(" V3+ ").name == "V3+"
    assert all(parse_ion(ion.name) == ion for ion in ions())


def test_electrons_add_up():
    for ion in ions():
        assert ion.d_count == ATOMIC_NUMBERS[ion.element] - 18 - ion.valence


@pytest.mark.parametrize("text", ["", "Mn", "Mn+2", "2+Mn", "MN2+", "Mn2-", None, 3])
def test_nonsense_is_refused(text):
    with pytest.raises(InputError, match="is not an ion; write element and valence"):
        parse_ion(text)


def test_refusal_names_what_there_is():
    with pytest.raises(InputError, match=r"'Mn9\+' .* Mn2\+, Mn3\+, Mn4\+, Mn5\+, Mn6\+, Mn7\+$"):
        parse_ion("Mn9+")
    with pytest.raises(InputError, match="no 3d ions of Zn in the table, only Sc, Ti"):
        parse_ion("Zn2+")
    with pytest.raises(InputError, match=r"Mn9\+ \(3d-2\) is not in the table"):
        atomic_parameters(Ion("Mn", 9, -2))
    with pytest.raises(InputError, match="'Zn' has no 2p binding energy"):
        edge_energy("Zn")


def test_edge_energy():
    assert edge_energy("Mn") == pytest.approx(642.4333, abs=1e-3)
    energies = [edge_energy(element) for element in ATOMIC_NUMBERS]
    assert energies == sorted(energies)


def test_integrals_rise_along_the_table():
    """Slater integrals grow with the charge and on excitation: a slip in one digit would show."""
    table = {ion: atomic_parameters(ion) for ion in ions()}
    for ion, values in table.items():
        if ion.d_count > 1:
            assert 0.6 < values.f2_dd_final - values.f2_dd_initial < 1.1
            assert 0.3 < values.f4_dd_final - values.f4_dd_initial < 0.7
            assert 0.60 < values.f4_dd_final / values.f2_dd_final < 0.65
        higher = next(
            (i for i in table if (i.element, i.valence) == (ion.element, ion.valence + 1)), None
        )
        if higher is not None:
            assert table[higher].f2_pd > values.f2_pd
            assert table[higher].g1_pd > values.g1_pd


def test_nickel_value_that_edrixs_has_wrong():
    """EDRIXS 0.2.0 has 8.399 eV for F4dd of Ni 2p5 3d7; it is 9.399."""
    assert atomic_parameters(parse_ion("Ni4+")).f4_dd_final == pytest.approx(9.3991)
