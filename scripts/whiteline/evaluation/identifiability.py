"""How well a spectrum can tell 10Dq at all: the Cramer-Rao bound from the library's own spectra.

Kay, Fundamentals of Statistical Signal Processing: Estimation Theory (1993), ch. 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.simulation import AXES, without_tied

WIDTHS = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")
# Spectra of the same site, which differ by parameters alone.
SITE = ("ion", "symmetry", "polarisation")
# A part of the derivative along 10Dq that is left beside the others by rounding alone.
ROUNDING = 1e-6
# Library spectra looked at in one go.
BATCH = 256
# Spectra to which derivatives along sampled axes are fitted, for each number that is fitted.
NEAREST = 2
# Of a value that may lie anywhere in a range, this half width around its middle holds 68 %.
KNOWS_NOTHING = 0.34


class Identifiability:
    """Cramer-Rao bounds of 10Dq from finite differences between spectra of a library.

    A spectrum is taken as scale * s(parameters) + constant + noise, independent and equal at all
    points of the grid. The bound is the root of the 10Dq entry of the inverse Fisher matrix: the
    noise over the length of that part of ds / d10Dq which no change of scale, constant, energy
    shift, line width or any other parameter of the library can imitate. Along an axis of a grid,
    derivatives are differences between the next library spectra on both sides (one at an end);
    along axes that are sampled together they are fitted to the nearest spectra. So a coarse
    library gives a coarse bound: one of 512 samples in three axes 5 to 45 % too high, of 4,096
    0 to 13 % (medians of Mn2+ to Mn4+). Widths that are listed count as one parameter in their
    order.

    Parameters
    ----------
    library
        Dataset of contract "spectra", prepared.
    """

    def __init__(self, library: xr.Dataset) -> None:
        self.library = library
        self._spectra = library["intensity"].values.astype(float)
        self._centred = self._spectra - self._spectra.mean(1, keepdims=True)
        self._power = np.vecdot(self._centred, self._centred)
        self._ten_dq = library["ten_dq"].values
        energy = library["energy"].values
        self._step = (energy[-1] - energy[0]) / (len(energy) - 1)
        self._remainder = np.empty(len(self._spectra))
        self._told = np.zeros(len(self._spectra), dtype=bool)

    def bound(self, match: np.ndarray, queries: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Least deviation of 10Dq (eV) of any unbiased estimate, shape (n,).

        Infinite where the spectrum does not change with 10Dq, NaN where the library does not
        tell, because it has no other 10Dq beside the match.

        Parameters
        ----------
        match
            Library row that each query matched, shape (n,).
        queries
            The queries laid on their matches, shape (n, points).
        noise
            Deviation of their noise at a point of the grid, shape (n,).
        """
        slope = self._distinct(match)
        scale = np.vecdot(queries, self._centred[match]) / self._power[match]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(slope == 0, np.inf, noise / np.abs(scale * slope))

    def _distinct(self, rows: np.ndarray) -> np.ndarray:
        """Lengths (n,) of what is left of ds / d10Dq (1 / eV) beside all that may imitate it."""
        new = np.unique(rows[~self._told[rows]])
        for start in range(0, len(new), BATCH):
            part = new[start : start + BATCH]
            self._remainder[part] = self._remainders(part)
            self._told[part] = True
        return self._remainder[rows]

    def _remainders(self, rows: np.ndarray) -> np.ndarray:
        result = np.full(len(rows), np.nan)
        changes = self._changes(rows)
        if "ten_dq" not in changes:
            return result
        slope = changes.pop("ten_dq")
        rest = _beside(slope, self._imitating(rows, list(changes.values())))
        length, whole = np.linalg.norm(rest, axis=1), np.linalg.norm(slope, axis=1)
        tells = ~np.isnan(whole) & ~self._references[rows]
        result[tells] = np.where(length > ROUNDING * whole, length, 0.0)[tells]
        return result

    def _changes(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Changes of spectra with each parameter, by name, each (n, points).

        That with 10Dq is per eV. Where the library does not tell, they are zero or NaN, and that
        with 10Dq is NaN.
        """
        changes = {}
        for name, (below, above) in self._sides.items():
            low, high = below[rows], above[rows]
            if (low != high).any():
                changes[name] = self._spectra[high] - self._spectra[low]
                if name == "ten_dq":
                    distance = self._ten_dq[high] - self._ten_dq[low]
                    distance[low == high] = np.nan
                    changes[name] /= distance[:, None]
        if self._sampled:
            for name, fitted in zip(self._sampled, self._fitted(rows), strict=True):
                changes[name] = np.where(np.isnan(fitted), changes.get(name, np.nan), fitted)
        return changes

    def _fitted(self, rows: np.ndarray) -> np.ndarray:
        """Derivatives along the sampled axes, (axes, n, points), from the nearest samples."""
        group, place = self._samples
        axes = place.shape[1]
        count = NEAREST * (axes + axes * (axes + 1) // 2)
        result = np.full((axes, len(rows), self._spectra.shape[1]), np.nan)
        for number, row in enumerate(rows):
            others = np.flatnonzero((group == group[row]) & np.isfinite(place).all(axis=1))
            if len(others) <= count or row not in others:
                continue
            scale = np.ptp(place[others], axis=0)
            scale[scale == 0] = 1
            away = (place[others] - place[row]) / scale
            nearest = np.argpartition((away**2).sum(1), count)[: count + 1]
            rise = self._spectra[others[nearest]] - self._spectra[row]
            result[:, number] = _derivatives(away[nearest], rise) / scale[:, None]
        return result

    def _imitating(self, rows: np.ndarray, changes: list[np.ndarray]) -> list[np.ndarray]:
        """Orthonormal axes, each (n, points), of all that may imitate a change of 10Dq.

        What changes nothing imitates nothing, and its axis is zero.
        """
        own = self._spectra[rows]
        others = [own, np.ones_like(own), np.gradient(own, self._step, axis=1)]
        others += map(np.nan_to_num, changes)
        axes: list[np.ndarray] = []
        rounding = np.finfo(float).eps * own.shape[1]
        for other in others:
            # Scaled, as units differ, and again, as the rest beside other axes is.
            axes.append(_unit(_beside(_unit(other, 0.0), axes), rounding))
        return axes

    @cached_property
    def _sides(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By parameter, the rows of the next spectra below and above each one, itself at an end.

        Only that parameter differs between them.
        """
        codes = self._codes
        return {
            name: _neighbours([codes[other] for other in codes if other != name], codes[name])
            for name in codes
            if name in AXES or name == "width"
        }

    @cached_property
    def _sampled(self) -> tuple[str, ...]:
        """Parameters that are drawn together: of most spectra that know several values of one, no
        two differ by it alone.
        """
        names = []
        for name, (below, above) in self._sides.items():
            if name in AXES:
                values = self.library[name].values
                known = np.isfinite(values) & ~self._references
                alone = below[known] == above[known]
                if len(np.unique(values[known])) > 1 and alone.mean() > 0.5:
                    names.append(name)
        return tuple(names)

    @cached_property
    def _samples(self) -> tuple[np.ndarray, np.ndarray]:
        """Which spectra differ by sampled parameters alone, (m,), and these, (m, axes)."""
        rest = [values for name, values in self._codes.items() if name not in self._sampled]
        place = [self.library[name].values for name in self._sampled]
        return np.unique(rest, axis=1, return_inverse=True)[1], np.stack(place, axis=1)

    @cached_property
    def _codes(self) -> dict[str, np.ndarray]:
        return {name: _codes(values) for name, values in self._columns().items()}

    def _columns(self) -> dict[str, np.ndarray]:
        """What tells the library's spectra from each other, by name, each of shape (m,)."""
        # By columns, in which unknown widths are alike; as rows they are not.
        widths = [_codes(self.library[name].values) for name in reversed(WIDTHS)]
        columns = {
            **{name: self.library[name].values.astype(str) for name in SITE},
            "reference": self._references,
            **{name: self.library[name].values for name in AXES},
            # The widest Gaussian last, and those of one Gaussian by their Lorentzians.
            "width": np.unique(widths, axis=1, return_inverse=True)[1],
        }
        return without_tied(columns)

    @cached_property
    def _references(self) -> np.ndarray:
        """Which spectra are measured references, shape (m,)."""
        return contracts.is_reference(self.library)


def _derivatives(away: np.ndarray, rise: np.ndarray) -> np.ndarray:
    """Derivatives (axes, points) of what rises by (m, points) at places (m, axes) away.

    Those of a quadratic fit. One that is less than twice what the fit's residuals make of nothing
    is zero: its direction would be chance, and imitate others.
    """
    axes = away.shape[1]
    first, second = np.triu_indices(axes)
    terms = np.hstack([away, away[:, first] * away[:, second]])
    fitted = np.linalg.lstsq(terms, rise)[0]
    residual = np.linalg.norm(rise - terms @ fitted) / np.sqrt(len(terms) - terms.shape[1])
    effect = np.linalg.norm(fitted[:axes], axis=1) * away.std(axis=0)
    told = effect > 2 * residual / np.sqrt(len(terms))
    return np.where(told[:, None], fitted[:axes], 0.0)


def _beside(vectors: np.ndarray, axes: Sequence[np.ndarray]) -> np.ndarray:
    """What is left of vectors (n, points) beside orthonormal or zero axes, each (n, points).

    Twice is enough (Parlett, The Symmetric Eigenvalue Problem, sec. 6.9): the second round takes
    off what rounding left in the first.
    """
    for axis in (*axes, *axes):
        vectors = vectors - np.vecdot(axis, vectors)[:, None] * axis
    return vectors


def _unit(vectors: np.ndarray, least: float) -> np.ndarray:
    """Vectors (n, points) of unit length, zero where they are no longer than ``least``."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > least)


def _codes(values: np.ndarray) -> np.ndarray:
    """Numbers in the order of the values, the same for equal ones and for unknown ones, (m,)."""
    return np.unique(values, return_inverse=True)[1]


def _neighbours(rest: list[np.ndarray], own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows with the next lower and the next higher ``own`` among those alike in all the ``rest``.

    Both are arrays (m,); at an end a row is its own neighbour.
    """
    order = np.lexsort((own, *rest))
    alike = np.all([part[order][1:] == part[order][:-1] for part in rest], axis=0)
    alike &= own[order][1:] > own[order][:-1]
    below, above = np.arange(len(own)), np.arange(len(own))
    below[order[1:][alike]] = order[:-1][alike]
    above[order[:-1][alike]] = order[1:][alike]
    return below, above
