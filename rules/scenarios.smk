# Simulated test spectra with known truth, disturbed as a measurement would.
# In: the table of atomic parameters; the library, if it is of other programs' files. Out: results/{library}/queries/scenarios.nc


rule make_scenarios:
    input:
        modules=lambda w: sorted(
            {
                path
                for kind in scenario_engines(w.library)
                for path in stage_of_engine(
                    "make_scenarios",
                    kind,
                    "resources/atomic_parameters_l23.csv",
                    "resources/binding_energies_2p.csv",
                )
            }
        ),
        spectra=lambda w: (
            [f"results/{w.library}/library.nc"] if from_files(w.library) else []
        ),
    output:
        recorded="results/{library}/queries/scenarios.nc",
    log:
        "results/logs/make_scenarios/{library}.log",
    params:
        library=lambda w: {
            key: value
            for key, value in STUDY["libraries"][w.library].items()
            if key not in ("map", "references", "files")
        }
        | {"engine": engine(w.library)},
        name="{library}",
        scenarios=STUDY["scenarios"],
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: simulating the test spectra"
    script:
        "../scripts/make_scenarios.py"
