"""Tries in a process of its own what may never end or crash in a damaged file.

The HDF5 library, which is C, can loop for ever over a few wrong bytes, and no exception ends that.
"""

from __future__ import annotations

import os
import resource
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from whiteline.errors import InputError

# The longest that looking through a file may take, s, and what it may add to the memory, bytes.
PATIENCE = 60.0
MEMORY = 2**33


def attempt(path: Path, function: Callable[[], Any]) -> None:
    """Call a function in a copy of this process, and forget what it returns or raises.

    Raises
    ------
    InputError
        If it does not end in time, or ends the process.
    """
    with warnings.catch_warnings():
        # The copy only reads a file: locks that other threads hold don't matter to it.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _call(function)
    status = _wait(child)
    if status is None:
        raise InputError(f"{path}: is damaged: reading it does not end within {PATIENCE:g} s")
    if status:
        raise InputError(f"{path}: is damaged: it crashes the library that reads it")


def _call(function: Callable[[], Any]) -> None:
    """The copy's part. It ends without the clean-up that is the original's."""
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        # Not on this system: then only time is limited.
        pass
    try:
        function()
    except BaseException:
        # The original meets the same and reports it.
        os._exit(0)
    os._exit(0)


def _wait(child: int) -> int | None:
    """Exit status of a process, ``None`` if it had to be ended."""
    deadline, pause = time.monotonic() + PATIENCE, 0.001
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(pause)
        pause = min(1.5 * pause, 0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None
