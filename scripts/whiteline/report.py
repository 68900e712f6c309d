"""The report page: what was run, how well it works on simulated spectra, and the measured ones.

The page is one file without network: sections of text, tables and figures put into
resources/report.html.jinja.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import xarray as xr

from whiteline import __version__, plotting
from whiteline.alignment import window
from whiteline.distances import BATCH
from whiteline.evaluation.ranking import Ranking, loss, rank
from whiteline.grids import AXES, grid

RESOURCES = Path(__file__).parents[2] / "resources"
NOTHING = "–"
UNITS = {"ten_dq": " eV", "ds": " eV", "dt": " eV", "temperature": " K"}
AXIS_NAMES = {
    "ten_dq": "10Dq",
    "ds": "Ds",
    "dt": "Dt",
    "slater_reduction": "Slater reduction",
    "slater_reduction_pd": "Slater reduction (p-d)",
    "zeta_3d_scale": "scale of the 3d spin-orbit coupling",
    "temperature": "temperature",
}
# A second valence whose distance is within this factor of the least one is a rival.
CLOSE = 1.2
BROADENING = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")
SHOWN = ("ten_dq", "slater_reduction", *BROADENING)
SCORES = {
    "valence_accuracy": "valence right",
    "ten_dq_mae": "10Dq mean abs. error (eV)",
    "ten_dq_median": "median (eV)",
    "ten_dq_p95": "95th percentile (eV)",
    "ten_dq_failure_rate": "off by > 0.3 eV",
    "coverage_68%": "in 68 % interval",
    "coverage_95%": "in 95 % interval",
    "width_68%": "68 % width (eV)",
    "width_95%": "95 % width (eV)",
    "outside_library": "flagged outside",
}
ENERGIES = ("ten_dq_mae", "ten_dq_median", "ten_dq_p95", "width_68%", "width_95%")
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "xarray", "netCDF4", "plotly", "snakemake")
HONESTY = (
    "The intervals are calibrated on simulated spectra of the scenario {calibration!r}: they hold "
    "for measured spectra as far as those resemble it. A match flagged as outside the library is "
    "no identification. The tiers a and b test interpolation only."
)
UNCALIBRATED = (
    "No calibration scenario was given, so there are no intervals and nothing is flagged as "
    "outside the library. The tiers a and b test interpolation only."
)


@dataclass(frozen=True)
class Measured:
    """A set of measured spectra: datasets of contracts "spectra", "shifts" and "estimates"."""

    collection: str
    queries: xr.Dataset
    shifts: xr.Dataset
    estimates: xr.Dataset


@dataclass(frozen=True)
class Branch:
    """All that the page shows of one library in one preprocessing.

    ``errors`` is the table of single-spectrum errors (``None`` without scenarios), ``maps`` holds
    a dataset per embedding and ``seconds`` the time of the scenarios' distances per measure.
    """

    library: str
    preprocessing: str
    spectra: xr.Dataset
    errors: pd.DataFrame | None = None
    maps: Mapping[str, xr.Dataset] = field(default_factory=dict)
    measured: Sequence[Measured] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The branch in file names and anchors."""
        return f"{self.library}_{self.preprocessing}"


@dataclass(frozen=True)
class Products:
    """The configuration with defaults, all scores (without scenarios empty) and the branches."""

    study: Mapping[str, Any]
    scores: pd.DataFrame
    branches: Sequence[Branch]

    @property
    def measure(self) -> str:
        """The measure shown in detail."""
        return self.study["report"]["measure"]

    @property
    def estimator(self) -> str:
        """The estimator shown in detail."""
        return self.study["report"]["estimator"]

    @property
    def scored(self) -> dict[str, Mapping[str, Any]]:
        """Configurations of the scored scenarios."""
        calibration = self.study.get("calibration")
        return {k: v for k, v in self.study["scenarios"].items() if k != calibration}

    def of(self, branch: Branch, **wanted: str) -> pd.DataFrame:
        """Scores of a branch whose columns have the wanted values."""
        wanted = {"library": branch.library, "preprocessing": branch.preprocessing, **wanted}
        chosen = np.ones(len(self.scores), dtype=bool)
        for column, value in wanted.items():
            chosen &= (self.scores[column] == value).values
        return self.scores[chosen]


