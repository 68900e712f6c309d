# Public measured spectra, each source fetched once and checked by its SHA-256.
# In: the sources in resources/measured_spectra.csv, or files given as `local`.
# Out: results/measured/{file}

# A source is fetched whole: sets that share it share its files.
BY_SOURCE = {
    measured.group(queries["measured"])[0].source: measured.group(queries["measured"])
    for queries in STUDY["queries"].values()
    if "measured" in queries
}


for source, entries in BY_SOURCE.items():

    rule:
        name:
            f"fetch_{entries[0].group}"
        input:
            modules=stage("fetch_measured"),
        output:
            spectra=[measured_path(entry) for entry in entries],
        log:
            f"results/logs/fetch_measured/{entries[0].group}.log",
        params:
            source=source,
            sha256=entries[0].sha256,
            members=[entry.member for entry in entries],
            doi=entries[0].doi,
            local=STUDY["local"].get(entries[0].id),
        message:
            f"fetching {len(entries)} measured spectra ({entries[0].group})"
        script:
            "../scripts/fetch_measured.py"
