"""Commands and programs in processes of their own, forked from one that has imported what they import.

The imports take several times as long as what a test asks of them. That one process is begun by the first test
that wants it and serves all that follow; it runs none of them itself.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
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
        "acclimate.running.adaptation",
        "acclimate.reports.page",
    ]
)


def nothing() -> None:
    """Do nothing to a command."""


def errors(log: Path) -> Path:
    """The file for what a process with that log says on its standard error."""
    return log.with_suffix(".errors")


def begin(folder: Path, *words: str | Path, log: Path, prepare: Callable[[], None] = nothing) -> ForkServerProcess:
    """Begin a command, in a session of its own.

    Args:
        folder: where it is typed.
        words: what is typed after `acclimate`.
        log: the file for its standard output; `errors(log)` is that for its errors.
        prepare: what to do to it first; a function of a module.
    """
    return _begun(_command, folder, ["acclimate", *map(str, words)], log, prepare)


def begin_program(path: Path, folder: Path, log: Path) -> ForkServerProcess:
    """Begin `python PATH` in the folder, computing in one thread; the rest as for `begin`."""
    return _begun(_program, folder, [str(path)], log, one_thread)


def _begun(
    work: Callable[[], None], folder: Path, words: list[str], log: Path, prepare: Callable[[], None]
) -> ForkServerProcess:
    process = _FORKS.Process(target=_do, args=(work, folder, words, log, dict(os.environ), prepare))
    process.start()
    return process


def _do(
    work: Callable[[], None],
    folder: Path,
    words: list[str],
    log: Path,
    environment: dict[str, str],
    prepare: Callable[[], None],
) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream, path in ((1, log), (2, errors(log))):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream)
    sys.argv = words
    prepare()
    work()


def _command() -> None:
    from acclimate.cli.main import main

    main()


def _program() -> None:
    runpy.run_path(sys.argv[0], run_name="__main__")


def one_thread() -> None:
    """Compute in one thread, however many the process of the tests has."""
    import torch

    torch.set_num_threads(1)


def die_naming(file: str) -> None:
    """Let the system kill this process where a file that is written in full would be given its name."""
    rename = Path.replace

    def killed(self: Path, target: str | Path) -> Path:
        if str(target).endswith(file):
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    Path.replace = killed  # type: ignore[method-assign]