@dataclass(frozen=True)
class Table:
    """A table of text; ``anchors`` gives rows a link for their first cell."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    anchors: Sequence[str] = ()

    @property
    def words(self) -> list[bool]:
        """Which columns hold words, which are set to the left, rather than numbers."""
        return [
            not all(cell == NOTHING or cell[:1] in "+-0123456789" for cell in column)
            for column in zip(*self.rows, strict=True)
        ]


@dataclass(frozen=True)
class Picture:
    """A figure under its file name, with its caption."""

    name: str
    figure: go.Figure
    caption: str
    title: str = ""


@dataclass(frozen=True)
class Part:
    """Text, figures (``cards``: several in a row) and tables under one heading."""

    heading: str = ""
    text: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    cards: bool = False


@dataclass(frozen=True)
class Section:
    """A chapter of the page."""

    anchor: str
    heading: str
    parts: Sequence[Part]


def write(products: Products, report: str | Path, figures: str | Path) -> None:
    """Write the page, and every figure of it as PNG and SVG.

    Parameters
    ----------
    products
        What the page shows.
    report
        Path of the page.
    figures
        Folder of the figures, made if it is missing.
    """
    Path(figures).mkdir(parents=True, exist_ok=True)
    Path(report).parent.mkdir(parents=True, exist_ok=True)
    chapters = sections(products)
    for chapter in chapters:
        for part in chapter.parts:
            for picture in part.pictures:
                plotting.write(picture.figure, figures, picture.name)
    Path(report).write_text(render(chapters), encoding="utf-8")


def sections(products: Products) -> list[Section]:
    """All chapters of the page, in order."""
    return [
        Section("summary", "Summary", [_summary_words(products), *_outcomes(products)]),
        Section("run", "What was run", _run(products)),
        Section("ranking", "Measures ranked", _by_branch(products, _ranking)),
        Section("levels", "Error against disturbance", _by_branch(products, _levels)),
        Section("errors", "Errors in detail", _by_branch(products, _errors)),
        Section("maps", "Maps", _by_branch(products, _maps)),
        Section("fits", "Best matches of the measured spectra", _fits(products)),
        Section("time", "Time", [_time(products)]),
    ]


def render(chapters: Sequence[Section]) -> str:
    """The page as one HTML file."""
    import jinja2
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(RESOURCES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Inside a script element, "<" could end it.
    environment.filters["figure_json"] = lambda figure: Markup(
        figure.to_json().replace("<", "\\u003c")
    )
    template = environment.get_template("report.html.jinja")
    return template.render(
        sections=chapters, plotly=Markup(get_plotlyjs()), version=__version__, nothing=NOTHING
    )


def number(value: float, digits: int = 2) -> str:
    """A number with that many significant digits, or a dash where it is not known."""
    if not np.isfinite(value):
        return NOTHING
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2]) if value else 0
    if exponent < -4:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(digits - 1 - exponent, 0)}f}"


def percent(share: float) -> str:
    """A share in per cent, with a decimal where rounding would claim all or nothing."""
    if not np.isfinite(share):
        return NOTHING
    value = 100 * share
    return f"{value:.1f} %" if 99 <= value < 100 or 0 < value < 1 else f"{value:.0f} %"


def energy(value: float) -> str:
    """An energy in eV with two decimals, without the unit."""
    return f"{value:.2f}" if np.isfinite(value) else NOTHING


def best_fits(measured: Measured, row: int, library: xr.Dataset) -> list[plotting.Fit]:
    """The best library spectrum of each valence, laid on a measured spectrum, best first.

    The measured spectrum is moved by the pair's shift; the simulated one is scaled and offset by
    least squares.
    """
    estimates = measured.estimates
    distance = estimates["candidate_distance"].values[row]
    energies = library["energy"].values
    step = (energies[-1] - energies[0]) / (len(energies) - 1)
    fits = []
    for column in np.argsort(distance, kind="stable"):
        match = int(estimates["candidate_match"].values[row, column])
        shift = measured.shifts["energy_shift"].values[row, match]
        query = measured.queries["intensity"].values[row : row + 1]
        recorded = window(query, int(np.rint(shift / step)), len(energies))[0]
        simulated = library["intensity"].values[match]
        design = np.stack([simulated, np.ones_like(simulated)], axis=1)
        factors = np.linalg.lstsq(design, recorded, rcond=None)[0]
        height = np.abs(recorded).max() or 1.0
        spectrum = library.isel(spectrum=match)
        ten_dq = estimates["candidate_ten_dq"].values[row, column]
        label = f"{plotting.ion_label(str(spectrum['ion'].values))} {spectrum['symmetry'].values}"
        fits.append(
            plotting.Fit(
                valence=float(estimates["candidate"].values[column]),
                heading=f"{label}, 10Dq {energy(ten_dq)} eV, "
                f"distance {number(distance[column], 3)}",
                details=_match(spectrum),
                measured=recorded / height,
                simulated=design @ factors / height,
            )
        )
    return fits


def _match(spectrum: xr.Dataset) -> str:
    """Parameters of a library spectrum beside its ion."""
    value = {name: float(spectrum[name].values) for name in spectrum.coords if name in SHOWN}
    widths = "/".join(energy(value[name]) for name in BROADENING)
    return (
        f"match: 10Dq {energy(value['ten_dq'])}, widths {widths} eV, "
        f"Slater {energy(value['slater_reduction'])}"
    )


def _by_branch(products: Products, make: Any) -> list[Part]:
    return [part for branch in products.branches for part in make(products, branch)]


def _title(products: Products, branch: Branch, rest: str = "") -> str:
    """A heading that names the branch as far as there are several."""
    several = len({b.preprocessing for b in products.branches}) > 1
    name = f"Library {branch.library}" + (f", {branch.preprocessing}" if several else "")
    return f"{name}: {rest}" if rest else name


def _caption(name: str, **values: object) -> str:
    text = (RESOURCES / "captions" / f"{name}.txt").read_text(encoding="utf-8")
    return " ".join(text.format(**values).split())


def _honesty(products: Products) -> str:
    calibration = products.study.get("calibration")
    return HONESTY.format(calibration=calibration) if calibration else UNCALIBRATED


# Summary


def _summary_words(products: Products) -> Part:
    text = [_simulated(products)]
    for branch in products.branches:
        text.append(_title(products, branch, _ranked_words(products, branch)))
    if not any(branch.measured for branch in products.branches):
        text.append("No measured spectra were given.")
    return Part(text=[*text, _honesty(products)])


def _simulated(products: Products) -> str:
    study = products.study
    libraries = {branch.library: branch for branch in products.branches}
    parts = []
    for name, branch in libraries.items():
        ions = ", ".join(map(plotting.ion_label, study["libraries"][name]["ions"]))
        parts.append(f"{branch.spectra.sizes['spectrum']:,} L2,3 spectra of {ions} ({name})")
    words = f"Simulated: {'; '.join(parts)}."
    tests = _test_spectra(products.scored)
    if tests:
        scenarios = _count(len(products.scored), "scenario")
        measures = _count(len(study["measures"]), "measure")
        estimators = _count(len(study["estimators"]), "estimator")
        words += (
            f" Tested for each library: {tests:,} simulated spectra of known valence and 10Dq, in "
            f"{scenarios}, by {measures} and {estimators}."
        )
    sets = {m.collection: m for branch in products.branches for m in branch.measured}
    total = sum(m.queries.sizes["spectrum"] for m in sets.values())
    return words + (f" Compared with it: {_count(total, 'measured spectrum')}." if sets else "")


def _count(count: int, noun: str) -> str:
    plural = {"measured spectrum": "measured spectra"}.get(noun, f"{noun}s")
    return f"{count:,} {noun if count == 1 else plural}"


def _test_spectra(scenarios: Mapping[str, Mapping[str, Any]]) -> int:
    return sum(
        scenario["spectra"] * len(next(iter(scenario["vary"].values()), [None]))
        for scenario in scenarios.values()
    )


def _ranked_words(products: Products, branch: Branch) -> str:
    errors = _ranked_errors(products, branch)
    if errors is None:
        return "no scored scenario, so measures were not compared."
    scenario = products.study["report"]["ranked_by"]
    found = _rank(errors)
    if found is None:
        words = _error_words(errors, products.measure)
        return f"one measure only; in the scenario {scenario!r}, {words}."
    names = list(found.mean_rank.index)
    near = ", ".join(_indistinguishable(found))
    difference = f"the critical difference of {number(found.critical_difference)} ranks"
    words = (
        f"the best-ranked of {len(names)} measures in the scenario {scenario!r} (tier "
        f"{products.scored[scenario]['tier']}) is {names[0]}: {_error_words(errors, names[0])}; "
    )
    words += (
        f"within {difference}, and so not told apart from it: {near}."
        if near
        else f"no other is within {difference}."
    )
    if products.measure != names[0]:
        words += f" Fits and maps below use {products.measure}: "
        words += _error_words(errors, products.measure) + "."
    return words


def _error_words(errors: pd.DataFrame, measure: str) -> str:
    own = errors[errors["measure"] == measure]
    error = number(own["ten_dq_error"].abs().mean())
    right = percent(own["valence_correct"].mean())
    return f"10Dq mean absolute error {error} eV, valence right in {right} of {len(own)} spectra"


def _outcomes(products: Products) -> Iterator[Part]:
    for branch in products.branches:
        for measured in branch.measured:
            table = _outcome_table(products, branch, measured)
            text = [_outcome_words(measured)]
            heading = _title(products, branch, f"measured spectra {measured.collection}")
            yield Part(heading=heading, text=text, tables=[table])


def _outcome_words(measured: Measured) -> str:
    estimates = measured.estimates
    outside = int(estimates["outside_library"].values.sum())
    total = estimates.sizes["query"]
    known = measured.queries["valence"].values
    words = f"Flagged as outside the library: {outside} of {total}."
    ordered = np.sort(estimates["candidate_distance"].values, axis=1)
    close = int((ordered[:, 1] <= CLOSE * ordered[:, 0]).sum()) if ordered.shape[1] > 1 else 0
    if close:
        words += (
            f" In {close} of {total} another valence is about as near, within "
            f"{percent(CLOSE - 1)} of the least distance: there the shape alone does not settle "
            "the valence."
        )
    if np.isfinite(known).any():
        right = int((estimates["valence"].values == known).sum())
        words += (
            f" The valence agrees with the known one in {right} of {np.isfinite(known).sum()} "
            "spectra where it is known."
        )
    return words


def _outcome_table(products: Products, branch: Branch, measured: Measured) -> Table:
    estimates = measured.estimates
    known = measured.queries["valence"].values
    limits = branch.spectra["ten_dq"].values
    rows, at_end = [], False
    for row in range(estimates.sizes["query"]):
        value = float(estimates["ten_dq"].values[row])
        end = bool(np.isclose([limits.min(), limits.max()], value, atol=5e-3).any())
        at_end |= end
        rows.append(
            [
                str(measured.queries["id"].values[row]),
                *([f"{known[row]:g}" if np.isfinite(known[row]) else NOTHING] * _any_known(known)),
                f"{estimates['valence'].values[row]:g}",
                energy(value) + (" †" if end else ""),
                *_intervals(estimates, row),
                f"{estimates['energy_shift'].values[row]:+.2f}",
                number(estimates["distance"].values[row], 3),
                "outside" if estimates["outside_library"].values[row] else "no",
                *_runner_up(estimates, row),
            ]
        )
    levels = [
        f"{level:.0%} interval (eV)".replace("%", " %") for level in estimates["coverage"].values
    ]
    head = ["spectrum", *["known valence"] * _any_known(known), "valence", "10Dq (eV)", *levels]
    head += ["energy shift (eV)", "distance", "outside library", "runner-up valence"]
    head += ["its 10Dq (eV)", "its distance"]
    note = (
        f"By {products.measure} and {products.estimator}. Energy shift: in all, added to the "
        "recorded axis."
    )
    if at_end:
        note += " † At the end of the library's range of 10Dq: a bound rather than a value."
    anchors = [_fit_name(branch, measured, row) for row in range(len(rows))]
    return Table("", head, rows, note, anchors)


def _any_known(known: np.ndarray) -> int:
    return int(np.isfinite(known).any())


def _intervals(estimates: xr.Dataset, row: int) -> Iterator[str]:
    for column in range(estimates.sizes["coverage"]):
        low = float(estimates["ten_dq_lower"].values[row, column])
        high = float(estimates["ten_dq_upper"].values[row, column])
        finite = np.isfinite(low) and np.isfinite(high)
        yield f"{energy(low)} … {energy(high)}" if finite else NOTHING


def _runner_up(estimates: xr.Dataset, row: int) -> list[str]:
    """Valence, 10Dq and distance of the nearest other valence."""
    candidate = estimates["candidate"].values
    distance = estimates["candidate_distance"].values[row].copy()
    distance[candidate == estimates["valence"].values[row]] = np.inf
    if not np.isfinite(distance).any():
        return [NOTHING] * 3
    best = int(distance.argmin())
    ten_dq = estimates["candidate_ten_dq"].values[row, best]
    return [f"{candidate[best]:g}", energy(ten_dq), number(distance[best], 3)]


# What was run


def _run(products: Products) -> list[Part]:
    study = products.study
    tables = [_library_table(products), _measure_table(study), _estimator_table(study)]
    if study["scenarios"]:
        tables.append(_scenario_table(study))
    calibration = study.get("calibration")
    text = [
        f"Whiteline {__version__}, Python {platform.python_version()}, {', '.join(_versions())}. "
        f"Seed of every random draw: {study['seed']}. "
        + (f"Calibrated by the scenario {calibration!r}." if calibration else "Not calibrated.")
    ]
    if not study["scenarios"]:
        text.append("No scenarios were configured, so nothing was scored.")
    ways = "; ".join(f"{name}: {_settings(way)}" for name, way in study["preprocessings"].items())
    return [Part(text=[*text, f"Preprocessing: {ways}."], tables=tables)]


def _versions() -> Iterator[str]:
    for name in PACKAGES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue


def _settings(values: Mapping[str, Any]) -> str:
    """Settings as text: ``key value`` with ranges and lists spelled out."""
    return ", ".join(f"{key} {_value(value)}" for key, value in values.items()) or NOTHING


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({_settings(value)})"
    if isinstance(value, (list, tuple)):
        return (
            "\u00a0…\u00a0".join(map(_value, value))
            if len(value) == 2
            else ", ".join(map(_value, value))
        )
    if isinstance(value, float):
        return "none" if np.isinf(value) else f"{value:g}"
    return str(value)


def _library_table(products: Products) -> Table:
    rows = []
    for name, branch in {branch.library: branch for branch in products.branches}.items():
        library = products.study["libraries"][name]
        axes = [_axis(axis, library[axis]) for axis in AXES if _varies(axis, library)]
        widths = [
            f"{w['lorentzian_hwhm_l3']:g} / {w['lorentzian_hwhm_l2']:g} / {w['gaussian_sigma']:g}"
            for w in library["broadening"]
        ]
        scale = library["energy"]
        rows.append(
            [
                name,
                ", ".join(plotting.ion_label(ion) for ion in library["ions"]),
                ", ".join(library["symmetry"]),
                "; ".join(axes),
                "; ".join(widths),
                f"{branch.spectra.sizes['spectrum']:,}",
                f"{scale['start']:g} … {scale['stop']:g} in steps of {scale['step']:g} "
                f"({branch.spectra.sizes['energy']} points)",
            ]
        )
    head = ["library", "ions", "symmetry", "axes", "line widths (eV)", "spectra", "energy (eV)"]
    note = "Line widths: Lorentzian HWHM of L3 / of L2 / Gaussian standard deviation."
    return Table("Libraries", head, rows, note)


def _varies(axis: str, library: Mapping[str, Any]) -> bool:
    """Whether an axis is worth telling: tetragonal terms only where they are not zero."""
    return axis in library and (axis not in ("ds", "dt") or bool(grid(library[axis]).any()))


def _axis(axis: str, spec: Any) -> str:
    values, unit = grid(spec), UNITS.get(axis, "")
    if len(values) == 1:
        return f"{AXIS_NAMES[axis]} {values[0]:g}{unit}"
    return f"{AXIS_NAMES[axis]} {values.min():g} … {values.max():g}{unit} ({len(values)} values)"


def _measure_table(study: Mapping[str, Any]) -> Table:
    from whiteline import measures

    rows = []
    for name, spec in study["measures"].items():
        bound = measures.load(**spec)
        tolerant = "yes" if bound.facts.tolerates_shift else "no"
        rows.append(
            [name, bound.facts.name, _settings(bound.parameters), tolerant, bound.facts.reference]
        )
    head = ["measure", "kind", "parameters", "tolerates shifts", "defined in"]
    return Table("Measures", head, rows)


def _estimator_table(study: Mapping[str, Any]) -> Table:
    rows = []
    for name, spec in study["estimators"].items():
        given = {key: value for key, value in spec.items() if key != "kind"}
        rows.append([name, spec["kind"], _settings(given) if given else "defaults"])
    return Table("Estimators", ["estimator", "kind", "parameters"], rows)


def _scenario_table(study: Mapping[str, Any]) -> Table:
    rows = []
    for name, scenario in study["scenarios"].items():
        role = "calibration" if name == study.get("calibration") else "scored"
        levels = next(iter(scenario["vary"].values()), [None])
        spectra = f"{scenario['spectra']}" + (f" × {len(levels)}" if len(levels) > 1 else "")
        drawn = [_settings(scenario[key]) for key in ("draw", "disturb", "vary")]
        rows.append(
            [name, scenario["tier"], role, spectra, _value(scenario["energy_uncertainty"]), *drawn]
        )
    head = ["scenario", "tier", "use", "spectra", "shift searched (± eV)", "drawn", "disturbed by"]
    note = (
        "Tier a: spectra of the library with their own ion and 10Dq left out of it; b: 10Dq off "
        "the grid; c: also unlike the library in what is drawn and disturbed. Energies and widths "
        "in eV, temperature in K, snr and counts at the peak, background in peak heights."
    )
    return Table("Scenarios", [*head, "varied"], rows, note)


# Measures ranked


def _ranked_errors(products: Products, branch: Branch) -> pd.DataFrame | None:
    """Errors of all measures in the ranked scenario, by the report's estimator."""
    scenario = products.study["report"].get("ranked_by")
    if branch.errors is None or scenario is None:
        return None
    errors = branch.errors
    chosen = (errors["scenario"] == scenario) & (errors["estimator"] == products.estimator)
    return errors[chosen] if chosen.any() else None


