"""What all engines share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from whiteline.atomic import Ion
from whiteline.simulation import Parameters, Sticks


@dataclass(frozen=True)
class Facts:
    """Facts about an engine.

    Attributes
    ----------
    name
        Name for figures and tables.
    reference
        Paper or program, with DOI or address.
    symmetries
        Point groups that it knows.
    parameters
        Names of the parameters (`whiteline.simulation.AXES`) that it knows.
    installation
        How to install the program, for messages; empty for what is always there.
    """

    name: str
    reference: str
    symmetries: tuple[str, ...]
    parameters: tuple[str, ...]
    installation: str = ""


class Engine(ABC):
    """Simulates stick spectra of one ion in one symmetry."""

    def __init__(self, ion: Ion, symmetry: str) -> None:
        self.ion = ion
        self.symmetry = symmetry

    @property
    @abstractmethod
    def l3_l2_boundary(self) -> float:
        """Energy in eV on the stick axis that parts L3 (below) from L2 (above)."""

    @abstractmethod
    def sticks(self, parameters: Parameters, *, polarised: bool = False) -> Sticks:
        """The spectrum at one point.

        Energies are E_final - E_initial with configuration averages at zero, intensities squared
        matrix elements of C^1_q, as `whiteline.simulation.Sticks` says, whatever the program's own
        conventions are.

        Parameters
        ----------
        parameters
            Crystal field, reductions, fields, temperature.
        polarised
            Whether the components of the three polarisations are wanted too.

        Raises
        ------
        InputError
            If a parameter has no meaning in the symmetry or is not known to the engine.
        """
