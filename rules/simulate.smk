# Stick spectra of one ion in one symmetry, in batches that are jobs of their own.
# In: the table of atomic parameters.
# Out: results/{library}/sticks/{symmetry}/{ion}/{batch}_of_{of}.nc


rule simulate_sticks:
    input:
        modules=lambda w: stage_of_engine(
            "simulate_sticks",
            STUDY["libraries"][w.library]["engine"],
            "resources/atomic_parameters_l23.csv",
        ),
    output:
        # Kept while the job runs, so that points which are there already are not simulated again.
        sticks=update("results/{library}/sticks/{symmetry}/{ion}/{batch}_of_{of}.nc"),
    log:
        "results/logs/simulate_sticks/{library}_{symmetry}_{ion}_{batch}_of_{of}.log",
    params:
        engine=lambda w: STUDY["libraries"][w.library]["engine"],
        settings=lambda w: engines.settings(STUDY["libraries"][w.library]),
        ion="{ion}",
        symmetry="{symmetry}",
        axes=lambda w: simulation_axes(STUDY["libraries"][w.library]),
        samples=lambda w: STUDY["libraries"][w.library]["samples"],
        seed=STUDY["seed"],
        batch=lambda w: int(w.batch),
        of=lambda w: int(w.of),
        polarised=lambda w: STUDY["libraries"][w.library]["polarisation"]
        != ["isotropic"],
    message:
        "{wildcards.library}: simulating {wildcards.ion} in {wildcards.symmetry}, batch {wildcards.batch} of {wildcards.of}"
    script:
        "../scripts/simulate_sticks.py"
