"""Runs a stage's function as a Snakemake job."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from whiteline.errors import InputError


def run(function: Callable[..., None], job: Any) -> None:
    """Call ``function`` with the named inputs, outputs and parameters of a Snakemake job.

    The input ``modules``, which only causes reruns, is left out. What the function prints goes to
    the job's log, and an `InputError` ends the job with its one sentence.
    """
    if "xarray" in sys.modules:
        _xarray_without("dask.array", "pint")
    arguments = {**_named(job.input), **_named(job.output), **_named(job.params)}
    arguments.pop("modules")
    log = Path(job.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as stream,
        redirect_stdout(stream),
        redirect_stderr(stream),
    ):
        try:
            function(**arguments)
        except InputError as error:
            print(error, file=stream)
            failed = True
        else:
            failed = False
    if failed:
        sys.exit(1)


def jobs_import_from(folder: str) -> None:
    """Let every process started from here on look for packages in ``folder`` first.

    Snakemake puts the folder of a job's script last, so that an installed copy would win.
    """
    others = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, others]))


def _xarray_without(*modules: str) -> None:
    """Let xarray take these modules for absent, if nothing has imported them yet.

    xarray imports both to ask whether an array is of theirs. They are installed for readers of
    EELS files, and a job with arrays of numpy alone would wait half a second for them. xarray asks
    once and remembers, so the readers find them as ever.
    """
    import xarray as xr

    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    xr.Dataset(coords={"asks": [0.0]})
    for name in hidden:
        del sys.modules[name]


def _named(items: Any) -> dict[str, Any]:
    return dict(items.items())
