"""A classifier by angles: each class has a prototype, and the length of features says nothing."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class CosineClassifier(nn.Module):
    """Logits by the direction of features: z = W f / (T ‖f‖).

    Source: Chen, Liu, Kira, Wang & Huang, "A Closer Look at Few-shot Classification", ICLR 2019; in the form of Saito
    et al., ICCV 2019, section 3.1, which leaves the lengths of the prototypes, the rows of W, free.

    Args:
        width: d, of the features.
        num_classes: k.
        temperature: T > 0.
    """

    def __init__(self, width: int, num_classes: int, temperature: float) -> None:
        super().__init__()
        self.prototypes = nn.Linear(width, num_classes, bias=False)
        nn.init.xavier_normal_(self.prototypes.weight)
        self.temperature = temperature

    def forward(self, features: Tensor) -> Tensor:
        """Features `(b, d)` → logits `(b, k)`."""
        logits: Tensor = self.prototypes(F.normalize(features, dim=1)) / self.temperature
        return logits
