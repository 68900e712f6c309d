"""Reads a study's configuration: checks it against the schema and fills in the defaults."""

from __future__ import annotations

import difflib
import glob
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jsonschema import Draft202012Validator, ValidationError, validators

from whiteline import embeddings, engines, estimators, measured, measures, sampling
from whiteline.atomic import edge_energy, edge_splitting, parse_ion
from whiteline.errors import InputError
from whiteline.grids import grid
from whiteline.outputs.entries import listing
from whiteline.preprocessing.background import baseline_faults
from whiteline.simulation import AXES

SCHEMA = Path(__file__).parents[2] / "config" / "config.schema.yaml"
LOADERS = {
    "measures": measures.load,
    "embeddings": embeddings.load,
    "estimators": estimators.load,
}
ALWAYS_POSITIVE = (
    "snr",
    "counts",
    "slater_reduction",
    "temperature",
    "lorentzian_hwhm",
    "lorentzian_hwhm_l3",
    "lorentzian_hwhm_l2",
)
NEVER_NEGATIVE = ("gaussian_sigma", "gaussian_fwhm", "zeta_3d_scale")
# A library's grid must begin this far before L3, eV, so that there is something before the edge.
BEFORE_L3 = 5.0
RESERVED_COLLECTIONS = ("library", "map", "mixtures", "scenarios")