def _rank(errors: pd.DataFrame) -> Ranking | None:
    if errors["measure"].nunique() < 2:
        return None
    table = errors.assign(loss=loss(errors)).pivot(index="id", columns="measure", values="loss")
    return rank(table)


def _indistinguishable(found: Ranking) -> list[str]:
    """Measures within the critical difference of the best."""
    limit = found.mean_rank.iloc[0] + found.critical_difference
    return list(found.mean_rank.index[1:][found.mean_rank.values[1:] <= limit])


def _ranking(products: Products, branch: Branch) -> Iterator[Part]:
    errors = _ranked_errors(products, branch)
    if errors is None:
        yield Part(
            _title(products, branch), ["Without scored scenarios there is nothing to rank."]
        )
        return
    scenario = products.study["report"]["ranked_by"]
    text, pictures = ["One measure only: there is nothing to rank."], []
    found = _rank(errors)
    if found is not None:
        text = [_friedman(found, scenario, errors["id"].nunique())]
        caption = _caption(
            "ranking",
            scenario=scenario,
            estimator=products.estimator,
            difference=number(found.critical_difference),
        )
        figure = plotting.ranking_figure(found, plotting.styles(products.study["measures"]))
        pictures = [Picture(f"ranking_{branch.key}", figure, caption)]
    order = list(found.mean_rank.index) if found is not None else list(products.study["measures"])
    tables = [
        _overview(products, branch, order),
        _detailed(products, branch, scenario, order),
        _estimators(products, branch, scenario, order),
    ]
    yield Part(_title(products, branch), text, pictures, tables)


