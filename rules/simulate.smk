# Stick spectra of one ion in one symmetry over the library's grid.
# In: the table of atomic parameters. Out: results/{library}/sticks/{symmetry}/{ion}.nc


rule simulate_sticks:
    input:
        modules=stage("simulate_sticks", "resources/atomic_parameters_l23.csv"),
    output:
        sticks="results/{library}/sticks/{symmetry}/{ion}.nc",
    log:
        "results/logs/simulate_sticks/{library}_{symmetry}_{ion}.log",
    params:
        ion="{ion}",
        symmetry="{symmetry}",
        axes=lambda w: simulation_axes(STUDY["libraries"][w.library]),
    message:
        "{wildcards.library}: simulating {wildcards.ion} in {wildcards.symmetry}"
    script:
        "../scripts/simulate_sticks.py"
