"""Laplacian adjusted maximum-likelihood estimation (Boudiaf et al., CVPR 2022)."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from acclimate.methods.online import Model, Online, Said
from acclimate.objectives.laplacian import laplacian_assignments, neighbours

_FOR_EACH = 4  # examples of a batch for each neighbour, at least


class LAME(Online[None]):
    """No weight moves: the answers of a batch are drawn towards those of their neighbours in feature space.

        min over Z:   Σ_i KL(z_i ‖ p_i) − Σ_ij w_ij z_iᵀ z_j,      w_ij = 1 for the nearest neighbours j of i

    For every model with features, whatever its layers. It helps where a batch holds few classes, as the examples of a
    stream often do that follow each other in time, and harms where classes are mixed. Where most of a batch are
    neighbours they would outvote each example: one of fewer than four examples for each neighbour is answered as the
    model does. The paper has 64.

    Source: Boudiaf, Mueller, Ben Ayed & Bertinetto, "Parameter-free Online Test-time Adaptation", CVPR 2022.
    """

    name: ClassVar[str] = "lame"
    title: ClassVar[str] = "LAME"
    paper: ClassVar[str] = "Boudiaf et al., CVPR 2022"
    norms: ClassVar[bool] = False

    neighbours: int = Field(5, ge=1, description="Nearest neighbours of each example within its batch.")

    def begin(self, model: Model) -> None:
        """Nothing is carried on."""

    def adapts(self, n: int) -> bool:
        """Whether a batch has four examples for each neighbour."""
        return n >= _FOR_EACH * self.neighbours

    @torch.no_grad()
    def step(self, model: Model, state: None, x: Tensor) -> Said:
        """Answer by what neighbours agree on."""
        said = model(x)
        if not self.adapts(len(x)):
            return said
        log_p = said.logits.float().log_softmax(dim=1)
        assigned = laplacian_assignments(log_p, neighbours(said.features.float().flatten(1), self.neighbours))
        return Said(assigned.clamp(min=torch.finfo(assigned.dtype).tiny).log(), said.features)
