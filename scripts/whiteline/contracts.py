"""The netCDF files that the stages hand to each other: what each must hold, and how it is written.

Every product is checked when it is written and when it is read, so a stage can rely on its input.
Files follow the CF conventions; strings are stored as fixed-width characters because
variable-length strings leave bytes in an HDF5 file that differ from run to run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from whiteline import __version__
from whiteline.errors import InputError
from whiteline.files import whole
from whiteline.simulation import AXES

FLOAT, SINGLE, INTEGER, FLAG, TEXT = "f8", "f4", "i4", "i1", "text"


@dataclass(frozen=True)
class Variable:
    """One variable of a contract: dimensions, type, units (``None`` for text) and meaning.

    One that ``may_be_nan`` is filled with NaN, or empty text, where it is not given; an
    ``optional`` one is left out of the file.
    """

    dims: tuple[str, ...]
    dtype: str
    units: str | None
    long_name: str
    may_be_nan: bool = False
    optional: bool = False


def _ion_parameters(dim: str) -> dict[str, Variable]:
    """Parameters of the simulation, NaN where a spectrum's are not known or it has none."""
    return {
        name: Variable((dim,), FLOAT, axis.units, axis.long_name, may_be_nan=True)
        for name, axis in AXES.items()
    }


def _spectrum_labels() -> dict[str, Variable]:
    """What is known of each spectrum of a library or a collection."""

    def known(units: str, long_name: str) -> Variable:
        return Variable(("spectrum",), FLOAT, units, long_name, may_be_nan=True)

    return {
        "id": Variable(("spectrum",), TEXT, None, "identifier"),
        "ion": Variable(("spectrum",), TEXT, None, "ion, empty where unknown"),
        "symmetry": Variable(("spectrum",), TEXT, None, "point group, empty where unknown"),
        "polarisation": Variable(
            ("spectrum",), TEXT, None, "polarisation of the light, empty where unknown", True
        ),
        "valence": known("1", "valence (oxidation state)"),
        **_ion_parameters("spectrum"),
        **_widths("spectrum"),
        "energy_uncertainty": known("eV", "largest shift that the search may find"),
        "resolution": Variable(
            ("spectrum",), FLOAT, "eV", "Gaussian deviation of the instrument", optional=True
        ),
        "scenario": Variable(("spectrum",), TEXT, None, "scenario, empty for measured spectra"),
        "level": known("1", "strength of the disturbance, in the units of its kind"),
        "leave_out": Variable(
            ("spectrum",), FLAG, "1", "1 to leave library spectra of the same ion and 10Dq out"
        ),
    }


def _ragged(
    outer: str, inner: str, energy: str, intensity: str, dtype: str = FLOAT, prefix: str = ""
) -> dict[str, Variable]:
    """A CF contiguous ragged array: ``row_size`` consecutive values of ``inner`` per ``outer``."""
    return {
        f"{prefix}energy": Variable((inner,), dtype, "eV", energy),
        f"{prefix}intensity": Variable((inner,), dtype, "1", intensity),
        f"{prefix}row_size": Variable((outer,), INTEGER, "1", f"number of {inner}s per {outer}"),
    }


def _output(inner: str, prefix: str) -> dict[str, Variable]:
    """Curves or sticks of other programs: isotropic, and by polarisation, NaN where not known."""
    return {
        **_ragged("entry", inner, "energy in the file", "isotropic intensity", prefix=prefix),
        f"{prefix}components": Variable(
            (inner, "polarisation"), FLOAT, "1", "intensity by polarisation", may_be_nan=True
        ),
    }


def _widths(dim: str) -> dict[str, Variable]:
    """Line widths, NaN where they are not known."""
    names = {
        "lorentzian_hwhm_l3": "Lorentzian half width at half maximum, L3",
        "lorentzian_hwhm_l2": "Lorentzian half width at half maximum, L2",
        "gaussian_sigma": "Gaussian standard deviation",
    }
    return {
        name: Variable((dim,), FLOAT, "eV", long_name, may_be_nan=True)
        for name, long_name in names.items()
    }


_PAIR_IDS = {
    "query_id": Variable(("query",), TEXT, None, "identifier of the query"),
    "library_id": Variable(("library",), TEXT, None, "identifier of the library spectrum"),
}

