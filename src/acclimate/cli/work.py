"""Carrying out a training for a command: live progress, stop signals, a folder's name."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from acclimate.cli.console import err
from acclimate.errors import WorkError

if TYPE_CHECKING:
    from acclimate.running.adaptation import Callbacks
    from acclimate.runs.record import Run


def carry_out(work: Callable[[Callbacks], Run], again: str, quiet: bool) -> Run:
    """Train with live progress.

    Args:
        work: `adapt` or `resume`, waiting for its callbacks.
        again: the command that goes on after a stop.
        quiet: show no progress.

    Raises:
        typer.Exit: with code 130, after a stop signal; the state is saved.
    """
    from acclimate.cli.progress import LiveProgress
    from acclimate.running.adaptation import Callbacks
    from acclimate.training.allocator import keep_freed_memory
    from acclimate.training.trainer import Interrupted

    keep_freed_memory()
    try:
        with LiveProgress(quiet) as progress, stop_signals() as stopped:
            return work(Callbacks(progress, stopped, _notice, progress.warn))
    except Interrupted as stop:
        if is_main_process():
            said = f"Stopped after step {stop.step} of {stop.steps}; saved. Go on with: {again}"
            err.print(said, markup=False, soft_wrap=True)
        raise typer.Exit(130) from None


def _notice(sentence: str) -> None:
    err.print(f"Note: {sentence}", markup=False, soft_wrap=True)


def is_main_process() -> bool:
    """False in all but one of the processes that a launcher started; they leave the talking to that one."""
    return process_number() == 0


def process_number() -> int:
    """This process's number among those that a launcher started, from 0."""
    return int(os.environ.get("RANK", "0"))


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question that work asks between steps; a second one stops at once."""
    caught: list[int] = []

    def note(number: int, _frame: Any) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    previous = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(caught)
    except WorkError:
        # A launcher ends every process once one has died; what this one has to say about it comes first.
        if "WORLD_SIZE" in os.environ:
            previous[signal.SIGTERM] = signal.SIG_IGN
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def free_folder(name: str) -> Path:
    """`runs/<name>`, with a number behind it if that is taken."""
    folder, number = Path("runs") / name, 2
    while folder.exists():
        folder, number = Path("runs") / f"{name}-{number}", number + 1
    return folder