def _friedman(found: Ranking, scenario: str, spectra: int) -> str:
    words = f"Ranked on the {spectra} spectra of the scenario {scenario!r}"
    if np.isfinite(found.p_value):
        chance = "below 0.001" if found.p_value < 1e-3 else number(found.p_value)
        words += f"; Friedman's test of no difference at all: p {chance}"
    return words + (
        ". A wrong valence counts as worse than any error of 10Dq. Mean ranks farther apart than "
        f"the critical difference of {number(found.critical_difference)} differ (Nemenyi, 5 %)."
    )


def _measure_rows(order: Sequence[str]) -> list[tuple[str, str, str]]:
    """(shown name, measure, estimator or "") of the rows of a table: measures, then baselines."""
    measures = [(name, name, "") for name in order]
    return measures + [(name.replace("_", " "), "none", name) for name in plotting.BASELINES]


def _pair(scores: pd.DataFrame) -> str:
    """Mean error of 10Dq and accuracy of the valence over all levels of a scenario."""
    if scores.empty:
        return NOTHING
    weight = scores["spectra"].values
    error = np.average(scores["ten_dq_mae"].values, weights=weight)
    right = np.average(scores["valence_accuracy"].values, weights=weight)
    return f"{number(error)} / {percent(right)}"


def _overview(products: Products, branch: Branch, order: Sequence[str]) -> Table:
    rows = []
    for shown, measure, baseline in _measure_rows(order):
        own = products.of(branch, measure=measure, estimator=baseline or products.estimator)
        cells = [_pair(own[own["scenario"] == scenario]) for scenario in products.scored]
        rows.append([shown, *cells])
    head = [f"{name} (tier {scenario['tier']})" for name, scenario in products.scored.items()]
    note = (
        "10Dq mean absolute error in eV / share of correct valences; a scenario with several "
        "levels: over all of them. Last rows: estimates that look at no spectrum."
    )
    return Table(f"All scenarios by {products.estimator}", ["measure", *head], rows, note)


