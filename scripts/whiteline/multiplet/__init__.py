"""The multiplet engine: L2,3 stick spectra of 3d ions by crystal-field multiplet theory."""

from whiteline.multiplet.spectrum import Multiplet
from whiteline.simulation import Parameters, Sticks

__all__ = ["Multiplet", "Parameters", "Sticks"]
