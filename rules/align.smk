# The energy shift between each query and each library spectrum; the same for all measures.
# In: preprocessed spectra. Out: results/{library}/{preprocessing}/{collection}_shifts.nc


rule align_queries:
    input:
        modules=stage("align_queries"),
        queries="results/{library}/{preprocessing}/{collection}.nc",
        library="results/{library}/{preprocessing}/library.nc",
    output:
        shifts="results/{library}/{preprocessing}/{collection}_shifts.nc",
    log:
        "results/logs/align_queries/{library}_{preprocessing}_{collection}.log",
    message:
        "{wildcards.library}: aligning {wildcards.collection}"
    script:
        "../scripts/align_queries.py"
