# Distances of a collection to the library by one measure.
# In: preprocessed spectra, shifts.
# Out: results/{library}/{preprocessing}/{measure}/{recorded}_distances.nc


rule compute_distances:
    input:
        modules=lambda w: stage_of_measure("compute_distances", w.measure),
        queries="results/{library}/{preprocessing}/{recorded}.nc",
        library="results/{library}/{preprocessing}/library.nc",
        shifts="results/{library}/{preprocessing}/{recorded}_shifts.nc",
    output:
        distances="results/{library}/{preprocessing}/{measure}/{recorded}_distances.nc",
    log:
        "results/logs/compute_distances/{library}_{preprocessing}_{measure}_{recorded}.log",
    benchmark:
        "results/{library}/{preprocessing}/{measure}/{recorded}_benchmark.tsv"
    group:
        chain_of_measure
    params:
        kind=lambda w: STUDY["measures"][w.measure]["kind"],
        parameters=lambda w: parameters("measures", w.measure),
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: {wildcards.measure} distances of {wildcards.recorded}"
    script:
        "../scripts/compute_distances.py"
