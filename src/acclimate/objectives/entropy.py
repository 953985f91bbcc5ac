"""Objectives on the uncertainty of predictions; none needs a label."""

from __future__ import annotations

import torch
from torch import Tensor


def class_confusion(logits: Tensor, temperature: float = 2.5) -> Tensor:
    """Minimum class confusion: how much probability mass predictions share between different classes.

        Ŷ = softmax(Z / T);   H_i = −Σ_c Ŷ_ic log Ŷ_ic;   w_i = b (1 + e^(−H_i)) / Σ_j (1 + e^(−H_j))
        C = Ŷᵀ diag(w) Ŷ;     C̃_cc′ = C_cc′ / Σ_c″ C_cc″;   L = 1/k Σ_c Σ_{c′≠c} C̃_cc′

    The weights are treated as constants. Source: Jin et al., ECCV 2020, equations 2 to 7.

    Args:
        logits: Z of shape `(b, k)`.
        temperature: T > 0; the paper uses 2.5.

    Returns:
        A scalar in [0, 1 − 1/k].

    Example:
        >>> [round(float(class_confusion(logits)), 3) for logits in (99 * torch.eye(2), torch.zeros(2, 2))]
        [0.0, 0.5]
    """
    probabilities = (logits / temperature).softmax(dim=1)  # (b, k)
    entropy = -(probabilities * probabilities.clamp(min=1e-12).log()).sum(dim=1)
    weights = 1 + torch.exp(-entropy.detach())
    weights = weights * (len(logits) / weights.sum())
    confusion = (probabilities * weights[:, None]).T @ probabilities  # (k, k)
    confusion = confusion / confusion.sum(dim=1, keepdim=True)
    return (confusion.sum() - confusion.trace()) / logits.shape[1]
