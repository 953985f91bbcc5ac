"""What the classes of both sides must have in common, as far as the target's hidden labels tell before training."""

from __future__ import annotations

import numpy as np

from acclimate.data.task import TARGET_ROLES, Task
from acclimate.errors import RequestError
from acclimate.types import UNLABELLED


def check_shared(task: Task, known: int, method: str) -> None:
    """Let pass a target that has, as far as labels tell, some class of the source.

    Args:
        task: with the target's hidden labels, if there are any.
        known: how many classes the source has examples of; they come first.
        method: its name.

    Raises:
        RequestError: if labels are there and none is one of those.
    """
    hidden = [getattr(task.hidden, role, None) for role in TARGET_ROLES]
    labels = np.concatenate([y[y != UNLABELLED] for y in hidden if y is not None] or [np.zeros(0, np.int64)])
    if not len(labels) or (labels < known).any():
        return
    theirs = ", ".join(repr(task.classes[y]) for y in np.unique(labels)[:5])
    ours = ", ".join(repr(name) for name in task.source.classes[: min(known, 5)])
    raise RequestError(
        "target",
        f"must share a class with the source for the method {method!r}",
        f"labels {theirs} beside the source's {ours}",
        "Name the classes of both sides alike; leave the target's labels out if they mean something else.",
    )
