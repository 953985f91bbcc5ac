"""What a training takes of memory, told by two small steps, and the form of training that fits into what is free."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from acclimate.data.domain import Domain
from acclimate.data.free_memory import free_memory
from acclimate.errors import RequestError
from acclimate.networks.backbone_names import FROZEN
from acclimate.networks.mobilenet import weights_are_here
from acclimate.problems.fitting import make_trainer
from acclimate.training.hooks import Hooks
from acclimate.training.inference import examples_at_once, outputs
from acclimate.training.plan import Plan
from acclimate.training.randomness import seeded
from acclimate.training.trainer import Trainer
from acclimate.types import UNLABELLED

PROBES = 2, 4  # examples a side of the steps that are tried
# What a heap that keeps freed blocks grows to for a byte in use; see benchmarks/perf/step_memory.py.
_HEAP = 1.45
# Of what is free, what a training may plan with: other programs take some, too.
_SHARE = 0.8
# No network here keeps so many bytes for each number of an image: what fits all the same need not be tried.
_MOST_FOR_A_NUMBER = 16_000


@dataclass(frozen=True)
class Demand:
    """Bytes that are in use while networks train and answer.

    Attributes:
        small: after each operation of a step with `PROBES[0]` examples a side.
        large: likewise with `PROBES[1]`.
        weights: of what both leave out: the networks, and what optimizers kept before.
        standing: between two steps: gradients and what the optimizers keep.
        answering: beside what stands, while the networks answer `PROBES` examples.
        heap: what the process holds for each byte that is in use.
    """

    small: np.ndarray
    large: np.ndarray
    weights: int
    standing: int
    answering: tuple[float, float]
    heap: float

    def of(self, batch: int, at_once: int) -> int:
        """With so many examples a side and step, and so many that are answered at once."""
        used: float = max(self._of_step(batch), self.standing + _on_the_line(*self.answering, at_once))
        return round((self.weights + used) * self.heap)

    def _of_step(self, batch: int) -> float:
        """The highest point of a step, each point on a line over the examples that two steps tell."""
        if len(self.small) != len(self.large):  # the operations hang on the examples
            return self.standing + float(self.large.max() - self.standing) * batch / PROBES[1]
        return float(np.max(_on_the_line(self.small, self.large, batch)))


def fitting(plan: Plan, source: Domain, target: Domain) -> Plan:
    """The plan with it decided whether activations are kept or computed again, the same in every process.

    Args:
        plan: where that may be open; what a user named is not questioned.
        source: as for `fit`.
        target: likewise.

    Raises:
        RequestError: if training does not fit into memory either way.
    """
    if plan.options.activations != "auto":
        return plan
    processes, free = plan.processes, _free(plan)
    short = free is not None and _may_be_large(plan, free) and _need(plan, source, target) > _SHARE * free
    if not processes.any(short)[0]:
        return _with(plan, activations="keep")
    again = _with(plan, activations="recompute")
    need = _need(again, source, target)
    if processes.any(free is not None and need > free)[0]:
        raise _too_large(again, source, target, need, free or 0)
    note = (
        f"Memory is short, {gigabytes(free or 0)} free: what the network computes is not kept for the backward pass "
        "but computed again there. Each step takes a third more time, or up to three times "
        "as long where memory is dear, and gives the same weights."
    )
    return replace(again, notes=(*plan.notes, note))


def _with(plan: Plan, **options: Any) -> Plan:
    return replace(plan, options=plan.options.model_copy(update=options))


def _free(plan: Plan) -> int | None:
    """A process's share, where several train in one machine's memory."""
    processes = plan.processes
    free = free_memory(processes.device)
    return free if free is None or processes.device.type != "cpu" else free // processes.size


def _may_be_large(plan: Plan, free: int) -> bool:
    """Whether it is worth trying: the networks see images, and see so many numbers that the memory might not do."""
    preprocess, options = plan.preprocess.of("target"), plan.options
    seen = preprocess.kind == "images" and plan.network != FROZEN and plan.method.problem != "retrieval"
    if not seen or options.compile:
        return False
    numbers = options.batch_size * preprocess.channels * preprocess.size**2
    return bool(numbers * _MOST_FOR_A_NUMBER > _SHARE * free)


def _need(plan: Plan, source: Domain, target: Domain) -> int:
    return demand_of(plan, source, target).of(*examples_of(plan, source, target))


def examples_of(plan: Plan, source: Domain, target: Domain) -> tuple[int, int]:
    """Examples a side of a step in one process, and of a pass in which the networks answer."""
    options, n = plan.options, max(len(source), len(target))
    at_once = math.ceil(n / max(1, n // examples_at_once(options)))
    return math.ceil(options.batch_size / plan.processes.size), at_once


def demand_of(plan: Plan, source: Domain, target: Domain) -> Demand:
    """What a plan takes, by throwaway networks and steps on very few examples."""
    return joined(*(_traced(_with(plan, batch_size=n), few(source), few(target)) for n in PROBES))


def joined(small: Demand, large: Demand) -> Demand:
    """What two trainers take, with `PROBES` examples a side."""
    return replace(large, small=small.large)


def _traced(plan: Plan, source: Domain, target: Domain) -> Demand:
    trainer = make_trainer(plan, source, target, Hooks())
    with seeded(plan.options.seed, trainer.device):
        return traced(trainer)


def traced(trainer: Trainer) -> Demand:
    """What a step of a trainer takes when its optimizers have all that they keep, and what an answer does."""
    weights = [t for net in trainer.nets.values() for t in net.state_dict().values()]
    moments = [t for o in trainer.optimizers.values() for state in o.state.values() for t in state.values()]
    with _InUse(trainer.device) as in_use:
        trainer.train_step()
        in_use.line.clear()
        trainer.train_step()
        line, standing = np.array([*in_use.line, in_use.now], np.float64), in_use.now
        few_answers, more_answers = (_of_answers(trainer, n, in_use) - standing for n in PROBES)
    before = sum(t.nbytes for t in (*weights, *moments) if isinstance(t, Tensor))
    frugal = trainer.options.activations == "recompute" or trainer.device.type != "cpu"
    return Demand(line, line, before, standing, (few_answers, more_answers), heap=1.0 if frugal else _HEAP)


class _InUse(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Bytes of the tensors that were made inside and are still there, after each operation."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.line: list[int] = []
        self.now = 0
        self._device, self._known = device, set[int]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor) and tensor.device.type == self._device.type:
                self._note(tensor.untyped_storage())
        self.line.append(self.now)
        return made

    def _note(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        if key not in self._known:
            self._known.add(key)
            self.now += size
            weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def _of_answers(trainer: Trainer, n: int, in_use: _InUse) -> int:
    """Bytes in use, at most, while the networks answer so many examples."""
    in_use.line.clear()
    shown = trainer.target.take(np.arange(n) % len(trainer.target))
    outputs(trainer.method, trainer.nets, shown, trainer.preprocess.of("target"), trainer.device, at_once=n)
    return max(in_use.line)


def _on_the_line(small: Any, large: Any, n: int) -> Any:
    """What `PROBES` examples take, continued to n: part of it does not grow with them, such as weights in bf16."""
    low, high = PROBES
    return small + (large - small) * (n - low) / (high - low)


def few(domain: Domain) -> Domain:
    """Enough examples for such a step, with and without a label where there are both."""
    labelled = domain.labels != UNLABELLED
    return domain.take(np.concatenate([np.flatnonzero(part)[: PROBES[1]] for part in (labelled, ~labelled)]))


def _too_large(plan: Plan, source: Domain, target: Domain, need: int, free: int) -> RequestError:
    """With what would fit."""
    demand, (batch, at_once) = demand_of(plan, source, target), examples_of(plan, source, target)
    sizes = [2**k for k in range(1, batch.bit_length()) if 2**k < batch]
    fitting_ones = [n for n in sizes if demand.of(n, min(n, at_once)) <= _SHARE * free]
    side, moves = plan.preprocess.of("target").size, []
    if fitting_ones:
        moves.append(f"--batch-size {fitting_ones[-1] * plan.processes.size}")
    if plan.architecture.any_size and side > 64:
        moves.append(f"--image-size {side // 2}, which takes a quarter")
    if plan.network.startswith("mobilenetv2"):
        moves.append("--network frozen" + ("" if weights_are_here() else ", after `acclimate data import FOLDER`"))
    return RequestError(
        "batch_size",
        "must leave training enough memory",
        f"{plan.options.batch_size} images of {side}×{side} a side, which take {gigabytes(need)} of "
        f"{gigabytes(free)} free, with activations computed again",
        f"Try {' or '.join(moves) or 'a machine with more'}. --set activations=recompute tries it all the same.",
    )


def gigabytes(size: float) -> str:
    """For people: `3.2 GB`, `24 GB`, `0.07 GB`."""
    digits = 0 if size >= 1e10 else 1 if size >= 1e9 else 2
    return f"{size / 1e9:.{digits}f} GB"
