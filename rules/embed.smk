# Maps of a slice of the library with the measured spectra in it.
# In: map and query spectra, their distances.
# Out: results/{library}/{preprocessing}/{measure}/embeddings/{embedding}.nc


rule embed_spectra:
    input:
        modules=lambda w: stage_of_kind("embed_spectra", "embeddings", w.embedding),
        map_spectra="results/{library}/{preprocessing}/map.nc",
        map_distances="results/{library}/{preprocessing}/{measure}/map_distances.nc",
        queries=lambda w: [
            f"results/{w.library}/{w.preprocessing}/{name}.nc"
            for name in query_sets(w.library)
        ],
        query_distances=lambda w: [
            f"results/{w.library}/{w.preprocessing}/{w.measure}/{name}_distances.nc"
            for name in query_sets(w.library)
        ],
    output:
        embedding="results/{library}/{preprocessing}/{measure}/embeddings/{embedding}.nc",
    log:
        "results/logs/embed_spectra/{library}_{preprocessing}_{measure}_{embedding}.log",
    params:
        kind=lambda w: STUDY["embeddings"][w.embedding]["kind"],
        parameters=lambda w: parameters("embeddings", w.embedding),
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: {wildcards.embedding} map of {wildcards.measure} distances"
    script:
        "../scripts/embed_spectra.py"
