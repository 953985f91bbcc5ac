"""Training on the source alone, with a threshold on certainty: the baseline under methods that know the unknown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks
from acclimate.methods.open_set.common import known_loss, with_unknown
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.objectives.entropy import answer_entropy
from acclimate.types import Batch, Update

# By so much the logit of the unknown rises from certain to uniform answers; it decides how sure one is, and none.
_STEEPNESS = 10.0


class Threshold(Stepwise[Batch]):
    """No adaptation: fit the labelled source, and call `unknown` whatever the model is too unsure of.

        answer = argmax_c p_c where H(p) ≤ τ ln k, else unknown

    τ = ½ is what methods of the field take to part known from unknown; no label sets it. Labelled target examples of
    known classes, if the user gave any, join in.
    """

    name: ClassVar[str] = "threshold"
    title: ClassVar[str] = "Source only with a threshold"
    paper: ClassVar[str] = "baseline"
    problem: ClassVar[str] = "open-set"
    learns_from: ClassVar[tuple[str, ...]] = ("source",)

    threshold: float = Field(0.5, ge=0, le=1, description="τ, the largest entropy of an answer, as a share of ln k.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """A feature extractor and a classifier of the known classes."""
        known = architecture.classifier(num_classes - 1)
        return {"features": architecture.features(), "known_classifier": known}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the label loss."""
        loss = torch.zeros(())
        for examples in batch.labelled:
            loss = loss + known_loss(nets["known_classifier"](nets["features"](examples.x)), examples)
        yield Update(loss, trains=("features", "known_classifier"), logs={"label_loss": loss.detach()})

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """Logits of the known classes and of the unknown."""
        logits = nets["known_classifier"](features)
        unsure = answer_entropy(logits) / math.log(logits.shape[1])
        return with_unknown(logits, _STEEPNESS * (unsure - self.threshold))
