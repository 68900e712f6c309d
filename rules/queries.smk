# Sets of measured spectra, read from their files.
# In: the files. Out: results/{library}/queries/{recorded}.nc


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
            i0_column=queries.get("i0_column"),
            valences=valences,
            energy_uncertainty=queries.get("energy_uncertainty"),
            resolution=queries.get("resolution"),
            element=parse_ion(STUDY["libraries"][queries["library"]]["ions"][0]).element,
            on_error=queries["on_error"],
        message:
            f"{queries['library']}: reading {len(ids)} files of {name}"
        script:
            "../scripts/import_queries.py"
