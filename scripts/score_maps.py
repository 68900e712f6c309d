"""Scores maps: neighbourhoods kept, order of 10Dq, valences apart.

Input: embeddings, distances (contract "neighbors", the blocks of one map after the other).
Output: quality (CSV, a row per map). Settings: names (measure and embedding of each), labels
(further columns), seed.
"""

import numpy as np
import pandas as pd

from whiteline import contracts
from whiteline.evaluation.map_quality import quality as scores_of
from whiteline.neighbors import joined, of_dataset


def score_maps(
    *,
    embeddings: list[str],
    distances: list[str],
    quality: str,
    names: list[tuple[str, str]],
    labels: dict[str, str],
    seed: int,
) -> None:
    """Write the scores of every map."""
    rows = []
    blocks = np.split(np.array(distances), len(names))
    for (measure, name), path, parts in zip(names, embeddings, blocks, strict=True):
        data = contracts.read(path, "embedding")
        shown = data["is_query"].values == 0
        kept = joined([of_dataset(contracts.read(part, "neighbors")) for part in parts])
        own = kept[: shown.sum()]
        columns = (data[key].values[shown] for key in ("coordinate", "valence", "ten_dq"))
        found = scores_of(own, *columns, seed)
        rows.append({**labels, "measure": measure, "embedding": name, **found})
    pd.DataFrame(rows).to_csv(quality, index=False, float_format="%.6g")


if __name__ == "__main__":
    from whiteline.stage import run

    run(score_maps, snakemake)  # noqa: F821
