"""Test entropy minimisation (Wang et al., ICLR 2021)."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.optim import Adam

from acclimate.methods.online import Model, Online, Said
from acclimate.networks.batch_norm import affine_alone, batch_statistics
from acclimate.objectives.entropy import answer_entropy


class TENT(Online[Adam]):
    """Each batch is normalised by itself, and the scales and shifts of batch norm learn to be certain of it.

        min over γ, β:   (1/n) Σ_i H(p_i)

    One step of Adam a batch, after its answers are given. Nothing else moves, and dropout stays off.

    Source: Wang, Shelhamer, Liu, Olshausen & Darrell, "Tent: Fully Test-Time Adaptation by Entropy Minimization",
    ICLR 2021; its settings for CIFAR.
    """

    name: ClassVar[str] = "tent"
    title: ClassVar[str] = "TENT"
    paper: ClassVar[str] = "Wang et al., ICLR 2021"
    least: ClassVar[int] = 2

    lr: float = Field(1e-3, gt=0, description="Learning rate of Adam.")

    def begin(self, model: Model) -> Adam:
        """The optimizer of scales and shifts."""
        return Adam(affine_alone(model.nets), lr=self.lr)

    @torch.enable_grad()
    def step(self, model: Model, state: Adam, x: Tensor) -> Said:
        """Answer, then take one step."""
        with batch_statistics(model.nets):
            said = model(x)
            torch.autograd.backward(answer_entropy(said.logits).mean())
        state.step()
        state.zero_grad()
        return said.still()
