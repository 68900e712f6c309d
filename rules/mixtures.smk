# Fractions of valences in the query sets that ask for them, and whether one valence would do.
# In: preprocessed spectra; those of the scenarios for the calibration.
# Out: results/{library}/{preprocessing}/mixtures/{collection}.nc


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
