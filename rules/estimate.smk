# Valence and 10Dq of a collection from its distances by every estimator, with calibrated intervals.
# In: preprocessed spectra, shifts, distances; those of the scenarios for the calibration.
# Out: results/{library}/{preprocessing}/{measure}/estimates/{estimator}/{recorded}.nc

# Sorted, so that another order of them is no change.
ESTIMATORS = sorted(STUDY["estimators"])


rule estimate_parameters:
    input:
        modules=stage_of_kind("estimate_parameters", "estimators", *ESTIMATORS),
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
        estimates=[
            f"results/{{library}}/{{preprocessing}}/{{measure}}/estimates/{estimator}/{{recorded}}.nc"
            for estimator in ESTIMATORS
        ],
    log:
        "results/logs/estimate_parameters/{library}_{preprocessing}_{measure}_{recorded}.log",
    params:
        kinds=[
            {
                "kind": STUDY["estimators"][name]["kind"],
                "parameters": parameters("estimators", name),
            }
            for name in ESTIMATORS
        ],
        calibration=STUDY.get("calibration"),
    message:
        "{wildcards.library}: estimates of {wildcards.recorded} from {wildcards.measure}"
    script:
        "../scripts/estimate_parameters.py"
