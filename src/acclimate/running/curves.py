"""What networks are run over at evaluation points, for curves."""

from __future__ import annotations

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.task import TARGET_ROLES, Task
from acclimate.running.parts import some_rows, thinned


def shown_for_curves(task: Task, most: int | None) -> tuple[dict[str, Domain], dict[str, np.ndarray]]:
    """What the networks are run over at evaluation points, and the labels or numbers to score that by; by role.

    Args:
        task: what is trained on and scored.
        most: examples of each held-out set, all by default.
    """
    held_out = {r: d for r, d in task.domains().items() if r not in ("source", "target")}
    shown = {r: thinned(d, most or len(d)) for r, d in held_out.items()}
    if task.has_source:
        shown["source"] = thinned(task.source)
    if task.target_test is None:
        shown["target"] = task.target
    labels = {r: d.answers for r, d in shown.items() if r.startswith("source")}
    for role in TARGET_ROLES if task.hidden else ():
        assert task.hidden is not None
        answers = task.hidden.answers(role)
        if answers is None:
            continue
        # The training target's are all there, even where it is not shown: pseudo-labels are of its examples.
        part = role in shown and len(shown[role]) < len(answers)
        labels[role] = answers[some_rows(len(answers), len(shown[role]))] if part else answers
    return shown, labels
