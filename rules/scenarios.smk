# Simulated test spectra with known truth, disturbed as a measurement would.
# In: the table of atomic parameters; the library, if it is of other programs' files. Out: results/{library}/queries/scenarios.nc


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
