"""`Window`: what the updates logged since the last row."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Window:
    """Numbers by name, kept as they come: reading tensors at every step would make the device wait.

    Args:
        values: what was logged before, as `floats` gave it.
    """

    def __init__(self, values: Mapping[str, list[float]] | None = None) -> None:
        self._values: dict[str, list[Tensor | float]] = {name: [*found] for name, found in (values or {}).items()}

    def add(self, logs: Mapping[str, Tensor | float]) -> None:
        """Note what one update logged."""
        for name, value in logs.items():
            self._values.setdefault(name, []).append(value)

    def means(self) -> dict[str, float]:
        """The mean of each, in single precision."""
        tensors = {n: [torch.as_tensor(v, dtype=torch.float32) for v in found] for n, found in self._values.items()}
        return {name: float(torch.stack(found).mean()) for name, found in tensors.items()}

    def floats(self) -> dict[str, list[float]]:
        """All that was logged."""
        return {name: [float(value) for value in found] for name, found in self._values.items()}