def _detailed(products: Products, branch: Branch, scenario: str, order: Sequence[str]) -> Table:
    rows = []
    columns = [name for name in SCORES if name in products.scores]
    if not _calibrated(products.of(branch, scenario=scenario)):
        columns = [c for c in columns if not c.startswith(("coverage", "width", "outside"))]
    for shown, measure, baseline in _measure_rows(order):
        own = products.of(
            branch,
            measure=measure,
            estimator=baseline or products.estimator,
            scenario=scenario,
        )
        mean = own[columns].mean()
        rows.append(
            [shown, *(number(mean[c]) if c in ENERGIES else percent(mean[c]) for c in columns)]
        )
    head = ["measure", *(SCORES[c] for c in columns)]
    return Table(f"Scenario {scenario} by {products.estimator}", head, rows)


def _calibrated(scores: pd.DataFrame) -> bool:
    return "width_68%" in scores and bool(scores["width_68%"].notna().any())


def _estimators(products: Products, branch: Branch, scenario: str, order: Sequence[str]) -> Table:
    names = list(products.study["estimators"])
    rows = []
    for measure in order:
        own = products.of(branch, measure=measure, scenario=scenario)
        rows.append([measure, *(_pair(own[own["estimator"] == name]) for name in names)])
    guesses = products.of(branch, measure="none", scenario=scenario)
    stand = [
        f"{name.replace('_', ' ')} {_pair(guesses[guesses['estimator'] == name])}"
        for name in plotting.BASELINES
    ]
    note = f"10Dq mean absolute error in eV / correct valences. Baselines: {', '.join(stand)}."
    return Table(f"Estimators in the scenario {scenario}", ["measure", *names], rows, note)