CONTRACTS: dict[str, dict[str, Variable]] = {
    # Single precision places a stick within 1e-6 eV and halves the gigabyte of 100,000 spectra.
    "sticks": {
        **_ragged(
            "point", "stick", "E_final - E_initial", "squared dipole matrix element", SINGLE
        ),
        "components": Variable(
            ("stick", "polarisation"),
            SINGLE,
            "1",
            "squared dipole matrix element by polarisation",
            optional=True,
        ),
        "polarisation": Variable(
            ("polarisation",), TEXT, None, "polarisation of the light", optional=True
        ),
        **_ion_parameters("point"),
    },
    "outputs": {
        **_output("curve_point", "curve_"),
        **_output("stick", "stick_"),
        "polarisation": Variable(("polarisation",), TEXT, None, "polarisation of the light"),
        "file": Variable(("entry",), TEXT, None, "file that was read"),
        "kind": Variable(("entry",), TEXT, None, "program that wrote it"),
        "ion": Variable(("entry",), TEXT, None, "ion"),
        "symmetry": Variable(("entry",), TEXT, None, "point group"),
        **_ion_parameters("entry"),
        **_widths("entry"),
        "energy_shift": Variable(("entry",), FLOAT, "eV", "shift to be added to the energies"),
        "l3_l2_boundary": Variable(
            ("entry",), FLOAT, "eV", "between L3 and L2, from the configuration average"
        ),
    },
    "recorded": {
        **_ragged("spectrum", "sample", "energy as recorded", "signal, white line positive"),
        **_spectrum_labels(),
    },
    "spectra": {
        "intensity": Variable(("spectrum", "energy"), FLOAT, "1", "normalised intensity"),
        "energy": Variable(("energy",), FLOAT, "eV", "photon energy or energy loss"),
        **_spectrum_labels(),
        "energy_shift": Variable(("spectrum",), FLOAT, "eV", "shift added to the recorded energy"),
        "noise": Variable(
            ("spectrum",), FLOAT, "1", "deviation of the noise at a point of the grid", True
        ),
    },
    "preparation": {
        **_ragged("spectrum", "sample", "energy as recorded", "signal as recorded"),
        "masked": Variable(("sample",), FLAG, "1", "1 for a glitch, interpolated over"),
        "background": Variable(("sample",), FLOAT, "1", "background fitted"),
        "continuum": Variable(("sample",), FLOAT, "1", "continuum fitted"),
        "signal": Variable(("sample",), FLOAT, "1", "white lines, smoothed if so wished"),
        "id": Variable(("spectrum",), TEXT, None, "identifier"),
        "onset": Variable(("spectrum",), FLOAT, "eV", "onset of L3 as recorded"),
    },
    "shifts": {
        "energy_shift": Variable(
            ("query", "library"), SINGLE, "eV", "further shift of the query onto the library"
        ),
        "similarity": Variable(
            ("query", "library"), SINGLE, "1", "correlation reached at that shift"
        ),
        **_PAIR_IDS,
    },
    "distances": {
        "distance": Variable(("query", "library"), SINGLE, "1", "distance, 0 = identical"),
        **_PAIR_IDS,
    },
    # Places are those in the map's file; "whiteline.neighbors" explains the form.
    "neighbors": {
        "nearest": Variable(
            ("query", "neighbor"), INTEGER, "1", "place in the map of the nearest spectra"
        ),
        "distance": Variable(("query", "neighbor"), SINGLE, "1", "distance of the nearest"),
        "landmark": Variable(("landmark",), INTEGER, "1", "place in the map of the landmarks"),
        "landmark_distance": Variable(
            ("query", "landmark"), SINGLE, "1", "distance of the landmarks"
        ),
        "query_id": Variable(("query",), TEXT, None, "identifier of the query"),
    },
    "embedding": {
        "coordinate": Variable(("spectrum", "component"), FLOAT, "1", "coordinate in the map"),
        "is_query": Variable(("spectrum",), FLAG, "1", "1 for a query, 0 for a library spectrum"),
        **{k: v for k, v in _spectrum_labels().items() if k in ("id", "ion", "valence", "ten_dq")},
    },
    "estimates": {
        "query_id": Variable(("query",), TEXT, None, "identifier of the query"),
        "file": Variable(("query",), TEXT, None, "file that was read", optional=True),
        "valence": Variable(("query",), FLOAT, "1", "valence (oxidation state)"),
        **_ion_parameters("query"),
        **_widths("query"),
        "distance": Variable(("query",), FLOAT, "1", "distance of the nearest library spectrum"),
        "energy_shift": Variable(
            ("query",), FLOAT, "eV", "total shift added to the recorded axis"
        ),
        "outside_library": Variable(
            ("query",), FLAG, "1", "1 if farther from the library than its own kind ever is"
        ),
        "coverage": Variable(("coverage",), FLOAT, "1", "nominal coverage of the interval"),
        "ten_dq_lower": Variable(("query", "coverage"), FLOAT, "eV", "lower bound of 10Dq", True),
        "ten_dq_upper": Variable(("query", "coverage"), FLOAT, "eV", "upper bound of 10Dq", True),
        "ten_dq_bound": Variable(
            ("query",), FLOAT, "eV", "Cramer-Rao bound of the deviation of 10Dq", True
        ),
        "candidate": Variable(("candidate",), FLOAT, "1", "valence of the candidate"),
        "candidate_ten_dq": Variable(
            ("query", "candidate"), FLOAT, "eV", "10Dq at that valence", True
        ),
        "candidate_distance": Variable(
            ("query", "candidate"), FLOAT, "1", "least distance at that valence"
        ),
        "candidate_match": Variable(
            ("query", "candidate"), INTEGER, "1", "library row of the nearest at that valence"
        ),
        "candidate_fits": Variable(
            ("query", "candidate"), FLAG, "1", "1 if the spectrum does not speak against it"
        ),
    },
    "mixtures": {
        "query_id": Variable(("query",), TEXT, None, "identifier of the query"),
        "candidate": Variable(("candidate",), FLOAT, "1", "valence of the component"),
        "coverage": Variable(("coverage",), FLOAT, "1", "nominal coverage of the interval"),
        "fraction": Variable(("query", "candidate"), FLOAT, "1", "fraction of the ions"),
        "fraction_lower": Variable(
            ("query", "candidate", "coverage"), FLOAT, "1", "lower bound of the fraction"
        ),
        "fraction_upper": Variable(
            ("query", "candidate", "coverage"), FLOAT, "1", "upper bound of the fraction"
        ),
        "component": Variable(
            ("query", "candidate"), INTEGER, "1", "library row of the component, -1 for none"
        ),
        "amplitude": Variable(
            ("query", "candidate"), FLOAT, "1", "factor of that library row in the sum"
        ),
        "background": Variable(("query",), FLOAT, "1", "constant in the sum"),
        "energy_shift": Variable(
            ("query",), FLOAT, "eV", "total shift added to the recorded axis"
        ),
        "single_valence": Variable(("query",), FLOAT, "1", "best single valence"),
        "single_residual": Variable(
            ("query",), FLOAT, "1", "root mean square of what that valence leaves"
        ),
        "mixture_residual": Variable(
            ("query",), FLOAT, "1", "root mean square of what the mixture leaves"
        ),
        "p_value": Variable(
            ("query",), FLOAT, "1", "probability that a single valence gains as much by a mixture"
        ),
        "mixture_needed": Variable(("query",), FLAG, "1", "1 where one valence does not do"),
    },
}

