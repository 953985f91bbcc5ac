"""Modules whose buffers have the shape of what was computed, which is known only then."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn


class Adopted(nn.Module):
    """A module that takes its buffers as they come, from a solution or from a checkpoint."""

    def adopt(self, **values: np.ndarray) -> None:
        """Set buffers by name, whatever their shape; number format and device stay."""
        for name, value in values.items():
            setattr(self, name, torch.from_numpy(np.ascontiguousarray(value)).to(getattr(self, name)))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name, buffer in list(self.named_buffers(recurse=False)):
            if (found := state_dict.get(f"{prefix}{name}")) is not None:
                setattr(self, name, buffer.new_empty(found.shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)
