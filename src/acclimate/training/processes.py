"""One process or many: Accelerate starts and connects them, this lets them act as one.

Networks are not wrapped in DistributedDataParallel. A method's updates train changing subsets of networks, so after
each backward pass exactly the gradients of the networks that the update names are averaged. See
docs/decisions/0003-gradients-by-name.md.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import nn

from acclimate.errors import AcclimateError, RequestError, WorkError

T = TypeVar("T")


class Processes:
    """This process's device and its place among the others.

    Every method that talks to the others must be called by all of them, in the same order.

    Args:
        device: `"auto"` leaves the choice to Accelerate; anything torch.device takes otherwise.

    Raises:
        RequestError: if there is no such device.
        WorkError: from any method, if another process has died.
    """

    def __init__(self, device: str) -> None:
        # Without `cpu`, Accelerate looks for accelerators only, and overlooks a launcher that started it without any.
        self._state = PartialState(cpu=not torch.accelerator.is_available())
        self.device = self._state.device if device == "auto" else _checked(device)

    @property
    def rank(self) -> int:
        """This process's number, from 0."""
        return int(self._state.process_index)

    @property
    def size(self) -> int:
        """How many processes there are."""
        return int(self._state.num_processes)

    @property
    def is_main(self) -> bool:
        """True in the one process that writes files."""
        return self.rank == 0

    @torch.no_grad()
    def average_gradients(self, parameters: Iterable[nn.Parameter], share: float) -> None:
        """Replace each gradient by its mean over all processes, in one message.

        Args:
            parameters: whose gradients; the same ones in every process.
            share: this process's share of the global batch, its weight in the mean.
        """
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients]).mul_(share)
        with _lost_connections_told():
            dist.all_reduce(flat, group=_group(flat.device))
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def average(self, values: Mapping[str, float], share: float) -> dict[str, float]:
        """The mean of numbers over all processes, each weighted by its share of the global batch."""
        if self.size == 1:
            return dict(values)
        flat = torch.tensor(list(values.values()), dtype=torch.float64) * share
        with _lost_connections_told():
            dist.all_reduce(flat, group=_control())
        return dict(zip(values, flat.tolist(), strict=True))

    def any(self, *wishes: bool) -> list[bool]:
        """For each wish, whether any process has it."""
        if self.size == 1:
            return list(wishes)
        flags = torch.tensor(wishes, dtype=torch.uint8)
        with _lost_connections_told():
            dist.all_reduce(flags, op=dist.ReduceOp.MAX, group=_control())
        return [bool(flag) for flag in flags]

    def gather(self, value: T) -> list[T]:
        """Every process's value, in the order of their numbers."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        with _lost_connections_told():
            dist.all_gather_object(values, value, group=_control())
        return values

    def on_main(self, work: Callable[[], T]) -> T | None:
        """Let one process do something while the others wait; what goes wrong there is raised in all of them.

        Returns:
            What `work` returned, in the main process; None elsewhere.
        """
        if self.size == 1:
            return work()
        result, trouble = None, None
        if self.is_main:
            try:
                result = work()
            except AcclimateError as error:
                trouble = error
        trouble = self.gather(trouble)[0]
        if trouble is not None:
            raise trouble
        return result

    @torch.no_grad()
    def share_buffers(self, nets: Mapping[str, nn.Module]) -> None:
        """Give every process the main one's buffers, for example its batch-norm statistics."""
        if self.size == 1:
            return
        with _lost_connections_told():
            for net in nets.values():
                for buffer in net.buffers():
                    dist.broadcast(buffer, src=0, group=_group(buffer.device))


def _group(device: torch.device) -> dist.ProcessGroup | None:
    """The group that can send tensors of a device."""
    return None if device.type == "cuda" else _control()


@functools.cache
def _control() -> dist.ProcessGroup | None:
    """The group for messages about the work: through the CPU, so that a GPU's queue is never waited for."""
    return None if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")


@contextmanager
def _lost_connections_told() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what torch.distributed raises when a peer is gone
        reason = str(error).strip().partition("\n")[0]
        raise WorkError(
            f"another process of this run has died or cannot be reached ({reason}); its own output says why. All "
            "stop. The last checkpoint is kept: start as many processes again, with acclimate resume."
        ) from error


def _checked(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise RequestError(
            "device", "must be one that this machine has", f"{name!r} ({reason})", "Use 'auto' or 'cpu'."
        ) from None
    return device
