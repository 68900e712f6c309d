# The energy shift between each query and each library spectrum; the same for all measures.
# In: preprocessed spectra. Out: results/{library}/{preprocessing}/{recorded}_shifts.nc


rule align_queries:
    input:
        modules=stage("align_queries"),
        queries="results/{library}/{preprocessing}/{recorded}.nc",
        library="results/{library}/{preprocessing}/library.nc",
    output:
        shifts="results/{library}/{preprocessing}/{recorded}_shifts.nc",
    log:
        "results/logs/align_queries/{library}_{preprocessing}_{recorded}.log",
    message:
        "{wildcards.library}: aligning {wildcards.recorded}"
    script:
        "../scripts/align_queries.py"
