# What all stages need: the checked configuration, the names in it, and what a stage depends on.
import math
import os
from dataclasses import asdict

from snakemake.exceptions import WorkflowError

from whiteline import (
    configuration,
    engines,
    measured,
    measures,
    neighbors,
    registry,
    sampling,
)
from whiteline.atomic import parse_ion
from whiteline.errors import InputError
from whiteline.grids import grid
from whiteline.outputs.entries import listing
from whiteline.outputs.quanty import beside
from whiteline.simulation import AXES
from whiteline.sources import sources

# One core per job: BLAS threads of several jobs on the same cores slow each other down 7 times.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

CONFIGFILE = (
    str(workflow.configfiles[-1]) if workflow.configfiles else "the configuration"
)
try:
    STUDY = configuration.load(config, os.path.relpath(CONFIGFILE))
except InputError as error:
    raise WorkflowError(str(error)) from None

SCENARIOS = "scenarios"
MIXTURES = "mixtures"


wildcard_constraints:
    library="|".join(STUDY["libraries"]),
    batch=r"\d+",
    block=r"\d+",
    case="|".join(STUDY["crosscheck"]["cases"]),
    engine="|".join(engines.kinds()),
    of=r"\d+",
    preprocessing="|".join(STUDY["preprocessings"]),
    measure="|".join(STUDY["measures"]),
    embedding="|".join(STUDY["embeddings"]) or "none",
    collection="|".join(["map", *STUDY["queries"]]),
    recorded="|".join([SCENARIOS, MIXTURES, *STUDY["queries"]]),


def stage(script, *tables):
    """The files whose change reruns a stage: its script, the modules it imports, and tables it reads."""
    path = Path(workflow.basedir) / "scripts" / f"{script}.py"
    return relative({path, *sources(path), *map(Path, tables)})


def stage_of_measure(script, name):
    """The same with the modules of a measure and of its members, which are imported by name."""
    paths = measures.module_paths(**STUDY["measures"][name])
    return with_kind(script, paths)


def stage_of_kind(script, section, *names):
    """The same with the modules of embeddings or estimators."""
    paths = [registry.files(section, STUDY[section][name]["kind"]) for name in names]
    return with_kind(script, [path for files in paths for path in files])


def with_kind(script, paths):
    """The same with the files of kinds; one that is no module is the metadata of a package."""
    modules = [path for path in paths if path.suffix == ".py"]
    files = {*paths, *(file for path in modules for file in sources(path))}
    return sorted({*stage(script), *relative(files)})


def relative(files):
    """Paths relative to the working directory, so that they are the same on every machine."""
    return sorted(os.path.relpath(file) for file in files)


def chain_of_measure(wildcards):
    """On a cluster, where each submitted job costs seconds, the chain of a measure is one job.

    Elsewhere a group would only hide its jobs in what a dry run prints.
    """
    return None if workflow.local_exec else "measure"


def query_sets(library):
    """The sets of measured spectra that are compared with a library."""
    return [
        name
        for name, queries in STUDY["queries"].items()
        if queries["library"] == library
    ]


def recorded(library):
    """All collections of spectra that are compared with a library."""
    return [*([SCENARIOS] if STUDY["scenarios"] else []), *query_sets(library)]


def branches():
    """Every library in every preprocessing."""
    return [
        (library, way)
        for library in STUDY["libraries"]
        for way in STUDY["preprocessings"]
    ]


def parameters(section, name):
    """The parameters of a measure, embedding or estimator, in an order that edits do not change."""
    return {
        key: value
        for key, value in sorted(STUDY[section][name].items())
        if key != "kind"
    }


def stage_of_engine(script, engine, *tables):
    """The same with the module of an engine."""
    path = engines.source(engine)
    return sorted({*stage(script, *tables), *relative({path, *sources(path)})})


def from_files(name):
    """Whether a library is of spectra that other programs have calculated."""
    return STUDY["libraries"][name]["engine"] == "files"


def engine(name):
    """The engine that simulates for a library; test spectra of one of files are simulated too."""
    return "multiplet" if from_files(name) else STUDY["libraries"][name]["engine"]


def scenario_engines(name):
    """The engines that simulate the test spectra of a library."""
    scenarios = STUDY["scenarios"].values()
    return {engine(name), *(s["engine"] for s in scenarios if "engine" in s)}


def stick_files(name):
    """The stick files of a library, in the order of its spectra."""
    library = STUDY["libraries"][name]
    if from_files(name):
        return []
    points = sampling.count(simulation_axes(library), library["samples"])
    of = sampling.batches(points)
    return [
        f"results/{name}/sticks/{symmetry}/{ion}/{batch}_of_{of}.nc"
        for symmetry in library["symmetry"]
        for ion in library["ions"]
        for batch in range(1, of + 1)
    ]


def simulation_axes(library):
    """The part of a library's configuration on which its stick spectra depend."""
    return {axis: library[axis] for axis in AXES if axis in library}


def crosscheck_pairs():
    """Case and engine of the cross-check, where at least two engines know the case."""
    chosen = STUDY["crosscheck"].get("engines", engines.installed())
    pairs = []
    for name, case in STUDY["crosscheck"]["cases"].items():
        known = [
            e for e in chosen if engines.knows(e, case["symmetry"], case["points"])
        ]
        pairs += [(name, engine) for engine in known if len(known) > 1]
    return pairs


