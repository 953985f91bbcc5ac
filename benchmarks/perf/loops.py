"""DANN and MCD as one would write them by hand, without a library: one function is one training step.

They are given the networks and optimizers that acclimate makes, so that what differs is who runs the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from acclimate.objectives.adversarial import reverse_gradient

Nets = Mapping[str, nn.Module]
Optimizers = Mapping[str, Optimizer]
Draw = Callable[[], tuple[Tensor, Tensor, Tensor]]
HEADS = ("classifier_1", "classifier_2")


def batches(source: np.ndarray, labels: np.ndarray, target: np.ndarray, size: int) -> Draw:
    """Source images, their labels and target images, drawn at random: `(n, h, w, c)` bytes to `(size, c, h, w)`."""
    pools, y = [torch.from_numpy(source), torch.from_numpy(target)], torch.from_numpy(labels)

    def draw() -> tuple[Tensor, Tensor, Tensor]:
        i, j = (torch.randint(len(pool), (size,)) for pool in pools)
        x, t = (
            pool[k].permute(0, 3, 1, 2).float().div_(127.5).sub_(1) for pool, k in zip(pools, (i, j), strict=True)
        )
        return x, y[i], t

    return draw


def dann_step(nets: Nets, optimizers: Optimizers, draw: Draw, reversal: float) -> None:
    """One step of Ganin & Lempitsky, ICML 2015."""
    x, y, t = draw()
    for net in nets.values():
        net.train()
    source, target = nets["features"](x), nets["features"](t)
    domains = nets["discriminator"](reverse_gradient(torch.cat([source, target]), reversal)).flatten()
    truth = torch.zeros(len(domains))
    truth[len(x) :] = 1
    loss = F.cross_entropy(nets["classifier"](source), y) + F.binary_cross_entropy_with_logits(domains, truth)
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers.values():
        optimizer.step()


def naive_mcd_step(nets: Nets, optimizers: Optimizers, draw: Draw, n: int) -> None:
    """One step of Saito et al., CVPR 2018, as the released code does it: each gradient computed, some discarded."""
    g, (x, y, t) = nets["features"], draw()

    def step(loss: Tensor, *trains: str) -> None:
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        for name in trains:
            optimizers[name].step()

    step(_labels(nets, g(x), y), "features", *HEADS)
    features, target_features = g(x), g(t)
    step(_labels(nets, features, y) - _discrepancy(nets, target_features), *HEADS)
    for _ in range(n):
        step(_discrepancy(nets, g(t)), "features")


def mcd_step(nets: Nets, optimizers: Optimizers, draw: Draw, n: int) -> None:
    """The same with nothing computed in vain but the target features of the first C, which B has computed already."""
    g, (x, y, t) = nets["features"], draw()
    for net in nets.values():
        net.train()

    def step(loss: Tensor, *trains: str) -> None:
        parameters = [p for name in trains for p in nets[name].parameters()]
        for parameter in parameters:
            parameter.grad = None
        loss.backward(inputs=parameters)
        for name in trains:
            optimizers[name].step()

    step(_labels(nets, g(x), y), "features", *HEADS)
    with torch.no_grad():
        features, target_features = g(x), g(t)
    step(_labels(nets, features, y) - _discrepancy(nets, target_features), *HEADS)
    for _ in range(n):
        step(_discrepancy(nets, g(t)), "features")


def _labels(nets: Nets, features: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(nets[HEADS[0]](features), y) + F.cross_entropy(nets[HEADS[1]](features), y)


def _discrepancy(nets: Nets, features: Tensor) -> Tensor:
    one, two = (nets[head](features).softmax(dim=1) for head in HEADS)
    return (one - two).abs().mean()
