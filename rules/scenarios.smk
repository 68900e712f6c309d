# Simulated test spectra with known truth, disturbed as a measurement would.
# In: the table of atomic parameters; the library, if it is of other programs' files. Out: results/{library}/queries/scenarios.nc


rule make_scenarios:
    input:
        modules=modules_of_test_spectra("make_scenarios"),
        spectra=spectra_of_files,
    output:
        recorded="results/{library}/queries/scenarios.nc",
    log:
        "results/logs/make_scenarios/{library}.log",
    params:
        library=library_of_test_spectra,
        name="{library}",
        scenarios=STUDY["scenarios"],
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: simulating the test spectra"
    script:
        "../scripts/make_scenarios.py"
