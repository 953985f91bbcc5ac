"""What methods of regression have in common: the network that answers a number, and its loss on the labelled."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from acclimate.methods.base import Networks, both_sides
from acclimate.networks.architecture import Architecture
from acclimate.networks.regressor import Regressor
from acclimate.types import Batch, Examples


class AnswersNumber:
    """Mixed into methods that are trained by steps: one feature extractor, and a linear regressor on its features."""

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """G_f and G_y."""
        return {"features": architecture.features(), "regressor": Regressor(architecture.classifier(1))}

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """The number `(b, 1)` in the user's units."""
        return nets["regressor"](features)  # type: ignore[no-any-return]


def regressor_of(nets: Networks) -> Regressor:
    """The regressor among the networks."""
    return cast(Regressor, nets["regressor"])


def features_of_both(nets: Networks, batch: Batch) -> tuple[Tensor, Tensor]:
    """Features of source and target, which pass through batch norm as one batch.

    Normalised each by its own batch, both sides would have the same mean and scale, and where the scale of a feature
    says how large the number is, that is lost (Chen et al., ICML 2021, find so of regression).
    """
    n = len(batch.source.x)
    source, target = nets["features"](both_sides(batch)).split([n, len(batch.target.x)])
    return source, target


def number_loss(regressor: Regressor, features: Tensor, examples: Examples) -> Tensor:
    """Mean squared error in units of the source's variance: 1 for a model that always answers the source's mean."""
    return (regressor.z(features) - regressor.standardised(examples.y)).square().mean()


def labelled_loss(nets: Networks, batch: Batch, source_features: Tensor) -> Tensor:
    """`number_loss` of the source, and of the target examples whose numbers the user gave, added up."""
    regressor = regressor_of(nets)
    loss = number_loss(regressor, source_features, batch.source)
    for examples in batch.labelled[1:]:
        loss = loss + number_loss(regressor, nets["features"](examples.x), examples)
    return loss
