"""What methods of few target labels have in common: prototypes that classify by cosines."""

from __future__ import annotations

from torch import nn

from acclimate.networks.architecture import Architecture
from acclimate.networks.cosine import CosineClassifier


def with_prototypes(architecture: Architecture, num_classes: int, temperature: float) -> dict[str, nn.Module]:
    """F, and C of k prototypes; see `CosineClassifier`."""
    prototypes = CosineClassifier(architecture.width, num_classes, temperature)
    return {"features": architecture.features(), "cosine_classifier": prototypes}
