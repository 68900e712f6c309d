# Whiteline: valence and crystal field of 3d ions from L2,3 spectra.
#
#   snakemake --cores all                                     the default study, config/config.yaml
#   snakemake --cores all --configfile config/quick.yaml      a small one
#   snakemake --cores all crosscheck                          the engines against each other
#
# Stages, one file each in rules/:
#   simulate, outputs -> library -> preprocess -> align -> distances -> estimate -> score -> report
#   fetch, queries, scenarios ----^         \-> embed (distances within the map, maps) ----^
import sys
from pathlib import Path

# The package of this folder comes before one that is installed, here and in the jobs.
PACKAGES = str(Path(workflow.basedir) / "scripts")
sys.path.insert(0, PACKAGES)

from whiteline.stage import jobs_import_from

jobs_import_from(PACKAGES)


if not workflow.configfiles:

    configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/simulate.smk"
include: "rules/outputs.smk"
include: "rules/library.smk"
include: "rules/fetch.smk"
include: "rules/queries.smk"
include: "rules/scenarios.smk"
include: "rules/preprocess.smk"
include: "rules/align.smk"
include: "rules/distances.smk"
include: "rules/embed.smk"
include: "rules/estimate.smk"
include: "rules/mixtures.smk"
include: "rules/score.smk"
include: "rules/report.smk"
include: "rules/crosscheck.smk"


rule all:
    default_target: True
    input:
        "results/scores.csv",
        "results/map_quality.csv",
        "results/report.html",
        embeddings(),
        query_estimates(),
    message:
        "every target of the study is up to date"


onstart:
    # Jobs of a second never reach the limit of 100 a second, but because of it Snakemake looks at
    # all that wait once more per second for every job that has ended, which takes a core in the end.
    workflow.scheduler.job_rate_limiter = None


onsuccess:
    if Path("results/report.html").exists():
        print("The report is in results/report.html")


onerror:
    print("Not all is done: the reasons stand above, each under 'Logfile'.")
    print(
        "What was finished is kept; a report in results/ may be of an earlier run."
    )
