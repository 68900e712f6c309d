# Scores of the scenarios' estimates against the truth.
# In: estimates of the scenarios.
# Out: results/{library}/{preprocessing}/scores.csv and errors.csv; results/scores.csv

PAIRS = [
    (measure, estimator)
    for measure in STUDY["measures"]
    for estimator in STUDY["estimators"]
]


rule score_estimates:
    input:
        modules=stage("score_estimates"),
        queries="results/{library}/{preprocessing}/scenarios.nc",
        library="results/{library}/{preprocessing}/library.nc",
        estimates=[
            f"results/{{library}}/{{preprocessing}}/{measure}/estimates/{estimator}/scenarios.nc"
            for measure, estimator in PAIRS
        ],
    output:
        scores="results/{library}/{preprocessing}/scores.csv",
        errors_table="results/{library}/{preprocessing}/errors.csv",
    log:
        "results/logs/score_estimates/{library}_{preprocessing}.log",
    params:
        names=PAIRS,
        labels=lambda w: {"library": w.library, "preprocessing": w.preprocessing},
        calibration=STUDY.get("calibration"),
        tiers={name: scenario["tier"] for name, scenario in STUDY["scenarios"].items()},
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: scoring the estimates"
    script:
        "../scripts/score_estimates.py"


rule collect_scores:
    input:
        modules=stage("collect_scores"),
        parts=[
            f"results/{library}/{way}/scores.csv"
            for library, way in branches()
            if STUDY["scenarios"]
        ],
    output:
        scores="results/scores.csv",
    log:
        "results/logs/collect_scores.log",
    message:
        "collecting the scores"
    script:
        "../scripts/collect_scores.py"
