"""Efficient test-time adaptation (Niu et al., ICML 2022)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F
from torch.optim import SGD

from acclimate.methods.online import Model, Online, Said
from acclimate.networks.batch_norm import affine_alone, batch_statistics
from acclimate.objectives.entropy import answer_entropy

_KEPT = 0.9


@dataclass
class Learning:
    """The optimizer of scales and shifts, and the running mean `(k,)` of the answers that were learnt from."""

    optimizer: SGD
    mean: Tensor | None = None


class ETA(Online[Learning]):
    """TENT that learns only from answers that are certain and unlike those before, the more certain the more.

        S = {i : H(p_i) < E₀,  |cos(p_i, m)| < ε}
        min over γ, β:   (1/|S|) Σ_{i ∈ S} e^(E₀ − H(p_i)) H(p_i),      E₀ = margin · ln k

    m is a running mean of the answers in S (9 parts of it, 1 of the batch's). One step of SGD with momentum a batch;
    none where S is empty.

    This is the paper's ETA: EATA without its second term, which keeps weights near those that matter for the source
    by a Fisher matrix of source examples, and these are not there.

    Source: Niu, Wu, Zhang, Chen, Zheng, Zhao & Tan, "Efficient Test-Time Model Adaptation without Forgetting", ICML
    2022, equations 2 to 6; its settings for CIFAR-10.
    """

    name: ClassVar[str] = "eta"
    also: ClassVar[tuple[str, ...]] = ("EATA",)
    title: ClassVar[str] = "ETA (EATA without source statistics)"
    paper: ClassVar[str] = "Niu et al., ICML 2022"
    least: ClassVar[int] = 2

    lr: float = Field(5e-3, gt=0, description="Learning rate of SGD.")
    margin: float = Field(0.4, gt=0, le=1, description="E₀ as a share of ln k, the largest entropy learnt from.")
    likeness: float = Field(
        0.4, gt=0, le=1, description="ε, the largest cosine with the running mean; the paper has 0.05 for ImageNet."
    )

    def begin(self, model: Model) -> Learning:
        """The optimizer of scales and shifts; no answer was seen yet."""
        return Learning(SGD(affine_alone(model.nets), lr=self.lr, momentum=0.9))

    @torch.enable_grad()
    def step(self, model: Model, state: Learning, x: Tensor) -> Said:
        """Answer, then take one step on the answers that are worth it."""
        with batch_statistics(model.nets):
            said = model(x)
            entropy = answer_entropy(said.logits)
            chosen = self._chosen(said.logits.detach().softmax(dim=1), entropy.detach(), state)
            if chosen.any():
                certain = entropy[chosen]
                weights = (self._largest(said.logits) - certain.detach()).exp()
                torch.autograd.backward((weights * certain).mean())
        if chosen.any():
            state.optimizer.step()
            state.optimizer.zero_grad()
        return said.still()

    def _largest(self, logits: Tensor) -> float:
        return self.margin * math.log(logits.shape[1])

    def _chosen(self, answers: Tensor, entropy: Tensor, state: Learning) -> Tensor:
        """Which answers `(b,)` are learnt from; their mean moves the running one."""
        chosen = entropy < self._largest(answers)
        if state.mean is not None:
            chosen &= F.cosine_similarity(state.mean[None], answers, dim=1).abs() < self.likeness
        if chosen.any():
            mean = answers[chosen].mean(dim=0)
            state.mean = mean if state.mean is None else _KEPT * state.mean + (1 - _KEPT) * mean
        return chosen
