"""Fine-tuning: a model of the source goes on with the target's few labels, by its own head or by a new one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, class_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.types import Batch, Examples, Update

_RECIPE = {"optimizer": "sgd", "lr": 0.01, "momentum": 0.9, "lr_schedule": "annealing", "batch_size": 64}


class FineTune(Stepwise[Batch]):
    """The source first, then the target's labels alone, by the source's own classifier.

        L = CE(source) until `start` of the training is done, CE(labelled target) from then on

    Whatever the target's labels do not touch is forgotten by and by. Beside training on both at once (`source-only`
    with the same labels) it shows what the order is worth.

    Source: Girshick, Donahue, Darrell & Malik, "Rich Feature Hierarchies for Accurate Object Detection and Semantic
    Segmentation", CVPR 2014, section 2.3.
    """

    name: ClassVar[str] = "fine-tune"
    title: ClassVar[str] = "Fine-tuning"
    paper: ClassVar[str] = "Girshick et al., CVPR 2014"
    problem: ClassVar[str] = "few-labels"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "few target labels")
    recipe: ClassVar = _RECIPE

    start: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of the training that is on the source; the target's labels have the rest.",
    )

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the labels whose turn it is."""
        examples = batch.source if batch.progress < self.start else _labelled(batch)
        loss = class_loss(self.logits(nets, examples.x), examples)
        yield Update(loss, trains=("features", "classifier"), logs={"label_loss": loss.detach()})


class FineTuneNewHead(Stepwise[Batch]):
    """The source first, while a new classifier learns from its features; then both of them from the target alone.

        until `start`:   L = CE(C_s(G(source))) + CE(C_t(f)),  f = G(labelled target), a constant
        from then on:    L = CE(C_t(G(labelled target)))

    C_t gives the answers. A head that starts at random would undo the features before it has learnt anything, so it
    is fitted to them first.

    Source: Kumar, Raghunathan, Jones, Ma & Liang, "Fine-Tuning can Distort Pretrained Features and Underperform
    Out-of-Distribution", ICLR 2022 (LP-FT), where the probe follows the pretraining.
    """

    name: ClassVar[str] = "fine-tune-new-head"
    also: ClassVar[tuple[str, ...]] = ("LPFT",)
    title: ClassVar[str] = "Fine-tuning with a new head"
    paper: ClassVar[str] = "Kumar et al., ICLR 2022"
    problem: ClassVar[str] = "few-labels"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "few target labels")
    recipe: ClassVar = _RECIPE

    start: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of the training that is on the source; the target's labels have the rest.",
    )

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G, C_s and C_t."""
        head = architecture.classifier(num_classes)
        return {**super().networks(architecture, num_classes), "target_classifier": head}

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """By C_t."""
        return nets["target_classifier"](features)  # type: ignore[no-any-return]

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both heads, or on the target's alone."""
        labelled, features = _labelled(batch), nets["features"](_labelled(batch).x)
        if batch.progress >= self.start:
            loss = class_loss(self.classify(nets, features), labelled)
            yield Update(loss, trains=("features", "target_classifier"), logs={"label_loss": loss.detach()})
            return
        probe = class_loss(self.classify(nets, features.detach()), labelled)
        loss = class_loss(nets["classifier"](nets["features"](batch.source.x)), batch.source)
        yield Update(
            loss + probe,
            trains=("features", "classifier", "target_classifier"),
            logs={"label_loss": loss.detach(), "probe_loss": probe.detach()},
        )


def _labelled(batch: Batch) -> Examples:
    assert batch.labelled_target is not None, "the problem lets no target without labels pass"
    return batch.labelled_target
