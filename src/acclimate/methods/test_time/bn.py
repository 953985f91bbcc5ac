"""Batch-norm statistics of each batch beside the model's own (Schneider et al., NeurIPS 2020)."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from acclimate.methods.online import Model, Online, Said
from acclimate.networks.batch_norm import mixed_statistics


class BN(Online[None]):
    """The model's batch-norm averages mixed with each batch's own; no weight moves.

        μ = N / (N + n) · μ_s + n / (N + n) · μ_t,      σ² likewise

    μ_s, σ²_s are the model's averages, μ_t, σ²_t those of the n examples of the batch, and N says how many examples
    the model's are worth: 0 takes the batch alone, as AdaBN does with a whole target. A batch of one is answered
    mostly by the model's averages.

    Source: Schneider, Rusak, Eck, Bringmann, Brendel & Bethge, "Improving robustness against common corruptions by
    covariate shift adaptation", NeurIPS 2020, equation 3.
    """

    name: ClassVar[str] = "bn"
    title: ClassVar[str] = "BN adaptation"
    paper: ClassVar[str] = "Schneider et al., NeurIPS 2020"

    prior: float = Field(16.0, ge=0, description="N, how many examples the model's averages count as.")

    def begin(self, model: Model) -> None:
        """Nothing is carried on."""

    @torch.no_grad()
    def step(self, model: Model, state: None, x: Tensor) -> Said:
        """Answer by mixed statistics."""
        with mixed_statistics(model.nets, len(x) / (self.prior + len(x))):
            return model(x)
