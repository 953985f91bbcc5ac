"""What a critic and a generator play for, as pure functions of the critic's scores.

A critic gives each image one score, a logit that is positive for real ones.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

GanLoss = Literal["bce", "least-squares", "hinge"]


def critic_loss(real: Tensor, fake: Tensor, kind: GanLoss = "bce", smoothing: float = 0.0) -> Tensor:
    """The critic's loss on real and made images.

        bce            mean −[t ln σ(r) + (1 − t) ln(1 − σ(r))] − mean ln(1 − σ(f)),   t ~ U(1 − s, 1)
        least-squares  mean (r − 1)² + mean f²
        hinge          mean max(0, 1 − r) + mean max(0, 1 + f)

    One-sided noisy labels t keep a critic from being too sure of itself (Salimans et al., NIPS 2016, section 3.4).

    Source: Goodfellow et al., NIPS 2014, equation 1; Mao et al., ICCV 2017, equation 2 with (a, b) = (0, 1), without
    its halves; Lim & Ye, 2017, equation 4.

    Args:
        real: r of any shape.
        fake: f of any shape.
        kind: which game.
        smoothing: s in [0, 1), for bce only.

    Example:
        >>> round(float(critic_loss(torch.zeros(2), torch.zeros(2))), 4)
        1.3863
    """
    if kind == "least-squares":
        return ((real - 1) ** 2).mean() + (fake**2).mean()
    if kind == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    wanted = 1 - smoothing * torch.rand_like(real) if smoothing else torch.ones_like(real)
    return F.binary_cross_entropy_with_logits(real, wanted) + F.softplus(fake).mean()


def generator_loss(fake: Tensor, kind: GanLoss = "bce") -> Tensor:
    """The generator's loss: made images should be taken for real ones.

        bce −mean ln σ(f),   least-squares mean (f − 1)²,   hinge −mean f

    Source: as for `critic_loss`; bce is the non-saturating form.

    Args:
        fake: f, the critic's scores of made images, of any shape.
        kind: which game.

    Example:
        >>> round(float(generator_loss(torch.zeros(2))), 4)
        0.6931
    """
    if kind == "least-squares":
        return ((fake - 1) ** 2).mean()
    return -fake.mean() if kind == "hinge" else F.softplus(-fake).mean()


def gradient_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """R₁: how steep the critic is at real images, mean over the batch of ½ ‖∂r/∂x‖².

    Source: Mescheder, Geiger & Nowozin, ICML 2018, equation 9, without its weight γ.

    Args:
        scores: r of shape `(b, 1)` or `(b,)`, computed from `images`.
        images: x of shape `(b, …)`, with `requires_grad`.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return 0.5 * (gradient**2).sum() / len(images)


def feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    """Squared distance between a critic's features of two batches, summed over features, mean over examples.

        Σ (h(x) − h(x̂))² / b

    Source: the released code of Liu, Breuel & Kautz, NIPS 2017, for pairs of a reconstruction and a translation; the
    paper writes L1.

    Args:
        real: h(x) of shape `(b, …)`.
        fake: h(x̂) of the same shape.

    Example:
        >>> float(feature_matching(torch.tensor([[1.0, 2.0]]), torch.tensor([[2.0, 4.0]])))
        5.0
    """
    return ((real - fake) ** 2).sum() / len(real)
