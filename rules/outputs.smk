# Spectra that other programs have calculated, read from their files.
# In: the files, and the table that tells of them. Out: results/{library}/outputs.nc

LISTINGS = {
    name: listing(library["files"])
    for name, library in STUDY["libraries"].items()
    if library["engine"] == "files"
}


rule parse_outputs:
    input:
        modules=lambda w: [
            *stage("parse_outputs", "resources/atomic_parameters_l23.csv"),
            *(
                str(f)
                for e in LISTINGS[w.library].entries
                for f in beside(Path(e.path))
            ),
        ],
        files=lambda w: [entry.path for entry in LISTINGS[w.library].entries],
    output:
        outputs="results/{library}/outputs.nc",
    log:
        "results/logs/parse_outputs/{library}.log",
    params:
        entries=lambda w: [asdict(entry) for entry in LISTINGS[w.library].entries],
        faults=lambda w: list(LISTINGS[w.library].faults),
        on_error=lambda w: STUDY["libraries"][w.library]["files"]["on_error"],
    message:
        "{wildcards.library}: reading calculated spectra"
    script:
        "../scripts/parse_outputs.py"