# Error against disturbance


def _levels(products: Products, branch: Branch) -> Iterator[Part]:
    looks = plotting.styles(products.study["measures"])
    pictures = []
    for name, scenario in products.scored.items():
        kind, levels = next(iter(scenario["vary"].items()), ("", []))
        if len(levels) < 2 or products.scores.empty:
            continue
        own = products.of(branch, scenario=name)
        scores = own[own["estimator"] == products.estimator]
        guesses = own[own["measure"] == "none"]
        guesses = guesses.assign(measure=guesses["estimator"])
        figure = plotting.level_figure(scores, guesses, kind, looks)
        caption = _caption(
            "levels",
            scenario=name,
            spectra=scenario["spectra"],
            search=_search(scenario["energy_uncertainty"]),
            estimator=products.estimator,
        )
        pictures.append(
            Picture(f"levels_{name}_{branch.key}", figure, caption, f"Scenario {name}")
        )
    text = [] if pictures else ["No scored scenario has several levels, so there are no curves."]
    yield Part(_title(products, branch), text, pictures)


def _search(limit: float) -> str:
    return (
        f"a search for the energy shift within ±{limit:g} eV"
        if limit
        else "no search for the energy shift"
    )


# Errors in detail


def _errors(products: Products, branch: Branch) -> Iterator[Part]:
    everything = _ranked_errors(products, branch)
    if everything is None:
        yield Part(
            _title(products, branch), ["Without scored scenarios there are no errors to show."]
        )
        return
    values = {
        "scenario": products.study["report"]["ranked_by"],
        "measure": products.measure,
        "estimator": products.estimator,
    }
    own = everything[everything["measure"] == products.measure]
    pictures = [
        Picture(f"error_{branch.key}", plotting.error_figure(own), _caption("error", **values)),
        Picture(
            f"confusion_{branch.key}",
            plotting.confusion_figure(confusion(own)),
            _caption("confusion", **values),
        ),
    ]
    text = []
    if own["width_68%"].notna().any():
        table = coverage(everything, list(products.study["measures"]))
        caption = _caption("coverage", calibration=products.study.get("calibration"), **values)
        pictures.append(
            Picture(f"coverage_{branch.key}", plotting.coverage_figure(table), caption)
        )
        text = [_honesty(products)]
    else:
        text = [
            "Without a calibration scenario there are no intervals, so their coverage is left out."
        ]
    yield Part(_title(products, branch), text, pictures)


