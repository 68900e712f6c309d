"""Gaussian process regression on principal components of the spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whiteline.errors import InputError
from whiteline.estimators import base

# The noise of a query is rounded to one of a series: the lowest is this part of the highest
# intensity, and each is twice the one before.
LOWEST_NOISE = 1e-3
# Of the kernel, in deviations of the first component; the length of the greatest marginal
# likelihood is 1 to 2 of them, and seeking it for each process gained nothing.
LENGTH = 1.5
# Tried: variance of what the components do not tell of a parameter, over that of what they do.
UNTOLD = 10.0 ** np.arange(-6, 1)


@dataclass
class Estimator(base.Estimator):
    """One Gaussian process for each valence and parameter, with an isotropic Gaussian kernel on
    the leading principal components of library spectra (Rasmussen and Williams, Gaussian
    Processes for Machine Learning, MIT Press 2006, ch. 2 and 5.4).

    A query is laid on the nearest spectrum of the valence, and what its components leave of it
    tells its noise, which includes what no library spectrum has. The process learns from copies
    of library spectra with as much noise: from clean ones it would trust small differences that
    are noise in the query. How much is left untold is that of the greatest marginal likelihood.
    Estimates stay within the library's values. What a single query may not see of the library is
    seen here, as all queries share a process.

    Parameters
    ----------
    components
        Number of principal components.
    copies
        Noisy copies of library spectra that the process of a valence learns from: several of each
        spectrum of a small library, a random part of a large one. The time grows with the third
        power.
    seed
        Of that draw and of the noise.
    """

    components: int = 12
    copies: int = 600
    seed: int = 0

    def _read(
        self, comparison: base.Comparison, rows: np.ndarray, match: np.ndarray
    ) -> dict[str, np.ndarray]:
        if self.components < 1 or self.copies < 2:
            raise InputError(
                f"gaussian_process: components is {self.components} and copies {self.copies}; "
                "they must be at least 1 and 2"
            )
        random = np.random.default_rng(self.seed)
        rows = np.resize(random.permutation(rows), self.copies)
        spectra, known = self.library_.intensity[rows], self._varied(rows)
        middle, axes = spectra.mean(0), _principal_axes(spectra, self.components)
        queries = comparison.aligned(match, spectra.shape[1]) - middle
        unit = LOWEST_NOISE * spectra.max()
        level = _noise_level(queries, axes, unit)
        found = {name: np.empty(len(queries)) for name in known}
        for value in np.unique(level):
            noise = np.random.default_rng([self.seed, value]).normal(
                scale=unit * 2.0**value, size=(len(rows), len(axes))
            )
            here = level == value
            learnt = _Process((spectra - middle) @ axes.T + noise, known)
            for name in known:
                found[name][here] = learnt.read(name, queries[here] @ axes.T)
        return found


def _principal_axes(spectra: np.ndarray, components: int) -> np.ndarray:
    """Orthonormal directions, (components, points), of the greatest variance of spectra."""
    return np.linalg.svd(spectra - spectra.mean(0), full_matrices=False)[2][:components]


def _noise_level(queries: np.ndarray, axes: np.ndarray, unit: float) -> np.ndarray:
    """Place in the series of noise levels, (n,), of what the axes leave of centred queries."""
    rest = queries - (queries @ axes.T) @ axes
    deviation = np.linalg.norm(rest, axis=1) / np.sqrt(max(rest.shape[1] - len(axes), 1))
    return np.rint(np.log2(np.maximum(deviation / unit, 1))).astype(int)


class _Process:
    """Gaussian processes of several parameters, each (r,), on common inputs (r, components)."""

    def __init__(self, inputs: np.ndarray, known: Mapping[str, np.ndarray]) -> None:
        self.inputs, self.known = inputs, known
        self.length = LENGTH * (inputs.std(0).max() or 1.0)
        variance, axes = np.linalg.eigh(_kernel(inputs, inputs, self.length))
        # Rounding leaves some below zero.
        variance = np.maximum(variance, 0)
        self.weights = {}
        for name, values in known.items():
            target = axes.T @ (values - values.mean())
            untold = max(UNTOLD, key=lambda ratio: _evidence(variance + ratio, target))
            self.weights[name] = axes @ (target / (variance + untold))

    def read(self, name: str, places: np.ndarray) -> np.ndarray:
        """A parameter, (n,), at places (n, components), within the values learnt from."""
        values, weight = self.known[name], self.weights[name]
        mean = values.mean() + _kernel(places, self.inputs, self.length) @ weight
        return np.clip(mean, values.min(), values.max())


def _kernel(a: np.ndarray, b: np.ndarray, length: float) -> np.ndarray:
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.exp(-np.maximum(squared, 0) / (2 * length**2))


def _evidence(variance: np.ndarray, target: np.ndarray) -> float:
    """Logarithm of the marginal likelihood but for a constant, at the best amplitude.

    Variances (r,) are those of the target's (r,) components along the kernel's eigenvectors.
    """
    amplitude = max((target**2 / variance).mean(), np.finfo(float).tiny)
    return -(len(target) * np.log(amplitude) + np.log(variance).sum()) / 2
