# What all stages need: the checked configuration, the names in it, and what a stage depends on.
import os

from snakemake.exceptions import WorkflowError

from whiteline import configuration, registry
from whiteline.errors import InputError
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


wildcard_constraints:
    library="|".join(STUDY["libraries"]),
    preprocessing="|".join(STUDY["preprocessings"]),
    measure="|".join(STUDY["measures"]),
    embedding="|".join(STUDY["embeddings"]) or "none",
    estimator="|".join(STUDY["estimators"]),
    collection="|".join(["map", SCENARIOS, *STUDY["queries"]]),
    recorded="|".join([SCENARIOS, *STUDY["queries"]]),


def stage(script, *tables):
    """The files whose change reruns a stage: its script, the modules it imports, and tables it reads."""
    path = Path(workflow.basedir) / "scripts" / f"{script}.py"
    return relative({path, *sources(path), *map(Path, tables)})


def stage_of_kind(script, section, name):
    """The same with the module of a measure, embedding or estimator, which is imported by name."""
    path = registry.module_path(section, STUDY[section][name]["kind"])
    return sorted({*stage(script), *relative({path, *sources(path)})})


def relative(files):
    return sorted(os.path.relpath(file) for file in files)


def query_sets(library):
    return [
        name
        for name, queries in STUDY["queries"].items()
        if queries["library"] == library
    ]


def collections(library):
    """Everything that is compared with a library, besides the map's slice."""
    return query_sets(library) + ([SCENARIOS] if STUDY["scenarios"] else [])


def branches():
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
