"""Calls the readers of RosettaSciIO quietly, and turns whatever they raise into one sentence."""

from __future__ import annotations

import importlib
import logging
import warnings
from pathlib import Path
from typing import Any

from whiteline.errors import InputError


def load(module: str, path: Path, format: str, **options: Any) -> list[dict[str, Any]]:
    """The signals of a file, as the reader ``rsciio.{module}`` gives them.

    Raises
    ------
    InputError
        If the file is not of that format. The readers check nothing: any exception may come out
        of a damaged file.
    """
    file_reader = importlib.import_module(f"rsciio.{module}").file_reader
    # The library reports oddities (dates, signal types) that don't matter here.
    log = logging.getLogger("rsciio")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return file_reader(str(path), **options)
    except (Exception, SystemExit) as error:
        reason = " ".join([f"{type(error).__name__}:", *str(error).splitlines()[:1]])
        raise InputError(f"{path}: is not a readable {format} file ({reason})") from None
    finally:
        log.setLevel(level)
