# Spectra ready for comparison: no background, on the library's energy axis, normalised.
# In: library.nc, references.nc, queries/{recorded}.nc. Out: results/{library}/{preprocessing}/{library,map,...}.nc,
# {recorded}_steps.nc (what was subtracted, for the report)


rule preprocess_library:
    input:
        modules=stage("preprocess_library"),
        library="results/{library}/library.nc",
        references=lambda w: (
            ["results/{library}/references.nc"]
            if STUDY["libraries"][w.library]["references"]
            else []
        ),
    output:
        prepared="results/{library}/{preprocessing}/library.nc",
    log:
        "results/logs/preprocess_library/{library}_{preprocessing}.log",
    params:
        background=lambda w: STUDY["preprocessings"][w.preprocessing]["background"],
        normalisation=lambda w: STUDY["preprocessings"][w.preprocessing][
            "normalisation"
        ],
        reference_settings=lambda w: reference_settings(w.library, w.preprocessing),
    message:
        "{wildcards.library}: preparing the library"
    script:
        "../scripts/preprocess_library.py"


rule select_map:
    input:
        modules=stage("select_map"),
        library="results/{library}/{preprocessing}/library.nc",
    output:
        spectra="results/{library}/{preprocessing}/map.nc",
    log:
        "results/logs/select_map/{library}_{preprocessing}.log",
    params:
        sample=lambda w: STUDY["libraries"][w.library]["map"].get("sample"),
        slater_reduction=lambda w: STUDY["libraries"][w.library]["map"].get(
            "slater_reduction"
        ),
        broadening=lambda w: [
            STUDY["libraries"][w.library]["broadening"][position]
            for position in STUDY["libraries"][w.library]["map"]["broadening"]
        ],
        energy_uncertainty=lambda w: STUDY["libraries"][w.library]["map"][
            "energy_uncertainty"
        ],
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: taking the spectra for the maps"
    script:
        "../scripts/select_map.py"


rule preprocess_queries:
    input:
        modules=stage("preprocess_queries"),
        recorded="results/{library}/queries/{recorded}.nc",
        library="results/{library}/{preprocessing}/library.nc",
    output:
        spectra="results/{library}/{preprocessing}/{recorded}.nc",
        steps="results/{library}/{preprocessing}/{recorded}_steps.nc",
    log:
        "results/logs/preprocess_queries/{library}_{preprocessing}_{recorded}.log",
    params:
        preparation=lambda w: preparation(
            w.preprocessing, STUDY["queries"].get(w.recorded, {})
        ),
        energy_reference=lambda w: STUDY["queries"]
        .get(w.recorded, {})
        .get("energy_reference"),
        on_error=lambda w: STUDY["queries"].get(w.recorded, {}).get("on_error", "stop"),
    message:
        "{wildcards.library}: preparing the spectra of {wildcards.recorded}"
    script:
        "../scripts/preprocess_queries.py"
