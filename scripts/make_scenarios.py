"""Simulates the test spectra of all scenarios of a library and disturbs them.

Output: recorded (contract "recorded"). Settings: library and scenarios (their configurations),
seed.
"""

from whiteline import contracts
from whiteline.evaluation.scenarios import recorded_scenarios


def make_scenarios(*, recorded: str, library: dict, name: str, scenarios: dict, seed: int) -> None:
    """Write the spectra as an instrument would have recorded them, with their true parameters."""
    columns = recorded_scenarios(library, name, scenarios, seed)
    data = contracts.dataset("recorded", columns, parameters=contracts.dumps(scenarios), seed=seed)
    contracts.write(data, recorded)


if __name__ == "__main__":
    from whiteline.stage import run

    run(make_scenarios, snakemake)  # noqa: F821
