"""Self-training on confident answers to another view (FixMatch: Sohn et al., NeurIPS 2020), for two domains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field

from acclimate.data.views import slightly, strongly
from acclimate.methods.base import Networks, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.objectives.schedules import reversal_ramp
from acclimate.objectives.self_training import confident_cross_entropy
from acclimate.types import Batch, Passes, PseudoLabels, Update


class FixMatch(Stepwise[Batch]):
    """What is said with confidence of a target example seen slightly otherwise is taught for it seen strongly so.

        L = CE(source) + λ(p) w · 1/b Σ_i 1[max q_i ≥ τ] CE(strong(t_i), argmax q_i)
        q = softmax of slight(t), a constant,    λ(p) = 2 / (1 + exp(−γ p)) − 1

    The source stands where FixMatch has a few labelled examples of the very domain. Since a source model's answers to
    the target are worth little at first, λ rises as in DANN, where FixMatch has a constant. Views are those of
    `data.views`: bent images, features or words left out.

    Source: Sohn et al., "FixMatch: Simplifying Semi-Supervised Learning with Consistency and Confidence", NeurIPS
    2020, without its augmentations.
    """

    name: ClassVar[str] = "fixmatch"
    title: ClassVar[str] = "FixMatch"
    paper: ClassVar[str] = "Sohn et al., NeurIPS 2020"
    recipe: ClassVar = {"optimizer": "adam", "lr": 2e-4, "weight_decay": 5e-4, "batch_size": 128}

    weight: float = Field(1.0, ge=0, description="w, largest weight of the target's loss; the paper uses 1.")
    threshold: float = Field(0.95, ge=0, le=1, description="τ, least confidence; the paper uses 0.95.")
    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        labels_loss = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        with torch.no_grad():
            teacher = self.logits(nets, slightly(batch.target.x))
        own, share = confident_cross_entropy(self.logits(nets, strongly(batch.target.x)), teacher, self.threshold)
        yield Update(
            labels_loss + reversal_ramp(batch.progress, self.ramp) * self.weight * own,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "own_loss": own.detach(), "certain": share},
        )

    def pseudo_labels(self, nets: Networks, passes: Passes) -> PseudoLabels | None:
        """What steps would take for labels, of examples as they are."""
        answers = torch.cat([self.logits(nets, examples.x) for examples in passes.target()]).softmax(dim=1)
        certainty, labels = answers.max(dim=1)
        return PseudoLabels(labels.cpu().numpy(), (certainty >= self.threshold).cpu().numpy())

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
