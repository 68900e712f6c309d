# The same spectra by several engines, and how far they differ. Not part of a study: `snakemake crosscheck`.
# In: the table of atomic parameters.
# Out: results/crosscheck/{case}/{engine}/{ion}.nc; results/crosscheck/differences.csv, .png and .svg


rule simulate_crosscheck:
    input:
        modules=lambda w: stage_of_engine(
            "simulate_sticks", w.engine, "resources/atomic_parameters_l23.csv"
        ),
    output:
        sticks="results/crosscheck/{case}/{engine}/{ion}.nc",
    log:
        "results/logs/simulate_crosscheck/{case}_{engine}_{ion}.log",
    params:
        engine="{engine}",
        settings=lambda w: crosscheck_settings(
            STUDY["crosscheck"]["cases"][w.case], w.engine
        ),
        ion="{ion}",
        symmetry=lambda w: STUDY["crosscheck"]["cases"][w.case]["symmetry"],
        axes=lambda w: STUDY["crosscheck"]["cases"][w.case]["points"],
        samples=1,
        seed=STUDY["seed"],
        batch=1,
        of=1,
        polarised=False,
    message:
        "cross-check: {wildcards.ion}, {wildcards.case}, by {wildcards.engine}"
    script:
        "../scripts/simulate_sticks.py"


rule compare_engines:
    input:
        modules=stage("compare_engines"),
        sticks=[
            f"results/crosscheck/{case}/{engine}/{ion}.nc"
            for case, engine in crosscheck_pairs()
            for ion in STUDY["crosscheck"]["cases"][case]["ions"]
        ],
    output:
        table="results/crosscheck/differences.csv",
        figure="results/crosscheck/differences.png",
        drawing="results/crosscheck/differences.svg",
    log:
        "results/logs/compare_engines.log",
    message:
        "cross-check: comparing the engines"
    script:
        "../scripts/compare_engines.py"


rule crosscheck:
    input:
        rules.compare_engines.output,
    message:
        "the cross-check is in results/crosscheck/differences.csv and .png"
