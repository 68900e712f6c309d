"""Partial least squares on the spectra themselves, the customary baseline of chemometrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from whiteline.errors import InputError
from whiteline.estimators import base

# Spectra learnt from, at least: a small library is repeated, each time with other noise.
COPIES = 1000


@dataclass
class Estimator(base.Estimator):
    """Partial least squares, linear in the intensities (Wold, Sjostrom, Eriksson, Chemom. Intell.
    Lab. Syst. 58, 109 (2001), doi 10.1016/S0169-7439(01)00155-1; scikit-learn's
    ``PLSRegression``).

    A model of the whole library discriminates the valences (PLS-DA; Barker and Rayens, J.
    Chemom. 17, 166 (2003), doi 10.1002/cem.785), one of each valence reads its parameters. The
    library is learnt with noise, so that no more is made of a point than noise allows. A query is
    laid on the nearest spectrum of each valence before it is read, as all measures have it; else
    distances play no part. The whole library is learnt, also what single queries may not see of
    it. Estimates stay within the library's values.

    Parameters
    ----------
    components
        Number of latent variables.
    noise
        Deviation of the noise in the spectra learnt from, as a part of the highest intensity of
        each.
    seed
        Of that noise.
    """

    components: int = 10
    noise: float = 0.05
    seed: int = 0

    def fit(self, library: base.Library, order: int) -> Estimator:
        """Learn to tell the valences apart; see `whiteline.estimators.base.Estimator.fit`."""
        if self.components < 1 or self.noise < 0:
            raise InputError(
                f"partial_least_squares: components is {self.components} and noise "
                f"{self.noise:g}; they must be at least 1 and 0"
            )
        super().fit(library, order)
        membership = library.valence[:, None] == self.candidates_
        self.discriminant_ = self._model(np.arange(len(membership)), membership.astype(float))
        return self

    def _read(
        self, comparison: base.Comparison, rows: np.ndarray, match: np.ndarray
    ) -> dict[str, np.ndarray]:
        known = self._varied(rows)
        table = np.stack([*known.values()], axis=1)
        queries = comparison.aligned(match, self.library_.intensity.shape[1])
        read = np.clip(self._model(rows, table)(queries), table.min(0), table.max(0))
        return dict(zip(known, read.T, strict=True))

    def _of_valence(
        self, comparison: base.Comparison, rows: np.ndarray, match: np.ndarray
    ) -> dict[str, np.ndarray]:
        found = super()._of_valence(comparison, rows, match)
        column = np.searchsorted(self.candidates_, self.library_.valence[rows[0]])
        queries = comparison.aligned(match, self.library_.intensity.shape[1])
        return found | {base.MISFIT: 1 - self.discriminant_(queries)[:, column]}

    def _choice(self, distance: np.ndarray, nearest: np.ndarray, misfit: np.ndarray) -> np.ndarray:
        return misfit.argmin(1)

    def _model(self, rows: np.ndarray, table: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """A function from spectra (n, points) to columns (n, c), learnt from the library's
        ``rows`` (r,) and their ``table`` (r, c).
        """
        from sklearn.cross_decomposition import PLSRegression

        middle, deviation = table.mean(0), table.std(0)
        if not deviation.any():
            return lambda queries: np.tile(middle, (len(queries), 1))
        unit = np.where(deviation > 0, deviation, 1)
        copies = np.resize(np.arange(len(rows)), max(COPIES, len(rows)))
        spectra = self.library_.intensity[rows][copies]
        noise = self.noise * np.abs(spectra).max(1, keepdims=True)
        spectra = spectra + noise * np.random.default_rng(self.seed).normal(size=spectra.shape)
        model = PLSRegression(min(self.components, len(rows), spectra.shape[1]), scale=False)
        model.fit(spectra, ((table - middle) / unit)[copies])

        def read(queries: np.ndarray) -> np.ndarray:
            return middle + unit * model.predict(queries).reshape(len(queries), -1)

        return read
