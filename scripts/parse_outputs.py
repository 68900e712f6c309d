"""Reads the spectra that other programs have calculated.

Input: files, in the order of the entries (and the table that tells of them, which only causes
reruns). Output: outputs (contract "outputs").
Settings: entries (what is known of each file), faults (sentences on files left out before),
on_error (``stop`` at a file that can't be read, or ``skip`` it and go on).
"""

from functools import cache

import numpy as np

from whiteline import contracts
from whiteline import outputs as readers
from whiteline.atomic import parse_ion
from whiteline.errors import InputError
from whiteline.multiplet import Multiplet
from whiteline.outputs.entries import WIDTHS, Entry
from whiteline.simulation import AXES, POLARISATIONS, Sticks


def parse_outputs(
    *, files: list[str], outputs: str, entries: list[dict], faults: list[str], on_error: str
) -> None:
    """Write what the files hold, and the sentences on those that were skipped as an attribute."""
    skipped, read = [*faults], []
    for path, values in zip(files, entries, strict=True):
        entry = Entry(**{**values, "path": path})
        try:
            read.append((entry, _read(entry)))
        except InputError as error:
            if on_error == "stop":
                raise
            skipped.append(str(error))
    print(f"{len(read)} of {len(files)} files were read")
    for sentence in skipped:
        print(f"skipped: {sentence}")
    if not read:
        raise InputError(f"none of the {len(files)} files could be read; the first: {skipped[-1]}")
    for entry, found in read:
        print(f"{entry.path}: {'; '.join((found.kind, *found.notes))}")
    data = contracts.dataset("outputs", _columns(read), skipped=contracts.dumps(skipped))
    contracts.write(data, outputs)


def _read(entry: Entry) -> readers.Calculated:
    temperature = entry.value("temperature")
    given = {} if np.isnan(temperature) else {"temperature": temperature}
    found = readers.read(entry.path, entry.kind, **given)
    if found.ion not in (None, entry.ion):
        raise InputError(f"{entry.path}: is of {found.ion}, but {entry.where} says {entry.ion}")
    return found


def _columns(read: list[tuple[Entry, readers.Calculated]]) -> dict[str, object]:
    entries = [entry for entry, _ in read]

    def width(name: str) -> list[float]:
        """As told of the file, else as the file itself says."""
        return [e.numbers.get(name, found.widths.get(name, np.nan)) for e, found in read]

    return {
        **_ragged("curve_", [found.curve for _, found in read]),
        # A curve is taken as it is; its sticks would make the same spectrum twice.
        **_ragged("stick_", [None if f.curve is not None else f.sticks for _, f in read]),
        "polarisation": list(POLARISATIONS),
        "file": [entry.path for entry in entries],
        "kind": [found.kind for _, found in read],
        "ion": [entry.ion for entry in entries],
        "symmetry": [entry.symmetry for entry in entries],
        **{name: [entry.value(name) for entry in entries] for name in AXES},
        **{name: width(name) for name in WIDTHS},
        "energy_shift": [entry.numbers.get("energy_shift", 0.0) for entry in entries],
        "l3_l2_boundary": [_boundary(entry.ion) for entry in entries],
    }


def _ragged(prefix: str, parts: list[readers.Curve | Sticks | None]) -> dict[str, np.ndarray]:
    there = [part for part in parts if part is not None]
    unknown = [np.full((len(part.energy), len(POLARISATIONS)), np.nan) for part in there]
    components = [
        rest if part.components is None else part.components
        for part, rest in zip(there, unknown, strict=True)
    ]
    return {
        f"{prefix}energy": np.concatenate([[], *(part.energy for part in there)]),
        f"{prefix}intensity": np.concatenate([[], *(part.intensity for part in there)]),
        f"{prefix}components": np.concatenate([np.empty((0, len(POLARISATIONS))), *components]),
        f"{prefix}row_size": np.array([0 if p is None else len(p.energy) for p in parts]),
    }


@cache
def _boundary(ion: str) -> float:
    return Multiplet(parse_ion(ion), "Oh").l3_l2_boundary


if __name__ == "__main__":
    from whiteline.stage import run

    run(parse_outputs, snakemake)  # noqa: F821
