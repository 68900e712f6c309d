# Broadened spectra of all ions and symmetries of a library, on one energy grid.
# In: sticks. Out: results/{library}/library.nc


rule build_library:
    input:
        modules=stage("build_library", "resources/binding_energies_2p.csv"),
        sticks=lambda w: stick_files(w.library),
    output:
        library="results/{library}/library.nc",
    log:
        "results/logs/build_library/{library}.log",
    params:
        broadening=lambda w: STUDY["libraries"][w.library]["broadening"],
        energy=lambda w: STUDY["libraries"][w.library]["energy"],
        chemical_shift=lambda w: STUDY["libraries"][w.library]["chemical_shift"],
        polarisation=lambda w: STUDY["libraries"][w.library]["polarisation"],
    message:
        "{wildcards.library}: broadening the library"
    script:
        "../scripts/build_library.py"
