"""A part of a domain, always the same: enough for a curve, for a share, or for the scores of millions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.task import Task

_CURVE_EXAMPLES = 2_000
# Of a side that stays on disk: shares of so many are known to a third of a point.
_SCORED = 100_000


def thinned(domain: Domain, most: int = _CURVE_EXAMPLES) -> Domain:
    """At most so many examples, always the same ones."""
    return domain if len(domain) <= most else domain.take(some_rows(len(domain), most))


def some_rows(n: int, most: int) -> np.ndarray:
    """`most` of `n` rows, in order and always the same ones."""
    return np.sort(np.random.default_rng(0).permutation(n)[:most])


def scored(task: Task) -> Task:
    """A task with a part, in memory, of each target and held-out set that stays on disk: what a run folder tells of.

    All of the answers to a large table are written by `acclimate predict`.
    """
    large = {role: domain for role, domain in task.domains().items() if role != "source" and domain.is_on_disk}
    if not large:
        return task
    rows = {role: some_rows(len(domain), _SCORED) for role, domain in large.items()}
    hidden = {role: labels[rows[role]] for role in large if (labels := getattr(task.hidden, role, None)) is not None}
    assert task.hidden is not None
    shown = {role: _held(domain, rows[role]) for role, domain in large.items()}
    return replace(task, hidden=replace(task.hidden, **hidden), **shown)  # type: ignore[arg-type]  # by role


def scored_notes(task: Task) -> list[str]:
    """Which sides are scored by a part of them."""
    return [
        f"{role}: a run folder tells of {_SCORED:,} of its {len(domain):,} rows, always the same; "
        "`acclimate predict` answers all of them."
        for role, domain in task.domains().items()
        if role != "source" and domain.is_on_disk and len(domain) > _SCORED
    ]


def _held(domain: Domain, rows: np.ndarray) -> Domain:
    part = domain.take(rows)
    return replace(part, inputs=part.inputs[:], ids=tuple(map(str, rows.tolist())))
