"""The built-in engine with a ligand shell: the Anderson impurity model, `whiteline.impurity`."""

from __future__ import annotations

from whiteline import __version__
from whiteline.atomic import Ion
from whiteline.engines import base
from whiteline.impurity import Impurity
from whiteline.impurity.integrals import SHARED
from whiteline.impurity.spectrum import SYMMETRIES
from whiteline.simulation import Parameters, Sticks

FACTS = base.Facts(
    name="Whiteline with charge transfer",
    reference="Zaanen et al., Phys. Rev. Lett. 55, 418 (1985), doi 10.1103/PhysRevLett.55.418",
    symmetries=SYMMETRIES,
    parameters=(
        "ten_dq",
        "slater_reduction",
        "slater_reduction_pd",
        "zeta_3d_scale",
        "delta",
        "u_dd",
        "u_pd",
        "v_eg",
        "v_t2g",
        "ten_dq_ligand",
        "temperature",
    ),
)


def version() -> str:
    """The package's own version."""
    return __version__


class Engine(base.Engine):
    """Sparse operators and Lanczos; see `whiteline.impurity.Impurity`.

    The setting ``configurations`` is the length of the expansion d^n, d^(n+1) L, d^(n+2) L^2, and
    ``integrals`` says whose integrals those with ligand holes have: ``"shared"``, all those of
    d^n as in Crispy, or ``"own"``, as in TTMULT.
    """

    def __init__(
        self, ion: Ion, symmetry: str, *, configurations: int = 2, integrals: str = SHARED
    ) -> None:
        super().__init__(ion, symmetry)
        self._impurity = Impurity(ion, symmetry, configurations, integrals)

    @property
    def l3_l2_boundary(self) -> float:
        """See `whiteline.impurity.Impurity.l3_l2_boundary`."""
        return self._impurity.l3_l2_boundary

    def sticks(self, parameters: Parameters, *, polarised: bool = False) -> Sticks:
        """See `whiteline.engines.base.Engine.sticks`."""
        parameters.check(self.symmetry, FACTS.parameters, "charge_transfer")
        return self._impurity.sticks(parameters, polarised=polarised)