def load(study: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Check a configuration and return it with every default filled in.

    Parameters
    ----------
    study
        The configuration as read from YAML.
    source
        Name of its file, for messages; ``extends`` is taken relative to it.

    Raises
    ------
    InputError
        One sentence with file and key, for the first thing that is wrong.
    """
    study = _extend(dict(study), (Path(source),))
    # Defaults are filled in while validating, so an error is sought first on a pristine copy.
    error = next(
        iter(sorted(Draft202012Validator(_schema()).iter_errors(study), key=_depth)), None
    )
    if error is not None:
        raise InputError(f"{source}: {_sentence(error)}")
    for message in (*_check_file_keys(study), *_check_map_keys(study)):
        raise InputError(f"{source}: {message}")
    _filling_validator()(_schema()).validate(study)
    _fill_report(study)
    for message in _fill_file_libraries(study):
        raise InputError(f"{source}: {message}")
    _fill_resolutions(study)
    for check in (
        _check_libraries,
        _check_queries,
        _check_local,
        _check_preparations,
        _check_kinds,
        _check_names,
        _check_scenarios,
        _check_crosscheck,
    ):
        for message in check(study):
            raise InputError(f"{source}: {message}")
    return study


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML file as a dictionary.

    Raises
    ------
    InputError
        If the file is missing, not YAML (with the line), or not a mapping.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: not valid YAML: {error.problem}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected keys and values, found {type(content).__name__}")
    return content


def _extend(study: dict[str, Any], sources: tuple[Path, ...]) -> dict[str, Any]:
    """The study over what it extends; ``sources`` are the files on the way to it, it the last."""
    base = study.pop("extends", None)
    if base is None:
        return study
    path = sources[-1].parent / str(base)
    if path.resolve() in [source.resolve() for source in sources]:
        raise InputError(f"{sources[-1]}: extends: {base} leads back to the file itself")
    return _merge(_extend(read_yaml(path), (*sources, path)), study)


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        merged[key] = _merge(base[key], value) if both else value
    return merged


@cache
def _schema() -> dict[str, Any]:
    return read_yaml(SCHEMA)


def _depth(error: ValidationError) -> int:
    return len(error.absolute_path)


@cache
def _filling_validator() -> type:
    """A validator that also writes the schema's defaults into what it checks."""
    check = Draft202012Validator.VALIDATORS["properties"]

    def fill(validator, properties, instance, schema) -> Iterator[ValidationError]:
        for key, part in properties.items():
            if isinstance(instance, dict) and "default" in part:
                default = part["default"]
                instance.setdefault(key, default.copy() if hasattr(default, "copy") else default)
        yield from check(validator, properties, instance, schema)

    return validators.extend(Draft202012Validator, {"properties": fill})


def _sentence(error: ValidationError) -> str:
    """What is wrong and what would be right, in the words of the configuration."""
    key = ".".join(str(part) for part in error.absolute_path) or "the configuration"
    value = error.instance
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(set(value) - set(known))[0]
        near = difflib.get_close_matches(str(unknown), known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
        return f"{key}: unknown key {unknown!r}; {hint}"
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(value))[0]
        return f"{key}: the key {missing!r} is missing"
    if error.validator == "oneOf":
        return _nearest_alternative(error, key)
    if error.validator in ("minItems", "minProperties"):
        return f"{key}: is empty; give at least {error.validator_value}"
    if error.validator == "enum":
        return f"{key}: {value!r} is none of {', '.join(map(str, error.validator_value))}"
    if error.validator == "uniqueItems":
        return f"{key}: {value!r} names something twice"
    if error.validator == "type" and value is None:
        return f"{key}: has no value; give it one or leave the key out"
    if error.validator == "type":
        wanted = error.validator_value
        wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return f"{key}: {value!r} should be of type {wanted}"
    if error.validator == "pattern":
        return f"{key}: the name {value!r} may hold only letters, digits and single _ or - between"
    return f"{key}: {error.message}"


def _nearest_alternative(error: ValidationError, key: str) -> str:
    """The fault within the alternative of the value's own shape, else the description of all."""
    shape = {list: "array", dict: "object"}.get(type(error.instance))
    given = set(error.instance) if shape == "object" else set()

    def overlap(inner: ValidationError) -> int:
        alternative = error.schema["oneOf"][inner.schema_path[0]]
        return len(given & set(alternative.get("properties", {})))

    for inner in sorted(error.context, key=overlap, reverse=True):
        alternative = error.schema["oneOf"][inner.schema_path[0]]
        if shape is not None and alternative["type"] == shape:
            return _sentence(inner)
    description = error.schema["description"].rstrip(".")
    return f"{key}: {error.instance!r} is not {description[0].lower()}{description[1:]}"


def _fill_report(study: dict[str, Any]) -> None:
    """The names that a report shows where the configuration names none."""
    scored = [name for name in study["scenarios"] if name != study.get("calibration")]
    study["report"].setdefault("measure", next(iter(study["measures"])))
    study["report"].setdefault("estimator", list(study["estimators"])[-1])
    if scored:
        study["report"].setdefault("ranked_by", scored[-1])


def _check_file_keys(study: Mapping[str, Any]) -> Iterator[str]:
    """Keys that a library of files must have or can't have, before defaults are filled in."""
    for name, library in study["libraries"].items():
        where = f"libraries.{name}"
        of_files = library.get("engine") == "files"
        if of_files != ("files" in library):
            missing = "the key 'files' is missing" if of_files else "'files' needs engine: files"
            yield f"{where}: {missing}"
        for key in ("ions", "symmetry", "samples", *engines.SETTINGS, *AXES) if of_files else ():
            if key in library:
                yield f"{where}.{key}: a library of files has it from its files; leave the key out"


def _check_map_keys(study: Mapping[str, Any]) -> Iterator[str]:
    """Keys of a map that contradict each other, before defaults are filled in."""
    for name, library in study["libraries"].items():
        shown = library.get("map", {})
        for key in ("slater_reduction", "broadening") if "sample" in shown else ():
            if key in shown:
                yield (
                    f"libraries.{name}.map.{key}: chooses a slice, and 'sample' draws from the "
                    "whole library; leave one of them out"
                )


def _fill_file_libraries(study: dict[str, Any]) -> Iterator[str]:
    """Ions and symmetries of libraries of files, and no axes: each file has its own values."""
    for name, library in study["libraries"].items():
        if library["engine"] != "files":
            continue
        try:
            found = listing(library["files"])
        except InputError as error:
            yield f"libraries.{name}.files: {error}"
            return
        for axis in AXES:
            library.pop(axis, None)
        library |= {"ions": found.ions, "symmetry": found.symmetries}
        known = [e.value("ten_dq") for e in found.entries]
        if study["scenarios"] and np.isnan(known).all():
            yield (
                f"libraries.{name}.files: no file has a ten_dq, and test spectra need it; give "
                "it, or leave out the scenarios"
            )


def _fill_resolutions(study: dict[str, Any]) -> None:
    """Broadens libraries to the resolutions of their query sets, where they are not yet."""
    for queries in study["queries"].values():
        library = study["libraries"].get(queries["library"])
        sigma = queries.get("resolution")
        if library is None or sigma is None:
            continue
        widths = library["broadening"]
        if not any(np.isclose(width["gaussian_sigma"], sigma) for width in widths):
            broader = [width | {"gaussian_sigma": sigma} for width in widths]
            new = [width for n, width in enumerate(broader) if width not in broader[:n]]
            library["broadening"] = widths + new


def _check_libraries(study: Mapping[str, Any]) -> Iterator[str]:
    for name, library in study["libraries"].items():
        where = f"libraries.{name}"
        elements = set()
        if "ions" not in library:
            yield f"{where}: the key 'ions' is missing"
            return
        for text in library["ions"]:
            try:
                elements.add(parse_ion(text).element)
            except InputError as error:
                yield f"{where}.ions: {error}"
        if len(elements) > 1:
            found = ", ".join(sorted(elements))
            yield f"{where}.ions: one library is of one element, found {found}"
        faults = [*_engine_faults(library), *_axis_faults(library)]
        yield from (f"{where}.{fault}" for fault in faults)
        if faults:
            return
        yield from (
            f"{where}.references.{fault}" for fault in _reference_faults(library, elements)
        )
        yield from (f"{where}.energy: {fault}" for fault in _edge_faults(library, elements))
        reductions = library.get("slater_reduction", [])
        shown = library["map"].get("slater_reduction", reductions)
        for value in () if not reductions or sampling.is_range(shown) else grid(shown):
            if not np.isclose(value, grid(library["slater_reduction"])).any():
                yield f"{where}.map.slater_reduction: {value:g} is not in the library"
        if max(library["map"]["broadening"]) >= len(library["broadening"]):
            count = len(library["broadening"])
            yield f"{where}.map.broadening: there are only {count} broadenings, counted from 0"


def _reference_faults(library: Mapping[str, Any], elements: set[str]) -> Iterator[str]:
    """What is wrong with the measured references of a library of these elements."""
    for name, reference in library["references"].items():
        try:
            element = parse_ion(reference["ion"]).element
        except InputError as error:
            yield f"{name}.ion: {error}"
            continue
        if element not in elements:
            yield f"{name}.ion: {reference['ion']} is not of {' or '.join(sorted(elements))}"
        if not Path(reference["file"]).is_file():
            yield f"{name}.file: {reference['file']}: no such file"


def _engine_faults(library: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a library's engine, or with what is asked of it."""
    kind = library["engine"]
    if kind == "files":
        return
    try:
        facts = engines.facts(kind)
    except InputError as error:
        yield f"engine: {error}"
        return
    if engines.version(kind) is None:
        yield f"engine: {facts.name} is not installed; {facts.installation}"
    for symmetry in library["symmetry"]:
        if symmetry not in facts.symmetries:
            yield f"symmetry: {facts.name} has no {symmetry}, only {', '.join(facts.symmetries)}"
    if "ten_dq" not in library:
        yield "ten_dq: the key is missing"
    for axis in (axis for axis in AXES if axis in library):
        if axis not in facts.parameters:
            yield f"{axis}: {facts.name} does not know it; it knows {', '.join(facts.parameters)}"
        symmetries = AXES[axis].symmetries
        if symmetries and not set(library["symmetry"]) <= set(symmetries):
            yield f"{axis}: needs symmetry {' or '.join(symmetries)} alone"
    for name in ("delta", "v_eg", "v_t2g") if "delta" in facts.parameters else ():
        if name not in library and kind == "charge_transfer":
            yield f"{name}: the key is missing; charge transfer needs it"


def _axis_faults(library: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the values of axes and, where there is one, of an energy grid."""
    for axis in (axis for axis in ("energy", *AXES) if axis in library):
        spec = library[axis]
        try:
            values = (
                np.array([spec["low"], spec["high"]]) if sampling.is_range(spec) else grid(spec)
            )
        except InputError as error:
            yield f"{axis}: {error}"
            continue
        if sampling.is_range(spec) and values[0] >= values[1]:
            yield f"{axis}: low {values[0]:g} is not below high {values[1]:g}"
        if not np.isfinite(values).all():
            yield f"{axis}: a value is not finite"
        if len(np.unique(values)) < len(values):
            yield f"{axis}: a value stands twice"
        if axis == "energy" and len(values) < 10:
            yield f"energy: {len(values)} points; at least 10 are needed"
        if axis in ("slater_reduction", "temperature") and (values <= 0).any():
            yield f"{axis}: {values.min()} is not above 0"


def _edge_faults(library: Mapping[str, Any], elements: set[str]) -> Iterator[str]:
    """What is wrong with an energy grid that does not hold the edges it is meant for."""
    energy = grid(library["energy"])
    for element in sorted(elements):
        l3 = edge_energy(element) - edge_splitting(element) / 3
        l2 = l3 + edge_splitting(element)
        if energy[0] > l3 - BEFORE_L3 or energy[-1] < l2:
            yield (
                f"{energy[0]:g}..{energy[-1]:g} eV does not hold the L2,3 edges of {element}; "
                f"start below {l3 - BEFORE_L3:.0f} and stop above {l2:.0f} eV"
            )


def expand(files: Sequence[str]) -> list[str]:
    """Files with patterns (``*``, ``?``, ``[...]``, ``**``) replaced by what fits them, sorted.

    A name that exists is no pattern.
    """
    found: list[str] = []
    for file in files:
        pattern = glob.has_magic(file) and not Path(file).exists()
        # Path.glob takes no absolute patterns.
        found += sorted(glob.glob(file, recursive=True)) if pattern else [file]  # noqa: PTH207
    return list(dict.fromkeys(found))


def _file_faults(files: Sequence[str]) -> Iterator[str]:
    """What is wrong with the files of a query set."""
    for file in files:
        if not expand([file]):
            yield f"{file}: no file fits"
    found = expand(files)
    for path in found:
        if not Path(path).is_file():
            what = "is a folder, name its files" if Path(path).is_dir() else "no such file"
            yield f"{path}: {what}"
    stems = Counter(Path(path).stem for path in found)
    for stem, count in stems.items():
        if count > 1:
            yield f"{count} files share the name {stem!r}; identifiers would clash"


def _check_queries(study: Mapping[str, Any]) -> Iterator[str]:
    for name, queries in study["queries"].items():
        where = f"queries.{name}"
        if name in RESERVED_COLLECTIONS:
            yield f"{where}: the name is taken by the workflow; choose another"
        if queries["library"] not in study["libraries"]:
            yield f"{where}.library: there is no library {queries['library']!r}"
            continue
        if ("measured" in queries) == ("files" in queries):
            yield f"{where}: give either 'measured' or 'files'"
        try:
            entries = measured.group(queries["measured"]) if "measured" in queries else ()
        except InputError as error:
            yield f"{where}.measured: {error}"
            continue
        for chosen in queries.get("ids", ()):
            if chosen not in [entry.id for entry in entries]:
                yield f"{where}.ids: {chosen!r} is not in the group {queries.get('measured')!r}"
        element = parse_ion(study["libraries"][queries["library"]]["ions"][0]).element
        for entry in entries:
            if entry.element != element:
                yield f"{where}.measured: {entry.id} is of {entry.element}, not {element}"
        if "energy_reference" in queries:
            ion = queries["energy_reference"]["ion"]
            if ion not in study["libraries"][queries["library"]]["ions"]:
                yield f"{where}.energy_reference.ion: {ion!r} is not in the library"
            if "energy_uncertainty" not in queries:
                yield f"{where}.energy_reference: needs energy_uncertainty beside it"
        yield from (f"{where}.files: {fault}" for fault in _file_faults(queries.get("files", ())))
        if queries["mixture"]:
            yield from (f"{where}.mixture: {fault}" for fault in _mixture_faults(study, queries))


def _mixture_faults(study: Mapping[str, Any], queries: Mapping[str, Any]) -> Iterator[str]:
    library = study["libraries"][queries["library"]]
    ions = [*library["ions"], *(known["ion"] for known in library["references"].values())]
    if len({parse_ion(ion).valence for ion in ions}) < 2:
        yield f"needs a library of several valences; {queries['library']} has {', '.join(ions)}"
    for name, way in study["preprocessings"].items():
        if way["normalisation"] == "snv":
            yield f"preprocessings.{name}: spectra normalised by snv have no area to be shared"


def _check_preparations(study: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with how records are prepared, wherever that stands."""
    places = {f"preprocessings.{name}": way for name, way in study["preprocessings"].items()}
    places |= {f"queries.{name}": queries for name, queries in study["queries"].items()}
    for name, library in study["libraries"].items():
        for own, reference in library["references"].items():
            places[f"libraries.{name}.references.{own}"] = reference
    for where, settings in places.items():
        background = settings.get("background", {})
        if background.get("kind") == "pybaselines":
            yield from (f"{where}.background.{fault}" for fault in baseline_faults(background))
        elif "method" in background or "parameters" in background:
            yield f"{where}.background: 'method' and 'parameters' need kind: pybaselines"
        windows = {"background.window": background.get("window")}
        windows["post_edge"] = settings.get("post_edge")
        for number, limits in enumerate(settings.get("glitches", {}).get("ranges", ())):
            windows[f"glitches.ranges.{number}"] = limits
        for key, limits in windows.items():
            if limits is not None and limits[0] >= limits[1]:
                yield f"{where}.{key}: {limits[0]:g} does not lie below {limits[1]:g}"


def _check_local(study: Mapping[str, Any]) -> Iterator[str]:
    for name, path in study["local"].items():
        try:
            measured.entry(name)
        except InputError as error:
            yield f"local: {error}"
        if not Path(path).is_file():
            yield f"local.{name}: {path}: no such file"


def _check_kinds(study: Mapping[str, Any]) -> Iterator[str]:
    for section, loader in LOADERS.items():
        for name, entry in study[section].items():
            parameters = {key: value for key, value in entry.items() if key != "kind"}
            try:
                loader(entry["kind"], **parameters)
            except InputError as error:
                yield f"{section}.{name}: {error}"


def _check_names(study: Mapping[str, Any]) -> Iterator[str]:
    for key, section in (("measure", "measures"), ("estimator", "estimators")):
        name = study["report"].get(key)
        if name is not None and name not in study[section]:
            yield f"report.{key}: there is no {name!r} among the {section}"
    scored = [name for name in study["scenarios"] if name != study.get("calibration")]
    ranked_by = study["report"].get("ranked_by")
    if ranked_by is not None and ranked_by not in scored:
        yield f"report.ranked_by: there is no scored scenario {ranked_by!r}"
    calibration = study.get("calibration")
    if study["scenarios"] and not scored:
        yield "scenarios: there is only the calibration; add one to be scored"
    if calibration is not None and calibration not in study["scenarios"]:
        yield f"calibration: there is no scenario {calibration!r}"


def _check_scenarios(study: Mapping[str, Any]) -> Iterator[str]:
    for name, scenario in study["scenarios"].items():
        sizes = [_values_of_ten_dq(library) for library in study["libraries"].values()]
        if scenario["tier"] == "a" and min(sizes) < 2:
            yield f"scenarios.{name}: tier a leaves a value of 10Dq out; a library has only one"
        for part in ("draw", "disturb", "vary"):
            for key, values in scenario[part].items():
                where = f"scenarios.{name}.{part}.{key}"
                yield from (f"{where}: {fault}" for fault in _range_faults(part, key, values))
        if name == study.get("calibration") and scenario["vary"]:
            yield f"scenarios.{name}.vary: a calibration needs independent spectra, not levels"
        for part in ("draw", "disturb", "vary"):
            if scenario[part] and scenario["tier"] not in ("c", "d"):
                tier = scenario["tier"]
                yield f"scenarios.{name}.{part}: only tiers c and d are disturbed; this is {tier}"
        yield from (f"scenarios.{name}{fault}" for fault in _other_engine_faults(study, scenario))


def _other_engine_faults(study: Mapping[str, Any], scenario: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the engine of a scenario, which tier d has and no other."""
    if ("engine" in scenario) != (scenario["tier"] == "d"):
        fault = "'engine' needs tier d" if "engine" in scenario else "the key 'engine' is missing"
        yield f": {fault}; tier d is simulated by another engine than the library"
        return
    if "engine" not in scenario:
        return
    for name, library in study["libraries"].items():
        if library["engine"] == scenario["engine"]:
            yield f".engine: {scenario['engine']} is that of the library {name!r}; name another"
        axes = {axis: library[axis] for axis in AXES if axis in library}
        wanted = {"ten_dq": 0.0, **axes, **scenario["draw"], "symmetry": library["symmetry"]}
        for fault in _engine_faults({**wanted, "engine": scenario["engine"]}):
            yield f".engine: for the library {name!r}, {fault}"


def _check_crosscheck(study: Mapping[str, Any]) -> Iterator[str]:
    for kind in study["crosscheck"].get("engines", ()):
        try:
            facts = engines.facts(kind)
        except InputError as error:
            yield f"crosscheck.engines: {error}"
            continue
        if engines.version(kind) is None:
            yield f"crosscheck.engines: {facts.name} is not installed; {facts.installation}"
    for name, case in study["crosscheck"]["cases"].items():
        where = f"crosscheck.cases.{name}"
        for text in case["ions"]:
            try:
                parse_ion(text)
            except InputError as error:
                yield f"{where}.ions: {error}"
        for axis in case["points"]:
            symmetries = AXES[axis].symmetries
            if symmetries and case["symmetry"] not in symmetries:
                yield f"{where}.points.{axis}: needs symmetry {' or '.join(symmetries)}"
        yield from (f"{where}.points.{fault}" for fault in _axis_faults(case["points"]))


def _values_of_ten_dq(library: Mapping[str, Any]) -> int:
    if library["engine"] == "files":
        known = {(entry.ion, entry.value("ten_dq")) for entry in listing(library["files"]).entries}
        counts = Counter(ion for ion, value in known if not np.isnan(value))
        return max(counts.values(), default=0)
    spec = library["ten_dq"]
    return library["samples"] if sampling.is_range(spec) else len(grid(spec))


def _range_faults(part: str, key: str, values: float | list[float]) -> Iterator[str]:
    """What is wrong with the limits of a draw or the levels of a disturbance."""
    values = np.atleast_1d(values)
    if part != "vary" and values[0] > values[-1]:
        yield f"{values[0]:g} lies above {values[-1]:g}; give the lower limit first"
    # Infinite noise ratios mean no noise; all else must be finite.
    if not (np.isfinite(values) | (key in ("snr", "counts"))).all() or np.isnan(values).any():
        yield "a value is not finite"
    if key in NEVER_NEGATIVE and values.min() < 0:
        yield f"{values.min():g} is negative"
    if key in ALWAYS_POSITIVE and values.min() <= 0:
        yield f"{values.min():g} is not above 0"
