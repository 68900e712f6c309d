"""Curves from sticks, and the spectra that other programs calculated."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import voigt_profile

from whiteline.multiplet import Sticks

# The files that tests of several folders share.
sys.path.append(str(Path(__file__).parents[1]))

DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="session")
def calculated() -> Path:
    """Folder of other programs' spectra; the test is skipped where it is absent."""
    folder = DATA / "calculated"
    if not folder.is_dir():
        pytest.skip(f"no reference spectra: {folder} is absent")
    return folder


@pytest.fixture(scope="session")
def broaden():
    """Curve from sticks; it does not share code with the package's own broadening."""

    def curve(
        energy: np.ndarray, sticks: Sticks, hwhm: float | np.ndarray, sigma: float = 0.0
    ) -> np.ndarray:
        offset = energy[:, None] - sticks.energy
        return voigt_profile(offset, sigma, hwhm) @ sticks.intensity

    return curve
