"""Learned distance: euclidean where what is sought stands out and what is a nuisance does not.

The library's spectra are grouped by valence and 10Dq. Within a group they differ by Slater
reduction, line widths, temperature and so on; copies of them are moved, sloped and made noisy at
random, so that measured nuisances count too. Directions of the greatest variance between groups
against that within them (Fisher's discriminants), each in units of its deviation within groups
(relevant component analysis), are the axes of the distance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whiteline.errors import InputError
from whiteline.measures.base import Measure, energy_step, unit_rows

MEASURE = Measure(
    name="Learned",
    reference="Fisher, Ann. Eugen. 7, 179 (1936), doi 10.1111/j.1469-1809.1936.tb02137.x; "
    "Bar-Hillel et al., J. Mach. Learn. Res. 6, 937 (2005)",
    symmetric=True,
    is_metric=True,
    needs_nonnegative=False,
    tolerates_shift=False,
    order=1,
    cost="one pass",
)

# Disturbed copies of the library, in all; more change little.
COPIES = 8000


def fit(
    intensity: np.ndarray,
    labels: Mapping[str, np.ndarray],
    energy: np.ndarray,
    seed: int,
    *,
    components: int = 32,
    shift: float = 0.1,
    noise: float = 0.2,
    slope: float = 0.1,
) -> np.ndarray:
    """The axes of the distance, shape (points, components).

    Parameters
    ----------
    intensity
        The library's spectra, shape (m, points).
    labels
        ``valence`` and ``ten_dq`` (eV) of each, shape (m,).
    energy
        Uniform grid, eV, shape (points,).
    seed
        Of the disturbances.
    components
        Number of axes, at most one less than there are groups.
    shift
        Deviation of a shift of the energy axis, eV.
    noise, slope
        Deviations of the noise at each point and of a linear background at the ends, as parts of
        the highest intensity.

    Raises
    ------
    InputError
        If all spectra have one valence and 10Dq, a disturbance is negative, or
        there are no components.
    """
    for name, value in {"shift": shift, "noise": noise, "slope": slope}.items():
        if not 0 <= value < np.inf:
            raise InputError(f"{name} is {value}; it must be zero or more")
    if components < 1:
        raise InputError(f"components is {components}; it must be 1 or more")
    rows = unit_rows(intensity)
    pairs = np.column_stack([labels["valence"], np.round(labels["ten_dq"], 6)])
    groups, group = np.unique(pairs, axis=0, return_inverse=True)
    if len(groups) < 2:
        raise InputError("all library spectra have one valence and 10Dq: nothing can be learnt")
    random = np.random.default_rng(seed)
    chosen = random.integers(len(rows), size=COPIES)
    disturbed = _disturbed(rows[chosen], energy, random, (shift, noise, slope))
    means = np.stack([rows[group == g].mean(axis=0) for g in range(len(groups))])
    within = disturbed - means[group[chosen]]
    number = min(components, len(groups) - 1)
    return _discriminants(within, means - means.mean(axis=0), number)


def prepare(intensity: np.ndarray, energy: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Coordinates of spectra of unit norm along the axes, shape (n, components).

    Raises
    ------
    InputError
        If a spectrum is zero throughout, or on another grid than those learnt from.
    """
    if len(state) != len(energy):
        raise InputError(f"was learnt from {len(state)} energies, not {len(energy)}")
    return unit_rows(intensity) @ state


def pairwise(queries: np.ndarray, library: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Distances in deviations of the nuisances.

    Parameters
    ----------
    queries, library
        Prepared spectra, shapes (n, components) and (m, components).
    energy
        Grid, eV; not used.

    Returns
    -------
    ndarray of shape (n, m)
    """
    from whiteline.measures.kernels import tiles

    return np.sqrt(tiles.squared(queries, library))


def _disturbed(
    rows: np.ndarray,
    energy: np.ndarray,
    random: np.random.Generator,
    deviations: tuple[float, float, float],
) -> np.ndarray:
    shift, noise, slope = deviations
    moves, slopes = shift * random.normal(size=len(rows)), slope * random.normal(size=len(rows))
    peak = rows.max(axis=1)
    # To first order in the shift, which is small against a line's width.
    moved = rows - np.gradient(rows, energy_step(energy), axis=1) * moves[:, None]
    sloped = np.outer(slopes * peak, np.linspace(-1, 1, len(energy)))
    return moved + sloped + noise * peak[:, None] * random.normal(size=rows.shape)


def _discriminants(within: np.ndarray, between: np.ndarray, components: int) -> np.ndarray:
    """Solutions v of B v = lambda W v of the greatest lambda, v W v = 1; (points, components)."""
    from scipy.linalg import eigh

    scatter = within.T @ within / len(within)
    # Without noise the scatter may be singular.
    scatter[np.diag_indices_from(scatter)] += 1e-9 * np.trace(scatter) / len(scatter)
    last = len(scatter) - 1
    chosen = max(0, last + 1 - components), last
    return eigh(between.T @ between, scatter, subset_by_index=chosen)[1][:, ::-1]
