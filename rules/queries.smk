# Sets of measured spectra, read from their files.
# In: the files. Out: results/{library}/queries/{recorded}.nc


def query_table(name):
    """One row per spectrum of a set: identifier, path, columns, valence where the formula tells it."""
    queries = STUDY["queries"][name]
    if "measured" in queries:
        return [
            (
                entry.id,
                measured_path(entry),
                entry.energy_column,
                entry.intensity_column,
                entry.valence,
            )
            for entry in chosen_entries(queries)
        ]
    columns = (queries.get("energy_column"), queries.get("intensity_column"), None)
    return [(Path(path).stem, path, *columns) for path in queries["files"]]


for name, queries in STUDY["queries"].items():
    ids, paths, energy_columns, intensity_columns, valences = map(
        list, zip(*query_table(name))
    )

    rule:
        name:
            f"import_{name}"
        input:
            modules=stage("import_queries"),
            spectra=paths,
        output:
            recorded=f"results/{queries['library']}/queries/{name}.nc",
        log:
            f"results/logs/import_queries/{name}.log",
        params:
            ids=ids,
            energy_columns=energy_columns,
            intensity_columns=intensity_columns,
            valences=valences,
            energy_uncertainty=queries.get("energy_uncertainty"),
        message:
            f"{queries['library']}: reading {len(ids)} spectra of {name}"
        script:
            "../scripts/import_queries.py"
