"""Prepares recorded spectra for comparison with a library.

Input: recorded, library (preprocessed). Output: spectra (contract "spectra", on the library's grid
extended on both sides), steps (contract "preparation", what the report shows of the first 50).
Settings: preparation (background, continuum, normalisation, and where wished post_edge, alignment,
smoothing, glitches), energy_reference (None or id and ion), on_error (stop or skip).
"""

from whiteline import contracts
from whiteline.queries import prepare_queries


def preprocess_queries(
    *,
    recorded: str,
    library: str,
    spectra: str,
    steps: str,
    preparation: dict,
    energy_reference: dict | None,
    on_error: str,
) -> None:
    """Write the spectra without background, on the library's axis, normalised."""
    data, shown = prepare_queries(
        contracts.read(recorded, "recorded"),
        contracts.read(library, "spectra"),
        preparation,
        energy_reference,
        on_error,
    )
    contracts.write(data, spectra)
    contracts.write(shown, steps)


if __name__ == "__main__":
    from whiteline.stage import run

    run(preprocess_queries, snakemake)  # noqa: F821
