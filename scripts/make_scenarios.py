"""Simulates the test spectra of all scenarios of a library and disturbs them.

Input: spectra, a library of other programs' files, which tells the parameters; none if it is
simulated. Output: recorded (contract "recorded"). Settings: library and scenarios (their
configurations), seed.
"""

from collections.abc import Sequence

from whiteline import contracts
from whiteline.evaluation.from_files import References
from whiteline.evaluation.scenarios import recorded_scenarios


def make_scenarios(
    *,
    recorded: str,
    library: dict,
    name: str,
    scenarios: dict,
    seed: int,
    spectra: Sequence[str] = (),
) -> None:
    """Write the spectra as an instrument would have recorded them, with their true parameters."""
    references = References.read(spectra, library)
    columns = recorded_scenarios(library, name, scenarios, seed, references)
    data = contracts.dataset("recorded", columns, parameters=contracts.dumps(scenarios), seed=seed)
    contracts.write(data, recorded)


if __name__ == "__main__":
    from whiteline.stage import run

    run(make_scenarios, snakemake)  # noqa: F821
