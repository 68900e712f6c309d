# Valence and 10Dq of all collections from their distances by every estimator, with calibrated
# intervals. One job for each measure of a library: start-up and calibration cost more than the
# estimates. Each library has a rule of its own, because its collections are its own.
# In: preprocessed spectra, shifts, distances; those of the scenarios for the calibration.
# Out: results/{library}/{preprocessing}/{measure}/estimates/{estimator}/{recorded}.nc

# Sorted, so that another order of them is no change.
ESTIMATORS = sorted(STUDY["estimators"])
CALIBRATED_BY = [SCENARIOS] if "calibration" in STUDY else []


for name in STUDY["libraries"]:

    rule:
        name:
            f"estimate_parameters_{name}"
        input:
            modules=stage_of_kind("estimate_parameters", "estimators", *ESTIMATORS),
            library=f"results/{name}/{{preprocessing}}/library.nc",
            queries=of_each(
                recorded(name), f"results/{name}/{{preprocessing}}/{{recorded}}.nc"
            ),
            shifts=of_each(
                recorded(name),
                f"results/{name}/{{preprocessing}}/{{recorded}}_shifts.nc",
            ),
            distances=of_each(
                recorded(name),
                f"results/{name}/{{preprocessing}}/{{measure}}/{{recorded}}_distances.nc",
            ),
            calibration_queries=of_each(
                CALIBRATED_BY, f"results/{name}/{{preprocessing}}/{{recorded}}.nc"
            ),
            calibration_shifts=of_each(
                CALIBRATED_BY,
                f"results/{name}/{{preprocessing}}/{{recorded}}_shifts.nc",
            ),
            calibration_distances=of_each(
                CALIBRATED_BY,
                f"results/{name}/{{preprocessing}}/{{measure}}/{{recorded}}_distances.nc",
            ),
        output:
            estimates=[
                f"results/{name}/{{preprocessing}}/{{measure}}/estimates/{estimator}/{collection}.nc"
                for estimator in ESTIMATORS
                for collection in recorded(name)
            ],
        log:
            f"results/logs/estimate_parameters/{name}_{{preprocessing}}_{{measure}}.log",
        group:
            chain_of_measure
        params:
            kinds=[
                {
                    "kind": STUDY["estimators"][estimator]["kind"],
                    "parameters": parameters("estimators", estimator),
                }
                for estimator in ESTIMATORS
            ],
            calibration=STUDY.get("calibration"),
        message:
            f"{name}: estimates from {{wildcards.measure}}"
        script:
            "../scripts/estimate_parameters.py"
