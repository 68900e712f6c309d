# Maps of a slice or sample of the library with the measured spectra in it, and how good they are.
# In: map and query spectra.
# Out: results/{library}/{preprocessing}/{measure}/map_distances/{block}_of_{of}.nc,
#      results/{library}/{preprocessing}/{measure}/embeddings/{embedding}.nc,
#      results/{library}/{preprocessing}/map_quality.csv; results/map_quality.csv

MAPS = [
    (measure, embedding)
    for measure in STUDY["measures"]
    for embedding in STUDY["embeddings"]
]


rule compute_map_distances:
    input:
        modules=lambda w: stage_of_measure("compute_map_distances", w.measure),
        map_spectra="results/{library}/{preprocessing}/map.nc",
        queries=lambda w: queries_of_map(w) if w.block == w.of else [],
        library="results/{library}/{preprocessing}/library.nc",
    output:
        distances="results/{library}/{preprocessing}/{measure}/map_distances/{block}_of_{of}.nc",
    log:
        "results/logs/compute_map_distances/{library}_{preprocessing}_{measure}_{block}_of_{of}.log",
    params:
        kind=lambda w: STUDY["measures"][w.measure]["kind"],
        parameters=lambda w: parameters("measures", w.measure),
        neighbors=lambda w: STUDY["libraries"][w.library]["map"]["neighbors"],
        landmarks=lambda w: STUDY["libraries"][w.library]["map"]["landmarks"],
        block=lambda w: int(w.block),
        of=lambda w: int(w.of),
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: {wildcards.measure} distances to the map, block {wildcards.block} of {wildcards.of}"
    script:
        "../scripts/compute_map_distances.py"


rule embed_spectra:
    input:
        modules=lambda w: stage_of_kind("embed_spectra", "embeddings", w.embedding),
        map_spectra="results/{library}/{preprocessing}/map.nc",
        queries=queries_of_map,
        distances=lambda w: map_distances(w.library, w.preprocessing, w.measure),
    output:
        embedding="results/{library}/{preprocessing}/{measure}/embeddings/{embedding}.nc",
    log:
        "results/logs/embed_spectra/{library}_{preprocessing}_{measure}_{embedding}.log",
    group:
        chain_of_measure
    params:
        kind=lambda w: STUDY["embeddings"][w.embedding]["kind"],
        parameters=lambda w: parameters("embeddings", w.embedding),
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: {wildcards.embedding} map of {wildcards.measure} distances"
    script:
        "../scripts/embed_spectra.py"


rule score_maps:
    input:
        modules=stage("score_maps"),
        embeddings=[
            f"results/{{library}}/{{preprocessing}}/{measure}/embeddings/{embedding}.nc"
            for measure, embedding in MAPS
        ],
        distances=lambda w: [
            path
            for measure, _ in MAPS
            for path in map_distances(w.library, w.preprocessing, measure)
        ],
    output:
        quality="results/{library}/{preprocessing}/map_quality.csv",
    log:
        "results/logs/score_maps/{library}_{preprocessing}.log",
    params:
        names=MAPS,
        labels=lambda w: {"library": w.library, "preprocessing": w.preprocessing},
        seed=STUDY["seed"],
    message:
        "{wildcards.library}: scoring the maps"
    script:
        "../scripts/score_maps.py"


rule collect_map_quality:
    input:
        modules=stage("collect_scores"),
        parts=[
            f"results/{library}/{way}/map_quality.csv"
            for library, way in branches()
            if MAPS
        ],
    output:
        scores="results/map_quality.csv",
    log:
        "results/logs/collect_map_quality.log",
    message:
        "collecting the scores of the maps"
    script:
        "../scripts/collect_scores.py"
