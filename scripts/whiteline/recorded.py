"""Measured spectra of several files as one dataset of contract "recorded"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from whiteline import contracts
from whiteline.formats import Recorded, read_spectrum


def read_recorded(
    paths: Sequence[str],
    ids: Sequence[str],
    energy_columns: Sequence[str | int | None],
    intensity_columns: Sequence[str | int | None],
    **labels: Any,
) -> xr.Dataset:
    """The spectra as recorded; only order, sign and duplicate energies are put right.

    Parameters
    ----------
    paths, ids
        Files and identifiers, n each.
    energy_columns, intensity_columns
        See `whiteline.formats.read_spectrum`, n each.
    labels
        What is known of the spectra, by variable of the contract, n each.
    """
    records = [
        read_spectrum(path, energy_column=energy, intensity_column=intensity)
        for path, energy, intensity in zip(paths, energy_columns, intensity_columns, strict=True)
    ]
    return as_recorded(ids, records, **labels)


def as_recorded(ids: Sequence[str], records: Sequence[Recorded], **labels: Any) -> xr.Dataset:
    """Spectra under their identifiers as a dataset of contract "recorded"; labels as above."""
    unknown = np.full(len(ids), "")
    return contracts.dataset(
        "recorded",
        {
            "energy": np.concatenate([record.energy for record in records]),
            "intensity": np.concatenate([record.intensity for record in records]),
            "row_size": [len(record.energy) for record in records],
            "id": ids,
            "ion": unknown,
            "symmetry": unknown,
            "scenario": unknown,
            "leave_out": np.zeros(len(ids)),
            **labels,
        },
        notes=contracts.dumps({i: list(r.notes) for i, r in zip(ids, records, strict=True)}),
    )
