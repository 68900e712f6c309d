"""The built-in engine: crystal-field multiplet theory, `whiteline.multiplet`."""

from __future__ import annotations

from whiteline import __version__
from whiteline.atomic import Ion
from whiteline.engines import base
from whiteline.multiplet import Multiplet
from whiteline.multiplet.point_groups import POINT_GROUPS
from whiteline.multiplet.spectrum import PARAMETERS
from whiteline.simulation import Parameters, Sticks

FACTS = base.Facts(
    name="Whiteline",
    reference="Thole et al., Phys. Rev. B 32, 5107 (1985), doi 10.1103/PhysRevB.32.5107",
    symmetries=tuple(POINT_GROUPS),
    parameters=PARAMETERS,
)


def version() -> str:
    """The package's own version."""
    return __version__


class Engine(base.Engine):
    """Blocked diagonalisation; see `whiteline.multiplet.Multiplet`."""

    def __init__(self, ion: Ion, symmetry: str) -> None:
        super().__init__(ion, symmetry)
        self._multiplet = Multiplet(ion, symmetry)

    @property
    def l3_l2_boundary(self) -> float:
        """See `whiteline.multiplet.Multiplet.l3_l2_boundary`."""
        return self._multiplet.l3_l2_boundary

    def sticks(self, parameters: Parameters, *, polarised: bool = False) -> Sticks:
        """See `whiteline.engines.base.Engine.sticks`."""
        return self._multiplet.sticks(parameters, polarised=polarised)
