"""Maximum classifier discrepancy (Saito, Watanabe, Ushiku & Harada, CVPR 2018)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, class_loss, take_target_statistics
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.two_passes import two_passes
from acclimate.objectives.adversarial import reverse_gradient
from acclimate.objectives.discrepancy import classifier_discrepancy
from acclimate.objectives.schedules import reversal_ramp
from acclimate.types import Batch, Examples, Passes, Update

_CLASSIFIERS = ("classifier_1", "classifier_2")
_RECIPE = {"optimizer": "adam", "lr": 2e-4, "weight_decay": 5e-4, "batch_size": 128}


def _networks(architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
    classifiers = {name: architecture.classifier(num_classes) for name in _CLASSIFIERS}
    return {"features": architecture.features(), **classifiers}


def _both(nets: Networks, features: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of C₁ and C₂."""
    return nets["classifier_1"](features), nets["classifier_2"](features)


def _label_loss(nets: Networks, features: Tensor, examples: Examples) -> Tensor:
    """CE(C₁) + CE(C₂), each a mean over the batch."""
    logits_1, logits_2 = _both(nets, features)
    return class_loss(logits_1, examples) + class_loss(logits_2, examples)


def _sum(losses: Iterable[Tensor]) -> Tensor:
    return sum(losses, torch.zeros(()))


class MCD(Stepwise[Batch]):
    """Two classifiers that disagree on the target, and a feature extractor that makes them agree.

    For every batch, with d the discrepancy of both classifiers on the target:

        A   min over G, C₁, C₂ of  CE₁ + CE₂                     fit the source
        B   min over C₁, C₂ of     CE₁ + CE₂ − d(C₁∘G, C₂∘G)      find target examples far from the source
        C   min over G of          d(C₁∘G, C₂∘G), n times         bring them back

    In B no gradient reaches G, which is in training mode all the same: batch norm uses and updates its batch
    statistics, dropout is live. In C only G's weights receive gradients. The first C takes over what B computed of
    G's target features, with a dropout mask of its own. The mathematics is that of the authors' code, which computes
    the discarded gradients and G's features once more.

    The answer is the argmax of the summed logits.

    Source: Saito et al., "Maximum Classifier Discrepancy for Unsupervised Domain Adaptation", CVPR 2018, section 3.3.
    """

    name: ClassVar[str] = "mcd"
    title: ClassVar[str] = "MCD"
    paper: ClassVar[str] = "Saito et al., CVPR 2018"
    recipe: ClassVar = _RECIPE

    n: int = Field(4, ge=1, description="How often step C is repeated per batch; the paper tries 2, 3 and 4.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G, C₁ and C₂."""
        return _networks(architecture, num_classes)

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """Steps A, B and n times C."""
        source_loss = _sum(_label_loss(nets, nets["features"](e.x), e) for e in batch.labelled)
        yield Update(source_loss, trains=("features", *_CLASSIFIERS), logs={"label_loss": source_loss.detach()})

        with torch.no_grad():
            labelled_features = [nets["features"](e.x) for e in batch.labelled]
        target_features, target_features_again = two_passes(nets["features"], batch.target.x)
        pairs = zip(labelled_features, batch.labelled, strict=True)
        source_loss = _sum(_label_loss(nets, features, examples) for features, examples in pairs)
        discrepancy = classifier_discrepancy(*_both(nets, target_features))
        yield Update(
            source_loss - discrepancy,
            trains=_CLASSIFIERS,
            logs={"discrepancy_before": discrepancy.detach()},
        )

        for repetition in range(self.n):
            # B moved the classifiers only, so the first C starts from the features that B saw.
            features = nets["features"](batch.target.x) if repetition else target_features_again()
            discrepancy = classifier_discrepancy(*_both(nets, features))
            yield Update(discrepancy, trains=("features",), logs={"discrepancy": discrepancy.detach()})

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """Summed logits of both classifiers."""
        logits_1, logits_2 = _both(nets, features)
        return logits_1 + logits_2

    def heads(self, nets: Networks, features: Tensor) -> dict[str, Tensor]:
        """Each classifier by itself."""
        return dict(zip(_CLASSIFIERS, _both(nets, features), strict=True))


class OneStepMCD(Stepwise[Batch]):
    """MCD's minimax game in one step per batch, by gradient reversal.

        min over C₁, C₂ of  CE₁ + CE₂ − d,    min over G of  CE₁ + CE₂ + λ d

    One descent step on CE₁ + CE₂ − d(C₁∘R∘G, C₂∘R∘G), where R reverses the gradient with weight λ. It is about
    four times cheaper than `mcd` with n = 4.

    Source: the "one-step" form of Saito et al., CVPR 2018 (supplement and released code, where the discrepancy's
    backward pass is commented out; here it is not). λ rises with DANN's ramp so that features form first, and the
    trained model takes the target's batch-norm statistics.
    """

    name: ClassVar[str] = "mcd-one-step"
    also: ClassVar[tuple[str, ...]] = ("MCDOneStep",)
    title: ClassVar[str] = "MCD (one step)"
    paper: ClassVar[str] = "Saito et al., CVPR 2018"
    recipe: ClassVar = _RECIPE

    ramp: float = Field(10.0, ge=0, description="Steepness γ of λ(p) = 2 / (1 + exp(−γ p)) − 1.")
    max_reversal: float = Field(1.0, ge=0, description="Largest λ, the weight of d in the features' loss.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G, C₁ and C₂."""
        return _networks(architecture, num_classes)

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step of all networks."""
        reversal = self.max_reversal * reversal_ramp(batch.progress, self.ramp)
        source_loss = _sum(_label_loss(nets, nets["features"](e.x), e) for e in batch.labelled)
        reversed_features = reverse_gradient(nets["features"](batch.target.x), reversal)
        discrepancy = classifier_discrepancy(*_both(nets, reversed_features))
        yield Update(
            source_loss - discrepancy,
            trains=("features", *_CLASSIFIERS),
            logs={"label_loss": source_loss.detach(), "discrepancy": discrepancy.detach()},
        )

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """Summed logits of both classifiers."""
        logits_1, logits_2 = _both(nets, features)
        return logits_1 + logits_2

    def heads(self, nets: Networks, features: Tensor) -> dict[str, Tensor]:
        """Each classifier by itself."""
        return dict(zip(_CLASSIFIERS, _both(nets, features), strict=True))

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """End with the target's batch-norm statistics."""
        take_target_statistics(self, nets, passes)
