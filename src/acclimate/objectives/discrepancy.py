"""Disagreement of two classifiers."""

from __future__ import annotations

from torch import Tensor


def classifier_discrepancy(logits_1: Tensor, logits_2: Tensor) -> Tensor:
    """Mean absolute difference of two classifiers' probabilities, over batch and classes.

        d(p₁, p₂) = 1/(b k) Σ_i Σ_c |p₁(c|x_i) − p₂(c|x_i)|,    p = softmax(logits)

    Source: Saito et al., CVPR 2018, equation 2; the mean over classes as in the authors' code.

    Args:
        logits_1: `(b, k)`.
        logits_2: `(b, k)`.

    Returns:
        A scalar in [0, 2/k].

    Example:
        >>> round(float(classifier_discrepancy(torch.tensor([[9.0, 0]]), torch.tensor([[0, 9.0]]))), 3)
        1.0
    """
    return (logits_1.softmax(dim=1) - logits_2.softmax(dim=1)).abs().mean()
