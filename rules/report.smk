# The evaluation report and copies of its figures.
# In: scores, errors, maps, measured spectra with their estimates.
# Out: results/report.html, results/figures/

SHOWN = STUDY["report"]["measure"]
SHOWN_BY = STUDY["report"]["estimator"]
SHOWN_QUERIES = [
    (library, way, name) for library, way in branches() for name in query_sets(library)
]
SHOWN_MIXTURES = [
    label for label in SHOWN_QUERIES if STUDY["queries"][label[-1]]["mixture"]
]
SHOWN_MAPS = [
    (library, way, SHOWN, embedding)
    for library, way in branches()
    for embedding in STUDY["embeddings"]
]
TIMED = [
    (library, way, measure)
    for library, way in branches()
    for measure in STUDY["measures"]
]


rule make_report:
    input:
        modules=stage(
            "make_report",
            "resources/report.html.jinja",
            *sorted(Path("resources/captions").iterdir()),
        ),
        scores="results/scores.csv",
        map_quality="results/map_quality.csv",
        errors=[
            f"results/{library}/{way}/errors.csv"
            for library, way in branches()
            if STUDY["scenarios"]
        ],
        libraries=[f"results/{library}/{way}/library.nc" for library, way in branches()],
        embeddings=embeddings([SHOWN]),
        queries=[
            f"results/{library}/{way}/{name}.nc"
            for library, way, name in SHOWN_QUERIES
        ],
        shifts=[
            f"results/{library}/{way}/{name}_shifts.nc"
            for library, way, name in SHOWN_QUERIES
        ],
        estimates=[
            f"results/{library}/{way}/{SHOWN}/estimates/{SHOWN_BY}/{name}.nc"
            for library, way, name in SHOWN_QUERIES
        ],
        steps=[
            f"results/{library}/{way}/{name}_steps.nc"
            for library, way, name in SHOWN_QUERIES
        ],
        mixtures=[
            f"results/{library}/{way}/mixtures/{name}.nc"
            for library, way, name in SHOWN_MIXTURES
        ],
        benchmarks=[
            f"results/{library}/{way}/{measure}/scenarios_benchmark.tsv"
            for library, way, measure in TIMED
            if STUDY["scenarios"]
        ],
    output:
        report="results/report.html",
        figures=directory("results/figures"),
    log:
        "results/logs/make_report.log",
    params:
        study=STUDY,
        labels={
            "branches": branches(),
            "embeddings": SHOWN_MAPS,
            "queries": SHOWN_QUERIES,
            "mixtures": SHOWN_MIXTURES,
            "benchmarks": TIMED if STUDY["scenarios"] else [],
        },
    message:
        "writing the report"
    script:
        "../scripts/make_report.py"
