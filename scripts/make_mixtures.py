"""Simulates mixtures of a library's valences and disturbs them as the calibration scenario does.

Input: spectra, a library of other programs' files, which tells the parameters; none if it is
simulated. Output: recorded (contract "recorded"), truth (CSV: the fraction of each valence in each
spectrum). Settings: library and scenario (their configurations), name (of the library), size,
seed.
"""

from collections.abc import Sequence

import pandas as pd

from whiteline import contracts
from whiteline.evaluation.from_files import References
from whiteline.evaluation.mixed import recorded_mixtures


def make_mixtures(
    *,
    recorded: str,
    truth: str,
    library: dict,
    name: str,
    scenario: dict,
    size: int,
    seed: int,
    spectra: Sequence[str] = (),
) -> None:
    """Write the spectra as an instrument would have recorded them, and their true fractions."""
    references = References.read(spectra, library)
    columns, fractions = recorded_mixtures(library, name, scenario, size, seed, references)
    data = contracts.dataset("recorded", columns, parameters=contracts.dumps(scenario), seed=seed)
    table = pd.DataFrame(fractions, index=pd.Index(columns["id"], name="id")).fillna(0.0)
    table[sorted(table)].to_csv(truth)
    contracts.write(data, recorded)


if __name__ == "__main__":
    from whiteline.stage import run

    run(make_mixtures, snakemake)  # noqa: F821
