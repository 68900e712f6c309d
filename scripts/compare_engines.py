"""Compares the spectra that several engines simulated at the same points.

Output: table (CSV, one row per case, ion and pair of engines) and figure (PNG, and SVG as
``drawing``) of the largest differences.
Settings: none.
"""

from pathlib import Path

from whiteline import contracts, plotting
from whiteline.evaluation.crosscheck import differences


def compare_engines(*, sticks: list[str], table: str, figure: str, drawing: str) -> None:
    """Write the table and the figure. A stick file's folders are its case and its engine."""
    found = differences(
        (Path(path).parents[1].name, contracts.read(path, "sticks")) for path in sticks
    )
    print(found.to_string(index=False))
    plotting.write(plotting.crosscheck_figure(found), Path(figure).parent, Path(figure).stem)
    found.to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    from whiteline.stage import run

    run(compare_engines, snakemake)  # noqa: F821
