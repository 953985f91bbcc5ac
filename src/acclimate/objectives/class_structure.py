"""Class means and class similarities: what a source and a target with different features still have in common."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_TINY = 1e-12


def one_hot(labels: Tensor, num_classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Indicator `(n, k)` of labels `(n,)`; a row of zeros where the label is −1."""
    return (labels[:, None] == torch.arange(num_classes, device=labels.device)).to(dtype)


def class_sums(values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Sums `(k, d)` of values `(n, d)` over classes, and the weights' sums `(k, 1)`, from weights `(n, k)`."""
    return weights.T @ values, weights.sum(dim=0)[:, None]


def class_means(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of each class.

        μ_k = Σ_i w_ik x_i / Σ_i w_ik

    Args:
        values: `(n, d)`.
        weights: `(n, k)`, from `one_hot` or soft.

    Returns:
        `(k, d)`; zeros for a class without weight.

    Example:
        >>> class_means(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([[1.0, 0], [1, 0], [0, 1]])).tolist()
        [[2.0], [5.0]]
    """
    sums, counts = class_sums(values, weights)
    return sums / counts.clamp_min(_TINY)


def semantic_distillation(
    source_logits: Tensor, source_weights: Tensor, target_logits: Tensor, target_weights: Tensor, temperature: float
) -> Tensor:
    """Cross-entropy between the source's mean prediction for each class and the labelled target's predictions.

        q_k = mean_{y_i = k} softmax(z_i / T)
        L = −Σ_k mean_{y_j = k} Σ_c q_kc log(softmax(z_j)_c + 10⁻⁵)

    Only the source's side is softened by T, gradients flow through q as well, and classes are summed. A class that
    one side lacks adds nothing.

    Source: Li et al., "Simultaneous Semantic Alignment Network for Heterogeneous Domain Adaptation", ACM MM 2020
    (implicit semantic correlation).

    Args:
        source_logits: `(n_s, k)`.
        source_weights: `one_hot` of the source's labels.
        target_logits: `(n_l, k)` of labelled target examples.
        target_weights: `one_hot` of their labels.
        temperature: T > 0.
    """
    soft = class_means(F.softmax(source_logits / temperature, dim=1), source_weights)
    logs = class_means(torch.log(F.softmax(target_logits, dim=1) + 1e-5), target_weights)
    return -(soft * logs).sum()  # a class without examples has a row of zeros on one side


def centroid_distance(
    source: Tensor, source_weights: Tensor, target: Tensor, target_weights: Tensor, *, triplet: bool = True
) -> Tensor:
    """Squared distances between the class means of the source, the target and both together.

        L = Σ_k ‖μ_k^s − μ_k^t‖² + ‖μ_k^s − μ_k^st‖² + ‖μ_k^t − μ_k^st‖²

    μ^st is the mean of both sides' examples together, so it lies nearer to the side with more of them.

    Source: Li et al., ACM MM 2020 (explicit semantic alignment by triplet centroids).

    Args:
        source: features `(n_s, d)`.
        source_weights: `(n_s, k)`.
        target: features `(n_t, d)`.
        target_weights: `(n_t, k)`; rows of zeros leave examples out.
        triplet: False for the first term alone.
    """
    source_sums, source_counts = class_sums(source, source_weights)
    target_sums, target_counts = class_sums(target, target_weights)
    mean_s = source_sums / source_counts.clamp_min(_TINY)
    mean_t = target_sums / target_counts.clamp_min(_TINY)
    both = ((source_counts > 0) & (target_counts > 0)).to(source.dtype)
    loss = (mean_s - mean_t).square()
    if triplet:
        mean_st = (source_sums + target_sums) / (source_counts + target_counts).clamp_min(_TINY)
        loss = loss + (mean_s - mean_st).square() + (mean_t - mean_st).square()
    return (both * loss).sum()


@torch.no_grad()
def nearest_mean(features: Tensor, means: Tensor, distance: str) -> Tensor:
    """The class `(n,)` whose mean `(k, d)` is most like each of the features `(n, d)`.

    Args:
        features: to be labelled.
        means: one for each class.
        distance: `"cosine"` or `"euclidean"`.
    """
    if distance == "cosine":
        return (F.normalize(features) @ F.normalize(means).T).argmax(dim=1)
    return torch.cdist(features, means).argmin(dim=1)


def soft_label_mmd(
    source: Tensor, source_weights: Tensor, target: Tensor, target_weights: Tensor, soft: Tensor, trust: float
) -> Tensor:
    """Distance between the means of both sides, over all classes and class by class, with soft labels on the target.

        L = ‖μ^s − μ^t‖² + Σ_k ‖μ_k^s − μ_k^t‖² / K
        μ_k^t = (Σ_{y_j = k} x_j + α Σ_u p_uk x_u) / (n_k + α Σ_u p_uk)

    Source: Yao et al., "Heterogeneous Domain Adaptation via Soft Transfer Network", ACM MM 2019.

    Args:
        source: features `(n_s, d)`.
        source_weights: `one_hot` of the source's labels.
        target: features `(n_t, d)`, labelled examples first.
        target_weights: `one_hot` `(n_l, k)` of the labelled ones.
        soft: p, predicted probabilities `(n_u, k)` of the others, detached.
        trust: α in [0, 1], how much they count.
    """
    weights = torch.cat([target_weights, trust * soft])
    marginal = (source.mean(dim=0) - target.mean(dim=0)).square().sum()
    classes = (class_means(source, source_weights) - class_means(target, weights)).square().sum(dim=1)
    present = source_weights.sum(dim=0) > 0
    return marginal + (classes * present).sum() / len(present)
