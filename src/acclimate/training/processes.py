"""One process or many: Accelerate starts and connects them, this averages gradients over them.

Networks are not wrapped in DistributedDataParallel. A method's updates train changing subsets of networks, so after
each backward pass exactly the gradients of the networks that the update names are averaged. See
docs/decisions/0003-gradients-by-name.md.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from accelerate import PartialState
from torch import nn

from acclimate.errors import RequestError


class Processes:
    """This process's device and its place among the others.

    Args:
        device: `"auto"` leaves the choice to Accelerate; anything torch.device takes otherwise.

    Raises:
        RequestError: if there is no such device.
    """

    def __init__(self, device: str) -> None:
        self._state = PartialState(cpu=device == "cpu" and not torch.cuda.is_available())
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

    def wait(self) -> None:
        """Wait until every process is here."""
        self._state.wait_for_everyone()

    @torch.no_grad()
    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over all processes, in one message."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        torch.distributed.all_reduce(flat)
        flat /= self.size
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()


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
