"""The command ``whiteline``. The module name is the registry: one module per sub-command.

A module offers ``SUMMARY``, one line for the help; ``add_arguments(parser)``; and
``run(arguments)``, which raises `InputError` for what is wrong with them, and returns an exit code
or None for 0. Modules import at their top only what the help needs, so that it comes at once.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from whiteline import __version__, registry
from whiteline.errors import InputError

FAULT = 2  # exit code for a fault of the user's


class Parser(argparse.ArgumentParser):
    """A parser whose faults are `InputError`, so that all faults leave the same way."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong, without the usage that argparse prints before it."""
        raise InputError(f"{self.prog}: {message}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; returns its exit code, or 2 after one sentence to stderr on a fault.

    Parameters
    ----------
    arguments
        Those of the command line if left out.
    """
    given = sys.argv[1:] if arguments is None else arguments
    code = None
    try:
        chosen = parser().parse_args(_joined(given))
        code = chosen.run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as head, has had enough. Else Python complains when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except InputError as error:
        print(error, file=sys.stderr)
        return FAULT
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return FAULT
    return code or 0


def parser() -> Parser:
    """The parser of all sub-commands."""
    top = Parser(
        prog="whiteline",
        description="Valence and crystal field of 3d ions from their L2,3 spectra.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"whiteline {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in registry.kinds("cli"):
        module = registry.load("cli", name, "SUMMARY", "add_arguments", "run")
        command = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.__doc__,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=module.run)
        module.add_arguments(command)
    return top


def _joined(arguments: Sequence[str]) -> list[str]:
    """Options joined with values that begin with a minus, which argparse takes for options."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1].startswith("--") and re.match(r"-[\d.]", argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined
