"""Libraries made by the stages themselves, for tests of what comes after them."""

from pathlib import Path
from typing import Any

from build_library import build_library
from preprocess_library import preprocess_library
from simulate_sticks import simulate_sticks
from whiteline.simulation import AXES


def prepared_library(
    folder: Path, library: dict[str, Any], background: dict[str, Any], name: str = "library"
) -> Path:
    """Simulate, broaden and prepare a library in a folder; its configuration has all defaults."""
    axes = {axis: library[axis] for axis in AXES if axis in library}
    sticks = [str(folder / f"{ion}.nc") for ion in library["ions"]]
    for ion, path in zip(library["ions"], sticks, strict=True):
        simulate_sticks(
            sticks=path,
            engine="multiplet",
            settings={},
            ion=ion,
            symmetry="Oh",
            axes=axes,
            samples=1,
            seed=0,
            batch=1,
            of=1,
            polarised=False,
        )
    raw, prepared = folder / f"{name}_raw.nc", folder / f"{name}.nc"
    keys = ("broadening", "energy", "chemical_shift", "polarisation")
    settings = {key: library[key] for key in keys}
    build_library(sticks=sticks, library=str(raw), **settings)
    preprocess_library(
        library=str(raw),
        references=[],
        reference_settings=[],
        prepared=str(prepared),
        background=background,
        normalisation="area",
    )
    return prepared