def confusion(errors: pd.DataFrame) -> pd.DataFrame:
    """Number of spectra by true (rows) and estimated (columns) valence.

    An error table without the column ``valence`` tells right from wrong only: the other valence is
    named where there are two, else called "another".
    """
    true = errors["true_valence"]
    known = sorted(true.unique())
    if "valence" in errors:
        estimated = errors["valence"]
    elif len(known) == 2:
        estimated = true.where(errors["valence_correct"], sum(known) - true)
    else:
        estimated = true.where(errors["valence_correct"], np.nan)
    names = estimated.map(lambda value: "another" if np.isnan(value) else f"{value:g}")
    counts = pd.crosstab(true.map("{:g}".format), names)
    order = sorted({*counts.columns, *counts.index}, key=lambda name: (name == "another", name))
    return counts.reindex(columns=order, fill_value=0)


def coverage(errors: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """Share of spectra whose interval holds the truth, by measure and nominal coverage."""
    columns = [name for name in errors.columns if name.startswith("covered_")]
    table = errors.groupby("measure")[columns].mean().reindex(measures)
    table = table.rename(columns=lambda name: name.removeprefix("covered_"))
    table.attrs["spectra"] = errors["id"].nunique()
    return table


# Maps


def _maps(products: Products, branch: Branch) -> Iterator[Part]:
    pictures = []
    for name, embedding in branch.maps.items():
        if embedding.sizes["component"] < 2:
            continue
        caption = _caption(
            "map",
            embedding=name,
            measure=products.measure,
            spectra=int((embedding["is_query"].values == 0).sum()),
            key=_map_key(embedding),
        )
        figure = plotting.map_figure(embedding)
        pictures.append(Picture(f"map_{name}_{branch.key}", figure, caption, f"Map {name}"))
    text = [] if pictures else ["No map with two components was configured."]
    yield Part(_title(products, branch), text, pictures)


def _map_key(embedding: xr.Dataset) -> str:
    """Which number stands for which measured spectrum."""
    ids = embedding["id"].values[embedding["is_query"].values == 1]
    if not len(ids):
        return "There are no measured spectra in it."
    key = ", ".join(f"{place} {name}" for place, name in enumerate(ids, start=1))
    return "" if len(ids) <= plotting.NAMED else f"Measured: {key}."


# Best matches


def _fits(products: Products) -> list[Part]:
    sets = [(branch, measured) for branch in products.branches for measured in branch.measured]
    if not sets:
        return [Part(text=["No measured spectra were given."])]
    text = [_caption("fit", measure=products.measure), _honesty(products)]
    return [Part(text=text), *(_fit_cards(products, *one) for one in sets)]


def _fit_cards(products: Products, branch: Branch, measured: Measured) -> Part:
    energies = branch.spectra["energy"].values
    pictures = [
        Picture(
            _fit_name(branch, measured, row),
            plotting.fit_figure(energies, best_fits(measured, row, branch.spectra)),
            _fit_words(measured.estimates, row),
            str(measured.queries["id"].values[row]),
        )
        for row in range(measured.queries.sizes["spectrum"])
    ]
    return Part(_title(products, branch, measured.collection), pictures=pictures, cards=True)


def _fit_name(branch: Branch, measured: Measured, row: int) -> str:
    """Name of a fit's files and its anchor; identifiers may hold anything."""
    text = str(measured.queries["id"].values[row])
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in text)
    return f"fit_{branch.key}_{measured.collection}_{row + 1:02d}_{safe}"


