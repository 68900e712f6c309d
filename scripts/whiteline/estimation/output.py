"""Estimates as files: tables (CSV, JSON, netCDF), and maps of spectrum images."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from whiteline import contracts
from whiteline.errors import InputError
from whiteline.estimation.answers import FAILED
from whiteline.estimation.estimator import Estimator
from whiteline.estimation.session import Outcome, Part
from whiteline.files import whole

ENDINGS = (".csv", ".json", ".nc")
# Of maps, by variable: units and long name.
MAPS = {
    "valence": ("1", "valence"),
    "ten_dq": ("eV", "10Dq"),
    "half_width": ("eV", "half width of the 68 % interval of 10Dq"),
    "distance": ("1", "distance of the nearest library spectrum"),
    "energy_shift": ("eV", "shift added to the energy axis"),
}


def check_ending(path: Path) -> None:
    """Refuse an output whose ending tells no format."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(
            f"{path}: the ending tells the format; it must be {', '.join(ENDINGS[:-1])} or "
            f"{ENDINGS[-1]}"
        )


def table(estimates: xr.Dataset) -> pd.DataFrame:
    """One row for each spectrum: what it is, how sure, and the valence that comes next.

    Parameters beside 10Dq are those that differ in the library.
    """
    columns = {"file": estimates["file"].values, "id": estimates["query_id"].values}
    columns |= {"valence": estimates["valence"].values.astype(int)}
    columns |= {"ten_dq (eV)": estimates["ten_dq"].values}
    for number, coverage in enumerate(estimates["coverage"].values):
        for bound in ("lower", "upper"):
            name = f"ten_dq_{bound}_{100 * coverage:.0f} (eV)"
            columns[name] = estimates[f"ten_dq_{bound}"].values[:, number]
    columns |= {"ten_dq_bound (eV)": estimates["ten_dq_bound"].values}
    for name in json.loads(estimates.attrs["varied"]):
        unit = estimates[name].attrs["units"]
        columns[name if unit == "1" else f"{name} ({unit})"] = estimates[name].values
    columns |= {"valences_that_fit": _fitting(estimates)}
    columns |= {"distance": estimates["distance"].values}
    columns |= {"energy_shift (eV)": estimates["energy_shift"].values}
    columns |= {"outside_library": estimates["outside_library"].values}
    candidates = estimates["candidate"].values
    if len(candidates) > 1:
        distance = estimates["candidate_distance"].values
        second = np.argsort(distance, axis=1, kind="stable")[:, 1]
        chosen = np.searchsorted(candidates, columns["valence"])
        # An estimator may choose another than the nearest, which then comes next.
        nearest = distance.argmin(1)
        second = np.where(nearest == chosen, second, nearest)
        columns["runner_up_valence"] = candidates[second].astype(int)
        columns["runner_up_distance"] = np.take_along_axis(distance, second[:, None], 1)[:, 0]
    return pd.DataFrame(columns)


def _fitting(estimates: xr.Dataset) -> np.ndarray:
    """The valences that fit each spectrum as text, e.g. ``"2 3"``, shape (n,)."""
    sets, which = np.unique(estimates["candidate_fits"].values, axis=0, return_inverse=True)
    candidates = estimates["candidate"].values
    texts = [" ".join(f"{valence:g}" for valence in candidates[row == 1]) for row in sets]
    return np.array(texts)[which.ravel()]


def csv_text(rows: pd.DataFrame, header: bool = True) -> str:
    """Rows of the table as CSV; what is not known is empty."""
    return rows.to_csv(index=False, header=header, float_format="%.6g", lineterminator="\n")


def write_table(estimates: xr.Dataset, path: Path) -> None:
    """Write estimates in the format that the ending tells, whole or not at all."""
    if path.suffix.lower() == ".nc":
        contracts.write(estimates, path)
        return
    rows = table(estimates)
    with whole(path) as temporary:
        if path.suffix.lower() == ".csv":
            temporary.write_text(csv_text(rows), encoding="utf-8")
        else:
            rows.to_json(temporary, orient="records", indent=1, double_precision=6)


def write_maps(outcome: Outcome, estimator: Estimator, output: Path) -> list[Path]:
    """Write every spectrum image as maps beside the output: one netCDF file and a PNG each.

    Returns
    -------
    The files written
        ``{output}_{image}_maps.nc`` and ``{output}_{image}_{map}.png``.
    """
    written = []
    images = [part for part in outcome.parts if part.shape is not None and len(part.shape) == 2]
    names = [re.sub(r"[^\w.-]+", "_", part.name) for part in images]
    for number, (part, name) in enumerate(zip(images, names, strict=True)):
        # Images of one name lie in different folders.
        unique = name if names.count(name) == 1 else f"{name}_{number}"
        written += _write_image(part, estimator, output.with_name(f"{output.stem}_{unique}"))
    return written


def maps(part: Part, estimator: Estimator) -> xr.Dataset:
    """`MAPS` of a spectrum image over its pixels (y, x); NaN where a pixel could not be used.

    Where the file says how large pixels are, coordinates are in its units.
    """
    kept = part.records["chosen"] != FAILED
    ids = np.array(part.ids)[kept]
    found = estimator.dataset(ids, part.records[kept])
    half = (found["ten_dq_upper"] - found["ten_dq_lower"]).values[:, 0] / 2
    values = {name: found[name].values for name in MAPS if name in found} | {"half_width": half}
    image = {}
    for name, (units, long_name) in MAPS.items():
        pixels = np.full(len(kept), np.nan)
        pixels[kept] = values[name]
        attributes = {"units": units, "long_name": long_name}
        image[name] = (("y", "x"), pixels.reshape(part.shape), attributes)
    pixels = part.pixels or ((1.0, "pixels"),) * 2
    axes = {
        axis: (axis, size * np.arange(count), {"units": units})
        for axis, count, (size, units) in zip("yx", part.shape, pixels, strict=True)
    }
    attributes = {"Conventions": "CF-1.11", "title": part.name, "file": part.path}
    return xr.Dataset(image, axes, attributes | {"measure": estimator.measure_.kind})


def _write_image(part: Part, estimator: Estimator, stem: Path) -> list[Path]:
    from whiteline.plotting import draw
    from whiteline.plotting.estimated import estimate_map_figure

    image = maps(part, estimator)
    written = [stem.with_name(f"{stem.name}_maps.nc")]
    with whole(written[0]) as temporary:
        image.to_netcdf(temporary, engine="netcdf4", format="NETCDF4")
    for name in MAPS:
        if np.isfinite(image[name].values).any():
            written.append(stem.with_name(f"{stem.name}_{name}.png"))
            with whole(written[-1]) as temporary:
                draw(estimate_map_figure(image, name), temporary)
    return written
