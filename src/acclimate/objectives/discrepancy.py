"""Disagreement of two classifiers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


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


def margin_disparity(source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor], margin: float) -> Tensor:
    """How badly an adversary agrees with a classifier on the source and disagrees with it on the target.

        L = γ · 1/n_s Σ_s −log σ_{f(s)}(f′(s)) + 1/n_t Σ_t −log(1 − σ_{f(t)}(f′(t))),    f(x) = argmax_c f_c(x)

    The adversary f′ minimises it, the features maximise it; the classifier f gets no gradient from it.

    Source: Zhang, Liu, Long & Jordan, ICML 2019, section 4.

    Args:
        source: logits of f and of f′, each `(n_s, k)`, k ≥ 2.
        target: likewise `(n_t, k)`.
        margin: γ = exp(ρ) > 0, ρ being the margin.

    Example:
        >>> half = torch.zeros(1, 2)
        >>> round(float(margin_disparity((half, half), (half, half), 4.0)), 4)
        3.4657
    """
    agreed = F.cross_entropy(source[1], source[0].argmax(dim=1))
    chosen = F.one_hot(target[0].argmax(dim=1), target[0].shape[1]).bool()
    others = target[1].masked_fill(chosen, -torch.inf).logsumexp(dim=1)
    return margin * agreed + (target[1].logsumexp(dim=1) - others).mean()
