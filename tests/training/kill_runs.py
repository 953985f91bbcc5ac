"""Runs a training again and again, killing it with SIGKILL, until it is done. A program of its own, as it forks.

    python kill_runs.py FOLDER REQUEST.json random SEED       at random moments
    python kill_runs.py FOLDER REQUEST.json every N           before every Nth touch of the disk, in turn

Prints how often it killed, as JSON.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from acclimate.running.adaptation import adapt, resume
from acclimate.runs.record import Run
from acclimate.runs.request import Request

TOUCHES = ("fsync", "replace", "unlink", "mkdir", "truncate")
# What a run imports when it first needs it: two thirds of its time, were every forked process to do so anew.
LATER = ("torch._dynamo", "sklearn.metrics", "acclimate.problems.adaptation", "acclimate.networks.two_passes")


def work(folder: Path, request: Request) -> None:
    """What a user does: resume what there is, else begin."""
    if (folder / "config.json").is_file():
        resume(folder)
    else:
        adapt(request, folder)


def die_before_touch(number: int) -> None:
    """Let the process kill itself before it touches the disk for the `number`th time from now."""
    count = itertools.count(1)

    def deadly(call: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*args: object, **kwargs: object) -> object:
            if next(count) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return wrapped

    for name in TOUCHES:
        setattr(os, name, deadly(getattr(os, name)))


def attempt(folder: Path, request: Request, prepare: Callable[[], None], seconds: float | None) -> int:
    """Work in a forked process, killed after `seconds`; its wait status."""
    child = os.fork()
    if child == 0:
        prepare()
        work(folder, request)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def plans(mode: str, number: int) -> Iterator[tuple[Callable[[], None], float | None]]:
    """How to end each attempt."""
    if mode == "random":
        rng = random.Random(number)
        for k in itertools.count():  # ever longer, so that every machine is killed often and comes to an end
            yield lambda: None, rng.uniform(0.02, 0.1 * 1.15**k)
    for k in itertools.count(1):
        yield lambda k=k: die_before_touch(1 + (k * number) % 53), None  # type: ignore[misc]


def main(folder: Path, request: Request, mode: str, number: int) -> None:
    torch.set_num_threads(1)
    for name in LATER:
        importlib.import_module(name)
    kills = inside = 0
    for prepare, seconds in plans(mode, number):
        status = attempt(folder, request, prepare, seconds)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        kills += 1
        inside += any(folder.rglob("*.part"))
        if (folder / "summary.json").is_file():  # killed after all was done
            break
    assert Run(folder).summary is not None
    print(json.dumps({"kills": kills, "inside_a_write": inside}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Request(**json.loads(Path(sys.argv[2]).read_text())), sys.argv[3], int(sys.argv[4]))
