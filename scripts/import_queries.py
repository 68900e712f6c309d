"""Reads a set of measured spectra into one file.

Input: spectra (files, in the order of ids). Output: recorded (contract "recorded").
Settings: ids (of the files), energy_columns, intensity_columns, i0_column, valences (None where
unknown), energy_uncertainty and resolution (eV, None where unknown), element (of the library),
on_error (stop, or skip what can't be used and say so).
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from whiteline import contracts
from whiteline.errors import InputError
from whiteline.formats import Recorded, read_spectra
from whiteline.inspection import check
from whiteline.recorded import as_recorded


def import_queries(
    *,
    spectra: list[str],
    recorded: str,
    ids: list[str],
    energy_columns: list,
    intensity_columns: list,
    i0_column: str | int | None,
    valences: list,
    energy_uncertainty: float | None,
    resolution: float | None,
    element: str,
    on_error: str,
) -> None:
    """Write the spectra as recorded; only order, sign and duplicate energies are put right."""
    names, records, known, skipped = [], [], [], []
    columns = zip(energy_columns, intensity_columns, strict=True)
    for path, name, valence, (energy, intensity) in zip(
        spectra, ids, valences, columns, strict=True
    ):
        for id, outcome in _usable(path, name, element, energy, intensity, i0_column):
            if isinstance(outcome, InputError):
                if on_error == "stop":
                    raise outcome
                print(f"skipped: {outcome}")
                skipped.append(str(outcome))
            else:
                names.append(id)
                records.append(outcome)
                known.append(valence)
    if not records:
        raise InputError(f"none of {len(skipped)} spectra can be used; the first: {skipped[0]}")
    (name, count), *_ = Counter(names).most_common(1)
    if count > 1:
        raise InputError(f"{count} spectra share the identifier {name!r}; rename one")
    stated = {} if resolution is None else {"resolution": np.full(len(names), resolution)}
    data = as_recorded(
        names,
        records,
        valence=np.array(known, dtype=float),
        energy_uncertainty=np.full(len(names), energy_uncertainty, dtype=float),
        **stated,
    )
    data.attrs["skipped"] = contracts.dumps(skipped)
    contracts.write(data, recorded)


def _usable(
    path: str, name: str, element: str, energy, intensity, i0
) -> Iterator[tuple[str, Recorded | InputError]]:
    """Every spectrum of a file under its identifier, or what is wrong with it or the file.

    The file's own name in identifiers gives way to ``name``.
    """
    try:
        found = read_spectra(path, energy_column=energy, intensity_column=intensity, i0_column=i0)
    except InputError as error:
        yield name, error
        return
    for collection in found:
        for own, outcome in collection.records():
            id = name + own.removeprefix(Path(path).stem)
            if isinstance(outcome, Recorded):
                try:
                    check(outcome.energy, outcome.intensity, element)
                except InputError as error:
                    outcome = InputError(f"{path}, spectrum {id!r}: {error}")
            yield id, outcome


if __name__ == "__main__":
    from whiteline.stage import run

    run(import_queries, snakemake)  # noqa: F821
