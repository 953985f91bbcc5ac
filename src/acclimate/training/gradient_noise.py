"""Normal noise in gradients, less of it as training goes on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn


def noise_variance(eta: float, step: int, decay: float = 0.55) -> float:
    """σ_t² = η / (1 + t)^γ.

    Source: Neelakantan, Vilnis, Le, Sutskever, Kaiser, Kurach & Martens, "Adding Gradient Noise Improves Learning for
    Very Deep Networks", arXiv 1511.06807, 2015, section 3; they choose η among 0.01, 0.3 and 1, and
    γ = 0.55.

    Args:
        eta: η ≥ 0.
        step: t, training steps done before this one, from 0.
        decay: γ ≥ 0.
    """
    return float(eta / (1 + step) ** decay)


@torch.no_grad()
def add_gradient_noise(
    nets: Iterable[nn.Module], eta: float, seed: int, step: int, update: int, decay: float = 0.55
) -> None:
    """Add normal noise of `noise_variance` to every number of the networks' gradients, in place: g ← g + N(0, σ_t²).

    Call it after clipping, as the code of memory networks does: noise that is clipped too has another variance. The
    vector of padding, which no training may move, gets none, nor does a parameter without a gradient.

    What is drawn follows from the arguments alone, and on the CPU whatever the network is on: so all processes add
    the same noise, a resumed training adds what it would have added, and no other draw is moved. It takes about 10 ns
    for each number.

    Args:
        nets: those that the update trains, in its order.
        eta: η of the variance.
        seed: the training's.
        step: t, training steps done before this one.
        update: which of the step's updates this is, from 0.
        decay: γ of the variance.
    """
    generator = torch.Generator().manual_seed(_seed(seed, step, update))
    deviation = noise_variance(eta, step, decay) ** 0.5
    done = set[nn.Parameter]()  # networks may share some
    for net in nets:
        for module in net.modules():
            padding = module.padding_idx if isinstance(module, nn.Embedding) else None
            for parameter in module.parameters(recurse=False):
                if parameter.grad is None or parameter in done:
                    continue
                done.add(parameter)
                noise = torch.empty(parameter.shape).normal_(0, deviation, generator=generator)
                if padding is not None:
                    noise[padding] = 0
                parameter.grad.add_(noise.to(parameter.grad))


def _seed(seed: int, step: int, update: int) -> int:
    """One for each step and update; hashed, because neighbouring seeds of this generator give related numbers."""
    return int(np.random.SeedSequence([seed, step, update]).generate_state(1, np.uint64)[0])
