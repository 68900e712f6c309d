"""The charge-transfer engine: L2,3 stick spectra by the single-impurity Anderson model."""

from whiteline.impurity.spectrum import Impurity

__all__ = ["Impurity"]
