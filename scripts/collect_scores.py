"""Joins the scores of all libraries and preprocessings.

Input: parts (CSV). Output: scores (CSV).
"""

import pandas as pd


def collect_scores(*, parts: list[str], scores: str) -> None:
    """Write one table."""
    tables = [pd.read_csv(path) for path in parts] or [pd.DataFrame(columns=["library"])]
    pd.concat(tables).to_csv(scores, index=False)


if __name__ == "__main__":
    from whiteline.stage import run

    run(collect_scores, snakemake)  # noqa: F821