def crosscheck_settings(case, engine):
    """Settings of an engine; one that has configurations takes only the first without a ligand shell."""
    if "delta" not in engines.facts(engine).parameters:
        return {}
    return {
        "configurations": case["configurations"] if "delta" in case["points"] else 1
    }


def measured_path(entry):
    return f"results/measured/{entry.filename}"


def chosen_entries(queries):
    """The spectra of a query set that come from the table."""
    group = measured.group(queries["measured"])
    return [entry for entry in group if entry.id in queries.get("ids", [entry.id])]


def query_table(name):
    """One row per spectrum of a set: identifier, path, columns, valence where the formula tells it."""
    queries = STUDY["queries"][name]
    if "measured" in queries:
        return [
            (
                entry.id,
                measured_path(entry),
                entry.energy_column,
                entry.intensity_column,
                entry.valence,
            )
            for entry in chosen_entries(queries)
        ]
    columns = (queries.get("energy_column"), queries.get("intensity_column"), None)
    paths = configuration.expand(queries["files"])
    return [(Path(path).stem, path, *columns) for path in paths]


def references(library):
    """The measured references of a library in an order that edits do not change."""
    return [
        item for _, item in sorted(STUDY["libraries"][library]["references"].items())
    ]


def reference_values(library, key):
    """A setting of each reference, None where it is left out."""
    return [reference.get(key) for reference in references(library)]


def known_of_references(library):
    """Symmetry and parameters of each reference, as far as they are known."""
    return [
        {name: reference[name] for name in ("symmetry", *AXES) if name in reference}
        for reference in references(library)
    ]


def preparation(preprocessing, own):
    """How records are prepared: as a preprocessing says, but for what they have of their own."""
    common = STUDY["preprocessings"][preprocessing]
    names = (
        "background",
        "continuum",
        "post_edge",
        "normalisation",
        "alignment",
        "smoothing",
        "glitches",
    )
    return {
        name: own.get(name, common.get(name))
        for name in names
        if name in own or name in common
    }


def reference_settings(library, preprocessing):
    """How each reference is prepared."""
    return [
        preparation(preprocessing, reference)
        | {"energy_shift": reference.get("energy_shift")}
        for reference in references(library)
    ]


def most_in_map(name):
    """The spectra that a library's map can have at most, as far as the configuration tells."""
    library = STUDY["libraries"][name]
    shown = library["map"]
    axes = simulation_axes(library)
    widths = len(library["broadening"])
    if "sample" not in shown:
        sliced = (
            "slater_reduction",
            "slater_reduction_pd",
            "zeta_3d_scale",
            "temperature",
        )
        axes = {
            k: v for k, v in axes.items() if k not in sliced or sampling.is_range(v)
        }
        widths = len(shown["broadening"]) * len(
            grid(shown.get("slater_reduction", 0.8))
        )
    if from_files(name):
        points = len(listing(library["files"]).entries)
    else:
        kinds = [library[key] for key in ("ions", "symmetry", "polarisation")]
        points = sampling.count(axes, library["samples"]) * math.prod(map(len, kinds))
    return min(points * widths, shown.get("sample", points * widths))


def map_distances(library, preprocessing, measure):
    """The blocks of distances to a map."""
    of = neighbors.blocks(most_in_map(library))
    return [
        f"results/{library}/{preprocessing}/{measure}/map_distances/{block}_of_{of}.nc"
        for block in range(1, of + 1)
    ]


def embeddings(measures=STUDY["measures"]):
    """The maps of these measures."""
    return [
        f"results/{library}/{way}/{measure}/embeddings/{embedding}.nc"
        for library, way in branches()
        for measure in measures
        for embedding in STUDY["embeddings"]
    ]


def query_estimates():
    """The estimates of all measured spectra."""
    return [
        f"results/{library}/{way}/{measure}/estimates/{estimator}/{name}.nc"
        for library, way in branches()
        for measure in STUDY["measures"]
        for estimator in STUDY["estimators"]
        for name in query_sets(library)
    ]


def queries_of_map(wildcards):
    """The query sets that are placed into a map."""
    return [
        f"results/{wildcards.library}/{wildcards.preprocessing}/{name}.nc"
        for name in query_sets(wildcards.library)
    ]


def modules_of_test_spectra(script):
    """The files whose change simulates test spectra again, by the library."""

    def files(wildcards):
        tables = ["atomic_parameters_l23.csv", "binding_energies_2p.csv"]
        parts = [
            stage_of_engine(script, kind, *(f"resources/{table}" for table in tables))
            for kind in scenario_engines(wildcards.library)
        ]
        return sorted({path for part in parts for path in part})

    return files


def spectra_of_files(wildcards):
    """What tells the parameters of test spectra where the library is of files."""
    name = wildcards.library
    return [f"results/{name}/library.nc"] if from_files(name) else []


def library_of_test_spectra(wildcards):
    """The part of a library's configuration on which its test spectra depend."""
    library = STUDY["libraries"][wildcards.library]
    own = {k: v for k, v in library.items() if k not in ("map", "references", "files")}
    return own | {"engine": engine(wildcards.library)}


def of_each(collections, pattern):
    """A file of each collection; other wildcards stay open."""
    return expand(pattern, recorded=collections, allow_missing=True)
