"""How much one answer tells about another."""

from __future__ import annotations

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
    """
    joint = first.T @ second / len(first)
    joint = ((joint + joint.T) / 2).clamp_min(torch.finfo(joint.dtype).tiny)
    rows, columns = joint.sum(dim=1, keepdim=True), joint.sum(dim=0, keepdim=True)
    return (joint * (joint.log() - rows.log() - columns.log())).sum()
