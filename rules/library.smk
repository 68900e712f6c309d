# Broadened spectra of all ions and symmetries of a library, on one energy grid, and its references.
# In: sticks, or what was read from other programs' files; files of the references.
# Out: results/{library}/{library,references}.nc


rule build_library:
    input:
        modules=stage("build_library", "resources/binding_energies_2p.csv"),
        sticks=lambda w: stick_files(w.library),
        outputs=lambda w: (
            [f"results/{w.library}/outputs.nc"] if from_files(w.library) else []
        ),
    output:
        library="results/{library}/library.nc",
    log:
        "results/logs/build_library/{library}.log",
    params:
        broadening=lambda w: STUDY["libraries"][w.library]["broadening"],
        energy=lambda w: STUDY["libraries"][w.library]["energy"],
        chemical_shift=lambda w: STUDY["libraries"][w.library]["chemical_shift"],
        polarisation=lambda w: STUDY["libraries"][w.library]["polarisation"],
        files=lambda w: {
            key: STUDY["libraries"][w.library]["files"][key]
            for key in ("energy_zero", "on_error")
            if from_files(w.library)
        },
    message:
        "{wildcards.library}: broadening the library"
    script:
        "../scripts/build_library.py"


rule import_references:
    input:
        modules=stage("import_references", "resources/atomic_parameters_l23.csv"),
        spectra=lambda w: reference_values(w.library, "file"),
    output:
        recorded="results/{library}/references.nc",
    log:
        "results/logs/import_references/{library}.log",
    params:
        ids=lambda w: sorted(STUDY["libraries"][w.library]["references"]),
        energy_columns=lambda w: reference_values(w.library, "energy_column"),
        intensity_columns=lambda w: reference_values(w.library, "intensity_column"),
        ions=lambda w: reference_values(w.library, "ion"),
        known=lambda w: known_of_references(w.library),
    message:
        "{wildcards.library}: reading the references"
    script:
        "../scripts/import_references.py"
