"""What methods of open-set adaptation have in common: labels of known classes, and answers that may be `unknown`."""

from __future__ import annotations

import torch
from torch import Tensor

from acclimate.methods.base import class_loss
from acclimate.types import Examples


def known_loss(logits: Tensor, examples: Examples) -> Tensor:
    """Cross-entropy of the examples of known classes; 0 if there are none.

    Args:
        logits: `(b, k)`, of the known classes.
        examples: labelled; k where a label budget brought one of an unknown class.
    """
    known = examples.y < logits.shape[1]
    return class_loss(logits[known], examples.at(known)) if known.any() else logits.sum() * 0


def with_unknown(logits: Tensor, margin: Tensor) -> Tensor:
    """Logits `(b, k + 1)`, whose last is for the unknown: by `margin` above the largest of the others.

    Args:
        logits: of the known classes, `(b, k)`.
        margin: `(b,)`; the answer is `unknown` where it is positive.
    """
    best = logits.max(dim=1, keepdim=True).values
    return torch.cat([logits, best + margin[:, None]], dim=1)