# Variables that xarray keeps as coordinates: labels rather than results.
_RESULTS = {
    "sticks": ("energy", "intensity", "row_size", "components"),
    "outputs": tuple(
        f"{part}_{name}"
        for part in ("curve", "stick")
        for name in ("energy", "intensity", "row_size", "components")
    ),
    "recorded": ("energy", "intensity", "row_size"),
    "spectra": ("intensity",),
    "preparation": (
        *("energy", "intensity", "row_size", "masked", "background", "continuum", "signal"),
        "onset",
    ),
    "shifts": ("energy_shift", "similarity"),
    "distances": ("distance",),
    "neighbors": ("nearest", "distance", "landmark_distance"),
    "embedding": ("coordinate",),
    "estimates": tuple(
        name
        for name in CONTRACTS["estimates"]
        if name not in ("query_id", "file", "coverage", "candidate")
    ),
    "mixtures": tuple(
        name for name in CONTRACTS["mixtures"] if name not in ("query_id", "coverage", "candidate")
    ),
}


def dumps(parameters: Mapping) -> str:
    """Parameters as JSON with sorted keys, the form in which files and rules keep them."""
    return json.dumps(parameters, sort_keys=True)


def dataset(kind: str, variables: Mapping[str, object], **attributes: object) -> xr.Dataset:
    """A dataset of the given kind from plain arrays, with units and names from the contract.

    Parameters
    ----------
    kind
        Name of a contract, e.g. ``"spectra"``.
    variables
        One array per variable; parameters that are not known (may be NaN) can be left out.
    attributes
        Global attributes (numbers or text; use `dumps` for nested ones).

    Raises
    ------
    InputError
        If a variable is missing, unknown, or of the wrong shape.
    """
    contract = CONTRACTS[kind]
    unknown = sorted(set(variables) - set(contract))
    if unknown:
        raise InputError(f"a {kind} file has no variable {unknown[0]!r}")
    sizes: dict[str, int] = {}
    for name, array in variables.items():
        for dim, size in zip(contract[name].dims, np.shape(array), strict=False):
            sizes.setdefault(dim, size)
    arrays = {}
    for name, spec in contract.items():
        if name in variables:
            value = np.asarray(variables[name], dtype=str if spec.dtype == TEXT else spec.dtype)
        elif spec.may_be_nan:
            value = np.full([sizes[d] for d in spec.dims], "" if spec.dtype == TEXT else np.nan)
        elif spec.optional:
            continue
        else:
            raise InputError(f"a {kind} file needs the variable {name!r}")
        arrays[name] = xr.Variable(spec.dims, value, _attributes(spec))
    results = _RESULTS[kind]
    return xr.Dataset(
        {name: arrays[name] for name in results if name in arrays},
        {name: value for name, value in arrays.items() if name not in results},
        {"contract": kind, **attributes},
    )


