"""How much one answer tells about another."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def mutual_information(first: Tensor, second: Tensor) -> Tensor:
    """Mutual information of the answers to two views of the same examples, in nats, in [0, ln g].

        J = ½ (P + Pᵀ),  P = Σ_i p_i q_iᵀ / b,      I = Σ_ab J_ab ln [J_ab / (J_a· J_·b)]

    Largest where each view's answer is certain, both are the same, and all g answers are given equally often.

    Source: Ji, Henriques & Vedaldi, "Invariant Information Clustering for Unsupervised Image Classification and
    Segmentation", ICCV 2019, equations 2 and 3.

    Args:
        first: p of shape `(b, g)`, probabilities.
        second: q of the same shape.

    Example:
        >>> round(float(mutual_information(torch.eye(2), torch.eye(2))), 4)
        0.6931
    """
    joint = first.T @ second / len(first)
    joint = ((joint + joint.T) / 2).clamp_min(torch.finfo(joint.dtype).tiny)
    rows, columns = joint.sum(dim=1, keepdim=True), joint.sum(dim=0, keepdim=True)
    return (joint * (joint.log() - rows.log() - columns.log())).sum()


def information_maximisation(logits: Tensor) -> Tensor:
    """How uncertain single answers are, less how varied all of them together, in nats, in [−ln k, 0].

        L = (1/b) Σ_i H(p_i) − H((1/b) Σ_i p_i),      p_i = softmax(z_i)

    Least where each answer is certain and all classes are answered equally often: the negative mutual information of
    example and answer.

    Source: Krause, Perona & Gomes, NIPS 2010, equation 2; Liang, Hu & Feng, ICML 2020, equations 3 and 4.

    Args:
        logits: z of shape `(b, k)`.

    Example:
        >>> round(float(information_maximisation(torch.tensor([[99.0, 0.0], [0.0, 99.0]]))), 4)
        -0.6931
    """
    log_p = logits.log_softmax(dim=1)
    single = -(log_p.exp() * log_p).sum(dim=1).mean()
    mean = log_p.logsumexp(dim=0) - math.log(len(logits))
    return single + (mean.exp() * mean).sum()
