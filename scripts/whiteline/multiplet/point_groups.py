"""Facts about the point groups that the engine knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CUBIC = np.full((3, 3), 1 / 3)
AXIAL = np.array([[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]])
FIELDS = ("exchange_field", "magnetic_field")


@dataclass(frozen=True, eq=False)
class PointGroup:
    """A point group with its main axis along z.

    Attributes
    ----------
    axis_order
        Order of the rotation axis along z.
    crystal_field
        The operator (`whiteline.multiplet.operators`) that each parameter scales.
    average
        What one row of an irrep absorbs of q = -1, 0, 1, to what all its partners absorb on
        average: the group makes the polarisations alike that it mixes. Shape (3, 3).
    ten_dq_sign
        -1 where 10Dq counts the other way round.
    """

    axis_order: int
    crystal_field: dict[str, str]
    average: np.ndarray
    ten_dq_sign: float = 1.0

    @property
    def is_cubic(self) -> bool:
        """Whether x, y and z are alike."""
        return self.average is CUBIC


# For 3d orbitals alone C3v is the same as D3d: the field's odd part does not act within 3d.
POINT_GROUPS = {
    "Oh": PointGroup(4, {"ten_dq": "ten_dq"}, CUBIC),
    "Td": PointGroup(4, {"ten_dq": "ten_dq"}, CUBIC, ten_dq_sign=-1.0),
    "D4h": PointGroup(4, {"ten_dq": "ten_dq", "ds": "ds", "dt": "dt"}, AXIAL),
    "C3v": PointGroup(3, {"ten_dq": "ten_dq_along_c3", "dsigma": "ds", "dtau": "dt"}, AXIAL),
}
