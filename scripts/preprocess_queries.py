"""Prepares recorded spectra for comparison with a library.

Input: recorded, library (preprocessed). Output: spectra (contract "spectra", on the library's grid
extended on both sides). Settings: background, continuum, normalisation, energy_reference (None or
id and ion), on_error (stop or skip).
"""

from whiteline import contracts
from whiteline.queries import prepare_queries


def preprocess_queries(
    *,
    recorded: str,
    library: str,
    spectra: str,
    background: dict,
    continuum: str,
    normalisation: str,
    energy_reference: dict | None,
    on_error: str,
) -> None:
    """Write the spectra without background, on the library's axis, normalised."""
    data = prepare_queries(
        contracts.read(recorded, "recorded"),
        contracts.read(library, "spectra"),
        background,
        continuum,
        normalisation,
        energy_reference,
        on_error,
    )
    contracts.write(data, spectra)


if __name__ == "__main__":
    from whiteline.stage import run

    run(preprocess_queries, snakemake)  # noqa: F821
