"""Measured references: spectra of known ion that stand in a library beside its simulations.

They are prepared as queries are and have no line widths; parameters that nobody knows are NaN.
A reference counts for the valence like any library spectrum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.placing import Frame, check_cover, coarse_offsets, frame_of, offset_onto_ion
from whiteline.preprocessing.normalisation import normalise
from whiteline.preprocessing.resampling import resample
from whiteline.preprocessing.white_lines import white_lines
from whiteline.queries import named


def with_references(
    library: xr.Dataset,
    recorded: xr.Dataset,
    settings: Sequence[Mapping[str, Any]],
    normalisation: str,
) -> xr.Dataset:
    """A library and its references, which come last.

    Parameters
    ----------
    library
        Preprocessed simulations, contract "spectra".
    recorded
        The references, contract "recorded".
    settings
        How each is prepared, see `whiteline.queries.prepare_queries`, and its ``energy_shift`` (eV
        added to the recorded axis). An ``energy_shift`` of None lays a reference on the best
        simulation of its ion or, where there is none, on the library as records of unknown axis.
    normalisation
        As of the library.

    Returns
    -------
    Dataset of contract "spectra"
        The attribute ``references`` lists the identifiers of the references.

    Raises
    ------
    InputError
        Names the reference that can't be prepared, and why.
    """
    frame, ids = frame_of(library), recorded["id"].values.astype(str)
    rows = zip(
        ids,
        contracts.split_rows(recorded),
        recorded["ion"].values.astype(str),
        settings,
        strict=True,
    )
    laid = [
        named(name, _laid, *record, ion, frame, setting, normalisation)
        for name, record, ion, setting in rows
    ]
    own = {name: recorded[name].values for name in recorded.coords}
    own |= {
        "intensity": np.stack([intensity for intensity, _ in laid]),
        "energy_shift": np.array([shift for _, shift in laid]),
        "energy_uncertainty": np.zeros(len(ids)),
        "noise": np.full(len(ids), np.nan),
    }
    return _extended(
        library,
        own,
        references=contracts.dumps([*ids]),
        reference_settings=contracts.dumps([*settings]),
    )


def _extended(library: xr.Dataset, own: Mapping[str, np.ndarray], **attributes: str) -> xr.Dataset:
    """The library with further spectra and attributes."""
    columns = {
        name: np.concatenate([library[name].values, own[name]])
        for name in library.variables
        if name != "energy"
    }
    kept = {name: value for name, value in library.attrs.items() if name != "contract"}
    return contracts.dataset(
        "spectra", {**columns, "energy": library["energy"].values}, **kept, **attributes
    )


def _laid(
    energy: np.ndarray,
    intensity: np.ndarray,
    ion: str,
    frame: Frame,
    setting: Mapping[str, Any],
    normalisation: str,
) -> tuple[np.ndarray, float]:
    """A reference on the library's grid, normalised, and the shift added to its axis, eV."""
    record = white_lines(energy, intensity, frame.edge, frame.splitting, setting)
    shift = setting["energy_shift"]
    if shift is None:
        shift = float(coarse_offsets([record], frame, setting.get("alignment", "onset"))[0])
        if (frame.ions == ion).any():
            shift = offset_onto_ion(energy, record.signal, shift, frame, ion)
    check_cover(energy + shift, frame)
    return normalise(resample(energy + shift, record.signal, frame.grid), normalisation), shift
