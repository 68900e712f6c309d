# Fractions of valences in the query sets that ask for them, and whether one valence would do.
# In: preprocessed spectra; those of the scenarios and simulated mixtures for the calibration.
# Out: results/{library}/{preprocessing}/mixtures/{collection}.nc

# Simulated mixtures: 50 tell the intervals of a group of lengths well, at half a second each.
SIMULATED_MIXTURES = 150


rule make_mixtures:
    input:
        modules=modules_of_test_spectra("make_mixtures"),
        spectra=spectra_of_files,
    output:
        recorded=f"results/{{library}}/queries/{MIXTURES}.nc",
        truth=f"results/{{library}}/queries/{MIXTURES}.csv",
    log:
        "results/logs/make_mixtures/{library}.log",
    params:
        library=library_of_test_spectra,
        name="{library}",
        scenario=STUDY["scenarios"].get(STUDY.get("calibration")),
        size=SIMULATED_MIXTURES,
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: simulating mixtures"
    script:
        "../scripts/make_mixtures.py"


rule fit_mixtures:
    input:
        modules=stage("fit_mixtures", "resources/atomic_parameters_l23.csv"),
        queries="results/{library}/{preprocessing}/{collection}.nc",
        library="results/{library}/{preprocessing}/library.nc",
        calibration_queries=(
            ["results/{library}/{preprocessing}/scenarios.nc"]
            if "calibration" in STUDY
            else []
        ),
        calibration_mixtures=(
            [f"results/{{library}}/{{preprocessing}}/{MIXTURES}.nc"]
            if "calibration" in STUDY
            else []
        ),
        calibration_truth=(
            [f"results/{{library}}/queries/{MIXTURES}.csv"]
            if "calibration" in STUDY
            else []
        ),
    output:
        mixtures="results/{library}/{preprocessing}/mixtures/{collection}.nc",
    log:
        "results/logs/fit_mixtures/{library}_{preprocessing}_{collection}.log",
    params:
        calibration=STUDY.get("calibration"),
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: mixtures of valences in {wildcards.collection}"
    script:
        "../scripts/fit_mixtures.py"
