# Valence and 10Dq of a collection from its distances, with calibrated intervals.
# In: preprocessed spectra, shifts, distances; those of the scenarios for the calibration.
# Out: results/{library}/{preprocessing}/{measure}/estimates/{estimator}/{recorded}.nc


rule estimate_parameters:
    input:
        modules=lambda w: stage_of_kind(
            "estimate_parameters", "estimators", w.estimator
        ),
        queries="results/{library}/{preprocessing}/{recorded}.nc",
        library="results/{library}/{preprocessing}/library.nc",
        shifts="results/{library}/{preprocessing}/{recorded}_shifts.nc",
        distances="results/{library}/{preprocessing}/{measure}/{recorded}_distances.nc",
        calibration_queries=(
            ["results/{library}/{preprocessing}/scenarios.nc"]
            if "calibration" in STUDY
            else []
        ),
        calibration_shifts=(
            ["results/{library}/{preprocessing}/scenarios_shifts.nc"]
            if "calibration" in STUDY
            else []
        ),
        calibration_distances=(
            ["results/{library}/{preprocessing}/{measure}/scenarios_distances.nc"]
            if "calibration" in STUDY
            else []
        ),
    output:
        estimates="results/{library}/{preprocessing}/{measure}/estimates/{estimator}/{recorded}.nc",
    log:
        "results/logs/estimate_parameters/{library}_{preprocessing}_{measure}_{estimator}_{recorded}.log",
    params:
        kind=lambda w: STUDY["estimators"][w.estimator]["kind"],
        parameters=lambda w: parameters("estimators", w.estimator),
        calibration=STUDY.get("calibration"),
    message:
        "{wildcards.library}: {wildcards.estimator} estimates of {wildcards.recorded} from {wildcards.measure}"
    script:
        "../scripts/estimate_parameters.py"
