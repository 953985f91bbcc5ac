"""What methods of several sources have in common: a classifier for each, and answers that are their mixture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from acclimate.errors import RequestError
from acclimate.methods.base import Networks
from acclimate.networks.shares import Shares


def shares_of(source_weights: Sequence[float] | None) -> Shares:
    """How much each source counts, as a network that nothing trains.

    Raises:
        RequestError: if nobody has told.
    """
    if source_weights is None:
        fix = "Fit with acclimate.join_sources({…}), by which the data tell it."
        raise RequestError("source_weights", "must be known to build networks", "none", fix)
    return Shares(source_weights)


def shares(nets: Networks) -> Tensor:
    """λ, how much each source counts, `(m,)`."""
    found = nets["shares"]
    assert isinstance(found, Shares)
    return found.shares


def classifiers(nets: Networks) -> list[nn.Module]:
    """The classifier of each source, in the sources' order."""
    found = nets["classifiers"]
    assert isinstance(found, nn.ModuleList)
    return list(found)


def mixture(logits: Sequence[Tensor], weights: Tensor) -> Tensor:
    """Logarithm of a mixture of answers, `(b, k)`, which is normalised.

        log Σ_i w_i softmax(z_i)

    Args:
        logits: z_i of each of m classifiers, `(b, k)`.
        weights: w ≥ 0, `(m,)` or `(b, m)`, which sum to 1.

    Example:
        >>> sure = torch.tensor([[0.0, -100.0]])
        >>> mixture([sure, sure.flip(1)], torch.tensor([0.75, 0.25])).exp().round(decimals=4).tolist()
        [[0.75, 0.25]]
    """
    answers = torch.stack([z.log_softmax(dim=1) for z in logits], dim=1)  # (b, m, k)
    baselineed = weights.clamp(min=1e-12).log().expand(answers.shape[:2])
    return (answers + baselineed[:, :, None]).logsumexp(dim=1).log_softmax(dim=1)
