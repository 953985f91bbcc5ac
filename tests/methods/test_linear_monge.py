"""Linear Monge map: what was stretched and moved as a whole is put back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from acclimate import discovery
from acclimate.data.synthetic import other_proportions
from acclimate.data.task import Task
from shifts import gain
from worlds import quick_fit


def stretched() -> Task:
    """Two overlapping classes, of which the target is half as large and somewhere else."""
    task = other_proportions([0.5, 0.5], [0.5, 0.5], n=400)
    sides = {
        name: replace(side, inputs=(0.5 * side.array + [3, 0, 0, 0, 0]).astype(np.float32))
        for name, side in (("target", task.target), ("target_test", task.target_test))
        if side is not None
    }
    return replace(task, **sides)


def test_solves_a_target_that_is_smaller_and_elsewhere() -> None:
    assert gain("linear-monge", stretched()) > 0.1


def test_source_inputs_are_seen_where_the_map_puts_them() -> None:
    task = stretched()
    method = discovery.methods()["linear-monge"].load()()
    fitted = quick_fit(method, task, normalisation="none")
    x = torch.from_numpy(task.source.array)
    moved = torch.from_numpy((0.5 * task.source.array + [3, 0, 0, 0, 0]).astype(np.float32))
    own, other = method.logits(fitted.nets, x, "source"), method.logits(fitted.nets, moved, "target")
    assert (own.argmax(dim=1) == other.argmax(dim=1)).float().mean() > 0.97
