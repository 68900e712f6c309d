"""Sticks of several polarisations."""

import numpy as np
import pytest

from whiteline.errors import InputError
from whiteline.simulation import Sticks, in_polarisation, merge


def test_merged_polarisations_share_their_energies():
    energy = np.array([2.0, 1.0, 1.0 + 4e-7, 3.0])
    components = np.array([[1.0, 2.0, 3.0], [3.0, 0.0, 0.0], [0.0, 0.0, 3.0], [1e-9, 0.0, 0.0]])
    merged = merge(energy, components)
    assert merged.energy == pytest.approx([1.0 + 2e-7, 2.0], abs=1e-12)
    assert merged.components.tolist() == [[3.0, 0.0, 3.0], [1.0, 2.0, 3.0]]
    assert merged.intensity == pytest.approx([2.0, 2.0])
    assert merge(energy, components.mean(axis=1)).components is None


def test_dichroism_of_sticks():
    sticks = Sticks(np.array([0.0]), np.array([2.0]), np.array([[1.0, 2.0, 3.0]]))
    assert in_polarisation(sticks, "circular_dichroism").tolist() == [-2.0]
    assert in_polarisation(sticks, "linear_dichroism").tolist() == [0.0]
    with pytest.raises(InputError, match="needs sticks of the three polarisations"):
        in_polarisation(Sticks(np.array([0.0]), np.array([2.0])), "circular_dichroism")
