"""Commands in processes of their own, forked from one that has imported what commands import.

The imports take several times as long as what a test asks of a command. That one process is begun by the first test
that wants it and serves all that follow; it runs no command itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "torch._dynamo",
        "sklearn.manifold",
        "acclimate.cli.main",
        "acclimate.training.adaptation",
        "acclimate.reports.page",
    ]
)


def nothing() -> None:
    """Do nothing to a command."""


def begin(folder: Path, *words: str | Path, log: Path, prepare: Callable[[], None] = nothing) -> ForkServerProcess:
    """Begin a command, in a session of its own.

    Args:
        folder: where it is typed.
        words: what is typed after `acclimate`.
        log: the file for all that it says.
        prepare: what to do to it first; a function of a module.
    """
    process = _FORKS.Process(target=_type, args=(folder, [*map(str, words)], log, dict(os.environ), prepare))
    process.start()
    return process


def _type(
    folder: Path, words: list[str], log: Path, environment: dict[str, str], prepare: Callable[[], None]
) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with log.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    prepare()
    sys.argv = ["acclimate", *words]
    from acclimate.cli.main import main

    main()


def die_naming(file: str) -> None:
    """Let the system kill this process where a file that is written in full would be given its name."""
    rename = Path.replace

    def killed(self: Path, target: str | Path) -> Path:
        if str(target).endswith(file):
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    Path.replace = killed  # type: ignore[method-assign]
