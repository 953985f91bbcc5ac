"""Options that commands share: stated once, by the command that they come from."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any

Command = Callable[..., None]


def with_options_of(other: Command, without: Collection[str]) -> Callable[[Command], Command]:
    """Give a command the options of another, which reach it as the mapping `flags`: the values by name.

    Args:
        other: whose options, with their help and their defaults.
        without: those that the command has itself, or has no use for, by their names as arguments.
    """
    taken = [p for p in inspect.signature(other, eval_str=True).parameters.values() if p.name not in without]

    def decorate(command: Command) -> Command:
        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "flags"]

        @functools.wraps(command)
        def typed(**given: Any) -> None:
            flags = {p.name: given.pop(p.name) for p in taken}
            command(flags=flags, **given)

        required_first = sorted([*taken, *own], key=lambda p: p.default is not inspect.Parameter.empty)
        typed.__signature__ = inspect.Signature(required_first)  # type: ignore[attr-defined]
        return typed

    return decorate
