"""Objectives on the uncertainty of predictions; none needs a label."""

from __future__ import annotations

import torch
from torch import Tensor


def certainty(probabilities: Tensor) -> Tensor:
    """How much a prediction should count: 2 where it is certain, little more than 1 where it is not; no gradient.

        w = 1 + exp(−H(p)),    H(p) = −Σ_c p_c log p_c

    Source: Long, Cao, Wang & Jordan, NeurIPS 2018, "entropy conditioning".

    Args:
        probabilities: p `(b, k)`.

    Returns:
        w `(b,)` in [1 + 1/k, 2].

    Example:
        >>> certainty(torch.tensor([[0.0, 1.0], [0.5, 0.5]])).tolist()
        [2.0, 1.5]
    """
    p = probabilities.detach()
    entropy = -(p * p.clamp(min=1e-12).log()).sum(dim=1)
    return 1 + torch.exp(-entropy)


def batch_nuclear_norm(probabilities: Tensor) -> Tensor:
    """Nuclear norm of a batch's predictions, per example: large where they are certain and of many classes.

        N = ‖P‖_* / b = Σ_i σ_i(P) / b

    Source: Cui, Wang, Zhuo, Li, Huang & Tian, CVPR 2020, whose loss is −N.

    Args:
        probabilities: P `(b, k)`.

    Returns:
        A scalar in [1/√(b k), √(min(b, k) / b)].

    Example:
        >>> [round(float(batch_nuclear_norm(p)), 3) for p in (torch.eye(2), torch.full((2, 2), 0.5))]
        [1.0, 0.5]
    """
    singular: Tensor = torch.linalg.svdvals(probabilities)
    return singular.sum() / len(probabilities)


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
    weights = certainty(probabilities)
    weights = weights * (len(logits) / weights.sum())
    confusion = (probabilities * weights[:, None]).T @ probabilities  # (k, k)
    confusion = confusion / confusion.sum(dim=1, keepdim=True)
    return (confusion.sum() - confusion.trace()) / logits.shape[1]


def answer_entropy(logits: Tensor) -> Tensor:
    """How uncertain each answer is, in nats, `(b,)` in [0, ln k].

        H(p_i) = −Σ_c p_ic ln p_ic,      p_i = softmax(z_i)

    Args:
        logits: z of shape `(b, k)`.

    Example:
        >>> [round(float(h), 4) for h in answer_entropy(torch.tensor([[0.0, 0.0], [99.0, 0.0]]))]
        [0.6931, 0.0]
    """
    log_p = logits.log_softmax(dim=1)
    return -(log_p.exp() * log_p).sum(dim=1)