def write(data: xr.Dataset, path: str | Path) -> None:
    """Check a dataset against its contract and write it, whole or not at all."""
    path = Path(path)
    _check(data, f"{path}")
    data = data.assign_attrs(
        Conventions="CF-1.11", history=f"whiteline {__version__}: {path.name}"
    )
    encoding: dict[str, dict] = {}
    for name, spec in CONTRACTS[data.attrs["contract"]].items():
        if name not in data.variables:
            continue
        encoding[name] = (
            {"dtype": "S1", "char_dim_name": f"{name}_length"}
            if spec.dtype == TEXT
            else {"_FillValue": None}
        )
    with whole(path) as temporary:
        data.to_netcdf(temporary, engine="netcdf4", format="NETCDF4", encoding=encoding)


def read(path: str | Path, kind: str) -> xr.Dataset:
    """Read a file into memory and check it against the contract ``kind``.

    Raises
    ------
    InputError
        If the file is missing, is not netCDF, or does not hold what the contract says.
    """
    try:
        with xr.open_dataset(path, engine="netcdf4") as handle:
            data = handle.load()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: not a readable netCDF file ({error})") from None
    if data.attrs.get("contract") != kind:
        raise InputError(f"{path}: expected a {kind} file, found {data.attrs.get('contract')!r}")
    _check(data, str(path))
    return data


def split_rows(data: xr.Dataset, prefix: str = "") -> list[tuple[np.ndarray, np.ndarray]]:
    """The (energy, intensity) pairs of a ragged file, one per point or spectrum, float64."""
    ends = np.cumsum(data[f"{prefix}row_size"].values)[:-1]
    energy, intensity = (
        data[f"{prefix}{name}"].values.astype(float) for name in ("energy", "intensity")
    )
    return list(zip(np.split(energy, ends), np.split(intensity, ends), strict=True))


def is_reference(library: xr.Dataset) -> np.ndarray:
    """Which spectra of a preprocessed library are measured references, shape (spectra,)."""
    names = json.loads(library.attrs.get("references", "[]"))
    return np.isin(library["id"].values.astype(str), names)


def _attributes(spec: Variable) -> dict[str, str]:
    units = {} if spec.units is None else {"units": spec.units}
    return {"long_name": spec.long_name, **units}


def _check(data: xr.Dataset, where: str) -> None:
    kind = data.attrs.get("contract")
    if kind not in CONTRACTS:
        raise InputError(
            f"{where}: the attribute 'contract' is {kind!r}, not one of {[*CONTRACTS]}"
        )
    for name, spec in CONTRACTS[kind].items():
        if name not in data.variables and spec.optional:
            continue
        if name not in data.variables:
            raise InputError(f"{where}: a {kind} file needs the variable {name!r}")
        variable = data[name]
        if variable.dims != spec.dims:
            raise InputError(f"{where}: {name} has dimensions {variable.dims}, not {spec.dims}")
        if spec.units is not None and variable.attrs.get("units") != spec.units:
            raise InputError(
                f"{where}: {name} has units {variable.attrs.get('units')!r}, not {spec.units!r}"
            )
        needs_values = spec.dtype in (FLOAT, SINGLE) and not spec.may_be_nan
        if needs_values and not np.isfinite(variable.values).all():
            raise InputError(f"{where}: {name} has values that are not finite")