def _fit_words(estimates: xr.Dataset, row: int) -> str:
    interval = next(_intervals(estimates, row), NOTHING)
    ten_dq = energy(estimates["ten_dq"].values[row])
    words = f"Valence {estimates['valence'].values[row]:g}, 10Dq {ten_dq} eV"
    if interval != NOTHING:
        words += (
            f" ({estimates['coverage'].values[0]:.0%}".replace("%", " %") + f": {interval} eV)"
        )
    words += f"; energy shift {estimates['energy_shift'].values[row]:+.2f} eV."
    if estimates["outside_library"].values[row]:
        words += " Outside the library: no identification."
    return words


# Time


def _time(products: Products) -> Part:
    spectra = _test_spectra(products.study["scenarios"])
    rows = []
    for branch in products.branches:
        size, points = branch.spectra.sizes["spectrum"], branch.spectra.sizes["energy"]
        for measure, seconds in branch.seconds.items():
            each = [number(1e3 * seconds / spectra), number(1e6 * seconds / spectra / size)]
            rows.append(
                [
                    branch.library,
                    branch.preprocessing,
                    measure,
                    *each,
                    f"{size:,}",
                    str(points),
                    str(spectra),
                ]
            )
    if not rows:
        return Part(text=["No times were recorded, because no scenarios were compared."])
    head = ["library", "preprocessing", "measure", "ms per spectrum", "µs per pair"]
    head += ["library spectra", "points", "test spectra"]
    note = (
        "Wall time of the whole job that compares the scenarios' spectra with the library, "
        f"start-up of Python included; the spectra are prepared in batches of {BATCH}."
    )
    return Part(tables=[Table("Distances", head, rows, note)])
