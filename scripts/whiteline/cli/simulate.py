"""Simulate spectra or sticks of one ion.

Every parameter takes a value, a list (0.8,0.9) or start:stop:step with the stop included; several
lists make their product. Without --output the spectra go to stdout as CSV.

  whiteline simulate "Mn2+" --ten-dq 0.9 --slater 0.8 --output mn.png
  whiteline simulate "Ni2+" --symmetry D4h --ten-dq 0.8:1.4:0.1 --ds -0.1,0,0.1 --output ni.nc
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whiteline import engines
from whiteline.atomic import Ion, edge_splitting, parse_ion
from whiteline.cli.base import grid_of, number, range_of
from whiteline.errors import InputError
from whiteline.grids import grid
from whiteline.simulation import AXES, DEFAULTS, POLARISATION_WEIGHTS

if TYPE_CHECKING:
    import xarray as xr

    from whiteline.curves import Curve

SUMMARY = "simulate spectra or sticks of one ion"

OPTIONS = {"slater_reduction": "slater", "slater_reduction_pd": "slater-pd"}
WIDTHS = {"lorentzian_hwhm": [0.2, 0.4], "gaussian_sigma": 0.1}
WIDEST = 20.0
CHEMICAL_SHIFT = 0.8
# A default energy axis reaches this far below L3 and above L2, eV.
BELOW_L3, ABOVE_L2, STEP = 10.0, 15.0, 0.05


def add_arguments(parser: ArgumentParser) -> None:
    """All options; those of the parameters come from `AXES`."""
    parser.add_argument("ion", help="element and valence, such as Mn2+")
    parser.add_argument("--symmetry", default="Oh", help="point group of the site (default Oh)")
    parser.add_argument(
        "--engine",
        default="multiplet",
        help=f"program that simulates: {', '.join(engines.kinds())} (default multiplet)",
    )
    parser.add_argument(
        "--configurations", type=int, metavar="N", help="charge-transfer configurations"
    )
    parser.add_argument(
        "--integrals",
        choices=["shared", "own"],
        help="whose Slater integrals charge-transfer configurations have (default shared)",
    )
    _add_parameters(parser.add_argument_group("parameters"))
    _add_spectrum(parser.add_argument_group("spectrum"))
    result = parser.add_argument_group("result")
    result.add_argument("--sticks", action="store_true", help="sticks instead of spectra")
    result.add_argument(
        "--output", type=Path, metavar="FILE", help=f"file ending in {', '.join(WRITERS)}"
    )


def _add_parameters(group) -> None:
    for name, axis in AXES.items():
        default = DEFAULTS[name]
        facts = [
            *([] if axis.units == "1" else [axis.units]),
            *([f"in {' or '.join(axis.symmetries)}"] if axis.symmetries else []),
            *([] if default is None else [f"default {default:g}"]),
        ]
        group.add_argument(
            "--" + OPTIONS.get(name, name.replace("_", "-")),
            dest=name,
            type=grid_of,
            metavar="GRID",
            help=f"{axis.long_name}" + (f" ({', '.join(facts)})" if facts else ""),
        )


def _add_spectrum(group) -> None:
    group.add_argument(
        "--polarisation",
        nargs="+",
        choices=[*POLARISATION_WEIGHTS],
        default=["isotropic"],
        metavar="KIND",
        help=f"one or several of {', '.join(POLARISATION_WEIGHTS)} (default isotropic)",
    )
    group.add_argument(
        "--lorentzian-hwhm",
        nargs="+",
        type=number,
        metavar="EV",
        help="half width at half maximum, eV, of both edges or of L3 and L2 (default 0.2 0.4)",
    )
    group.add_argument(
        "--gaussian-sigma",
        type=number,
        metavar="EV",
        help="standard deviation, eV (default 0.1)",
    )
    group.add_argument(
        "--energy",
        type=range_of,
        metavar="START:STOP:STEP",
        help=f"energy axis, eV (default: {BELOW_L3:g} eV below L3 to {ABOVE_L2:g} eV above L2)",
    )
    axis = group.add_mutually_exclusive_group()
    axis.add_argument(
        "--relative",
        action="store_true",
        help="energies E_final - E_initial, zero between the configuration averages",
    )
    axis.add_argument(
        "--chemical-shift",
        type=number,
        default=CHEMICAL_SHIFT,
        metavar="EV",
        help=f"shift of the edge per unit of valence above 2, eV (default {CHEMICAL_SHIFT:g})",
    )


def run(arguments: Namespace) -> None:
    """Simulate, then write the file or the table."""
    write = _writer(arguments.output)
    _check(arguments)
    data = _sticks(arguments)
    if not arguments.sticks:
        data = _spectra(data, arguments)
    write(data, arguments)


def _check(arguments: Namespace) -> None:
    """Refuse what can be told before anything is simulated."""
    if arguments.sticks and (
        given := [name for name in (*WIDTHS, "energy") if getattr(arguments, name) is not None]
    ):
        raise InputError(f"--sticks are not broadened: leave out --{given[0].replace('_', '-')}")
    if len(arguments.lorentzian_hwhm or WIDTHS["lorentzian_hwhm"]) > 2:
        raise InputError("--lorentzian-hwhm: give one value, or two, of L3 and of L2")
    for width in arguments.lorentzian_hwhm or ():
        if not 0 < width <= WIDEST:
            raise InputError(f"--lorentzian-hwhm: {width:g} is not above 0 and at most {WIDEST:g}")
    if not 0 <= (arguments.gaussian_sigma or 0.0) <= WIDEST:
        raise InputError(f"--gaussian-sigma: {arguments.gaussian_sigma:g} is not 0 to {WIDEST:g}")
    if arguments.energy and len(grid(arguments.energy)) < 2:
        raise InputError("--energy: one point is no axis; at least 2 are needed")


def _sticks(arguments: Namespace) -> xr.Dataset:
    """The sticks of all points, contract "sticks"; attribute ``zero`` (eV) is their place."""
    from tqdm import tqdm

    from whiteline import sampling, sticks
    from whiteline.library import axis_zero

    ion = parse_ion(arguments.ion)
    settings = engines.settings(_given(arguments, engines.SETTINGS))
    program = engines.load(arguments.engine, ion, arguments.symmetry, **settings)
    table = sampling.points(_given(arguments, AXES), samples=1, seed=0)
    polarised = arguments.polarisation != ["isotropic"]
    # Only what takes longer than a second shows its progress.
    rows = tqdm(table, f"{ion.name} {arguments.symmetry}", unit="point", delay=1, disable=None)
    return sticks.dataset(
        table,
        [sticks.simulate(program, row, polarised) for row in rows],
        program.l3_l2_boundary,
        zero=0.0 if arguments.relative else axis_zero(ion, arguments.chemical_shift),
        **sticks.made_by(arguments.engine, settings, ion.name, arguments.symmetry, polarised),
    )


def _spectra(sticks: xr.Dataset, arguments: Namespace) -> xr.Dataset:
    """The sticks broadened, contract "spectra"."""
    from whiteline import contracts
    from whiteline.library import axis_zero, library_spectra

    l3, *l2 = arguments.lorentzian_hwhm or WIDTHS["lorentzian_hwhm"]
    sigma = arguments.gaussian_sigma
    width = {
        "lorentzian_hwhm_l3": l3,
        "lorentzian_hwhm_l2": l2[0] if l2 else l3,
        "gaussian_sigma": WIDTHS["gaussian_sigma"] if sigma is None else sigma,
    }
    ion, zero = parse_ion(sticks.attrs["ion"]), sticks.attrs["zero"]
    energy = grid(arguments.energy or _window(ion, zero))
    # A library's axis is never relative: what lies at ``zero`` here lies at its own zero there.
    shift = arguments.chemical_shift
    on_axis = energy + (axis_zero(ion, shift) - zero)
    columns = library_spectra(sticks, [width], on_axis, shift, arguments.polarisation)
    columns["energy_shift"][:] = zero
    names = ("engine", "settings", "version", "ion", "symmetry", "zero")
    data = contracts.dataset(
        "spectra",
        {**columns, "energy": energy},
        **{name: sticks.attrs[name] for name in names},
    )
    # Unlike a library's, these are not normalised.
    data["intensity"].attrs["long_name"] = "squared dipole matrix elements per eV"
    if arguments.relative:
        data["energy"].attrs["long_name"] = "E_final - E_initial"
    return data


def _given(arguments: Namespace, names: Iterable[str]) -> dict[str, Any]:
    """The options of these names that were given."""
    found = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _window(ion: Ion, zero: float) -> dict[str, float]:
    """The energy axis about the edge, eV; L3 and L2 lie about ``zero`` as their weights 2 : 1."""
    splitting = edge_splitting(ion.element)
    return {
        "start": round(zero - splitting / 3 - BELOW_L3),
        "stop": round(zero + 2 * splitting / 3 + ABOVE_L2),
        "step": STEP,
    }


def _writer(path: Path | None) -> Callable[[xr.Dataset, Namespace], None]:
    """What writes the result, by the ending of the file."""
    if path is None:
        return _print_table
    if path.suffix.lower() not in WRITERS:
        raise InputError(f"{path}: the ending tells the format; it must be {', '.join(WRITERS)}")
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a file")
    return WRITERS[path.suffix.lower()]


def _table(data: xr.Dataset, arguments: Namespace) -> str:
    from whiteline import curves

    build = curves.sticks_table if arguments.sticks else curves.spectra_table
    return build(_curves(data, arguments), curves.comments(data, _varied(arguments)))


def _curves(data: xr.Dataset, arguments: Namespace) -> list[Curve]:
    from whiteline import curves

    if arguments.sticks:
        return curves.of_sticks(data, _varied(arguments), arguments.polarisation)
    return curves.of_spectra(data, _varied(arguments))


def _varied(arguments: Namespace) -> list[str]:
    """The parameters of which several values were given."""
    return [name for name, spec in _given(arguments, AXES).items() if len(grid(spec)) > 1]


def _print_table(data: xr.Dataset, arguments: Namespace) -> None:
    sys.stdout.write(_table(data, arguments))


def _write_table(data: xr.Dataset, arguments: Namespace) -> None:
    from whiteline.files import whole

    table = _table(data, arguments)
    with whole(arguments.output) as temporary:
        temporary.write_text(table, encoding="utf-8")


def _write_netcdf(data: xr.Dataset, arguments: Namespace) -> None:
    from whiteline import contracts

    contracts.write(data, arguments.output)


def _write_figure(data: xr.Dataset, arguments: Namespace) -> None:
    from whiteline import plotting
    from whiteline.files import whole

    title = f"{plotting.ion_label(data.attrs['ion'])} in {data.attrs['symmetry']}"
    figure = plotting.simulated_figure(
        _curves(data, arguments), title, arguments.sticks, arguments.relative
    )
    with whole(arguments.output) as temporary:
        plotting.draw(figure, temporary)


WRITERS = {
    ".csv": _write_table,
    ".nc": _write_netcdf,
    ".png": _write_figure,
    ".svg": _write_figure,
}
