"""Names that nothing answers to: close matches, or an overview that fits a screen."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest

from acclimate import discovery
from acclimate.data.tasks import find_task, task_specs
from acclimate.errors import UnknownNameError, unwritable


def test_close_matches_are_offered() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'amazon:books-dvd'"):
        find_task("amazon:boks-dvd")


def test_of_many_names_a_few_are_shown_and_the_command_that_lists_them() -> None:
    with pytest.raises(UnknownNameError) as refusal:
        find_task("xyzzy")
    said = str(refusal.value)
    assert f"There are {len(task_specs())}, such as demo, " in said
    assert said.endswith("all of them: acclimate tasks --json")
    assert sum(spec.name in said for spec in task_specs()) <= 12
    with pytest.raises(UnknownNameError, match="such as adabn, .*; all of them: acclimate methods$"):
        discovery.find("method", "xyzzy", discovery.methods())


def test_a_few_names_are_all_shown_and_so_are_those_that_no_command_lists() -> None:
    assert str(UnknownNameError("task", "x", ["b", "a"])).endswith("Known: a, b.")
    many = [f"option{i}" for i in range(30)]
    said = str(UnknownNameError("option", "x", many))
    assert all(name in said for name in many)


def test_it_survives_the_trip_between_processes() -> None:
    error = UnknownNameError("task", "x", [f"task-{i}" for i in range(30)])
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Free some space, or choose another disk."),
        (errno.EROFS, "It can be read only: mount it for writing, or choose another disk."),
        (errno.EACCES, "You may not write there: have its permissions changed, or choose another disk."),
        (errno.ENAMETOOLONG, "Choose a shorter name."),
        (errno.EIO, "Check the path and the disk, or choose another disk."),
    ],
)
def test_what_cannot_be_written_gets_the_advice_of_its_reason(number: int, advice: str) -> None:
    reason = os.strerror(number)
    # As Python has it, as Polars has it, and as other libraries in Rust do.
    for error in (
        OSError(number, reason),
        OSError(f"{reason} (os error {number})"),
        RuntimeError(f"{reason} (os error {number}): a.csv"),
    ):
        assert str(unwritable(Path("a.csv"), error)) == f"Cannot write a.csv: {reason}. {advice}"
