"""Which files of the package a stage depends on, found by reading import statements.

Snakemake sees the modification of a script but not of the modules that it imports. The rules
therefore list these files as inputs, and an edit reruns exactly the stages that use the module.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


@cache
def sources(script: str | Path) -> tuple[Path, ...]:
    """Files of the package that a Python file imports, directly or through one another, sorted.

    Imports by a computed name (the registries of measures, embeddings and estimators) can't be
    seen here: the rules add the module of the kind themselves.
    """
    found: set[Path] = set()
    pending = [Path(script)]
    while pending:
        for path in _direct(pending.pop().resolve()):
            if path not in found:
                found.add(path)
                pending.append(path)
    return tuple(sorted(found))


def fingerprint(script: str | Path) -> str:
    """Checksum of a Python file and all files of the package that it imports."""
    digest = hashlib.sha256()
    for path in sorted({Path(script), *sources(script)}):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def _direct(path: Path) -> frozenset[Path]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    files: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                files |= _files(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            files |= _files(node.module)
            for alias in node.names:
                files |= _files(f"{node.module}.{alias.name}")
    return frozenset(files)


def _files(module: str) -> set[Path]:
    """The file of a module of this package and the ``__init__`` files on the way to it."""
    first, *parts = module.split(".")
    if first != PACKAGE.name:
        return set()
    base = PACKAGE.joinpath(*parts)
    # A name imported from a module is not a file of its own.
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    if not file.is_file():
        return set()
    packages = [PACKAGE.joinpath(*parts[:depth]) / "__init__.py" for depth in range(len(parts))]
    return {file, *packages}
