"""Self-ensembling with a mean teacher (French, Mackiewicz & Fisher, ICLR 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from acclimate.data.views import strongly
from acclimate.methods.base import Networks, label_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.objectives.self_training import class_balance, confident_consistency
from acclimate.types import Batch, Passes, Update

_ANSWERS = ("features", "classifier")
_STUDENT = ("student_features", "student_classifier")


class MeanTeacher(Stepwise[Batch]):
    """A student that learns from the source, and on the target from the mean of what it was itself.

        L = CE(S(source)) + w [consistency(S(t), T(t′)) + β r · class balance(S(t))]
        T ← α T + (1 − α) S  after every step

    t and t′ are two views of the target, r is the share of examples that T is certain of, which alone count in the
    consistency. The two sides pass through batch norm apart, and T sees the target alone. T gives the answers: its
    networks are `features` and `classifier`, those that learn have names of their own.

    The paper trains 28×28 digits with moved, bent and noisy images; views here are those of `data.views`.

    Source: French, Mackiewicz & Fisher, "Self-Ensembling for Visual Domain Adaptation", ICLR 2018, after Tarvainen &
    Valpola, NIPS 2017.
    """

    name: ClassVar[str] = "mean-teacher"
    also: ClassVar[tuple[str, ...]] = ("SelfEnsembling",)
    title: ClassVar[str] = "Mean teacher (self-ensembling)"
    paper: ClassVar[str] = "French et al., ICLR 2018"
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar = {"optimizer": "adam", "lr": 1e-3, "batch_size": 64}

    weight: float = Field(3.0, ge=0, description="w, weight of what is learnt on the target; the paper uses 3.")
    threshold: float = Field(0.968, ge=0, le=1, description="What T must be certain by; the paper uses 0.968.")
    balance: float = Field(0.005, ge=0, description="β, share of the class balance; the paper uses 0.005.")
    decay: float = Field(0.99, ge=0, le=1, description="α, how much of T stays at each step; the paper uses 0.99.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """T, which no gradient moves, and S."""
        nets = super().networks(architecture, num_classes)
        for net in nets.values():
            net.requires_grad_(False)
        return nets | dict(zip(_STUDENT, super().networks(architecture, num_classes).values(), strict=True))

    @property
    def between_steps_at(self) -> tuple[float, ...]:
        """Once, before the first step."""
        return (0.0,)

    def between_steps(self, nets: Networks, passes: Passes) -> None:
        """S begins as T, which may come from another run."""
        for teacher, student in zip(_ANSWERS, _STUDENT, strict=True):
            nets[student].load_state_dict(nets[teacher].state_dict())

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step of S; then T follows."""
        features, classifier = (nets[name] for name in _STUDENT)
        labels_loss = label_loss(lambda x: classifier(features(strongly(x))), *batch.labelled)
        logits = classifier(features(strongly(batch.target.x)))
        with torch.no_grad():
            taught = self.logits(nets, strongly(batch.target.x))
        consistency, share = confident_consistency(logits, taught, self.threshold)
        yield Update(
            labels_loss + self.weight * (consistency + self.balance * share * class_balance(logits)),
            trains=_STUDENT,
            logs={"label_loss": labels_loss.detach(), "consistency": consistency.detach(), "certain": share},
        )
        self._follow(nets)

    @torch.no_grad()
    def _follow(self, nets: Networks) -> None:
        """Move T's weights towards S's; batch norm keeps the averages of what T itself has seen."""
        for teacher, student in zip(_ANSWERS, _STUDENT, strict=True):
            for mean, now in zip(nets[teacher].parameters(), nets[student].parameters(), strict=True):
                mean.lerp_(now, 1 - self.decay)

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, {name: nets[name] for name in _ANSWERS}, passes)
