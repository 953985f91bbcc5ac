"""Methods whose loss is the source's and one term more: the sum as the paper has it, from NumPy's arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

from acclimate.methods.classification.afn import AFN
from acclimate.methods.classification.bnm import BNM
from acclimate.methods.classification.ddc import DDC
from acclimate.methods.classification.deepjdot import DeepJDOT
from acclimate.methods.classification.dsan import DSAN
from acclimate.methods.classification.jan import JAN
from acclimate.methods.stepwise import Stepwise
from acclimate.types import Batch, Examples

N, D, K, RAMPED = 6, 3, 4, 2 / (1 + np.exp(-10 * 0.05)) - 1


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {"features": nn.Linear(2, D).double(), "classifier": nn.Linear(D, K).double()}


def a_batch() -> Batch:
    generator = torch.Generator().manual_seed(1)
    source, target = (torch.randn(N, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    labels = torch.randint(0, K, (N,), generator=generator)
    return Batch(Examples(source, labels), Examples(target + 1, torch.full((N,), -1)), progress=0.05)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def of_means(f: np.ndarray, p: np.ndarray) -> float:
    spread = sum(float(np.trace(np.cov(side, rowvar=False))) for side in (f[:N], f[N:])) / N
    return 0.5 * (float(((f[:N].mean(axis=0) - f[N:].mean(axis=0)) ** 2).sum()) - spread)


def of_rank(f: np.ndarray, p: np.ndarray) -> float:
    return -0.5 * float(np.linalg.svd(p[N:], compute_uv=False).sum()) / N


def of_norms(f: np.ndarray, p: np.ndarray) -> float:
    return 0.5 * 2 * 3.0**2  # either side's mean of Δr²


def of_joint_kernels(f: np.ndarray, p: np.ndarray) -> float:
    squares = ((f[:, None] - f[None]) ** 2).sum(axis=2)
    width = squares.sum() / (2 * N * (2 * N - 1))
    kernel = np.exp(-squares / width) * np.exp(-((p[:, None] - p[None]) ** 2).sum(axis=2) / 2.0)
    signs = np.repeat([1 / N, -1 / N], N)
    return 0.5 * RAMPED * float(signs @ kernel @ signs)


def of_kernels_by_class(f: np.ndarray, p: np.ndarray) -> float:
    squares, labels, answers = ((f[:, None] - f[None]) ** 2).sum(axis=2), a_batch().source.y.numpy(), p[N:]
    kernel = np.exp(-squares / (squares.sum() / (2 * N * (2 * N - 1))))
    shared = sorted({*labels.tolist()} & {*answers.argmax(axis=1).tolist()})
    assert shared
    signs = [
        np.concatenate([(labels == c) / (labels == c).sum(), -answers[:, c] / answers[:, c].sum()]) for c in shared
    ]
    return 0.5 * RAMPED * float(np.mean([w @ kernel @ w for w in signs]))


def of_the_cheapest_matching(f: np.ndarray, p: np.ndarray) -> float:
    labels = a_batch().source.y.numpy()
    cost = ((f[:N, None] - f[None, N:]) ** 2).sum(axis=2) - 0.5 * np.log(p[N:].T[labels])
    return float(min(cost[np.arange(N), list(order)].mean() for order in permutations(range(N))))


@pytest.mark.parametrize(
    ("method", "term"),
    [
        (DDC(weight=0.5), of_means),
        (BNM(weight=0.5), of_rank),
        (AFN(weight=0.5, step=3.0), of_norms),
        (DSAN(weight=0.5, factors=(1.0,)), of_kernels_by_class),
        (DeepJDOT(distance=1.0, disagreement=0.5), of_the_cheapest_matching),
        (JAN(weight=0.5, factors=(1.0,), bandwidth=2.0), of_joint_kernels),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_loss_is_the_sources_and_one_term_more(
    method: Stepwise[Batch], term: Callable[[np.ndarray, np.ndarray], float]
) -> None:
    nets, batch = networks(), a_batch()
    (update,) = method.updates(nets, batch)
    with torch.no_grad():
        f = nets["features"](torch.cat([batch.source.x, batch.target.x])).numpy()
        p = softmax(nets["classifier"](torch.from_numpy(f)).numpy())
    labels = -np.log(p[np.arange(N), batch.source.y.numpy()]).mean()
    assert update.loss.item() == pytest.approx(labels + term(f, p), rel=1e-9)
    assert update.trains == ("features", "classifier")


def test_every_norm_grows_along_its_own_direction_and_no_further_than_the_step_says() -> None:
    nets, batch = networks(), a_batch()
    gradients = []
    for step in (0.0, 2.0):
        (update,) = AFN(weight=1.0, step=step).updates(nets, batch)
        gradients.append(torch.autograd.grad(update.loss, nets["features"].weight)[0])
    # What the step adds to the gradient: −2 Δr times the mean direction of either side's features, times its inputs.
    expected = torch.zeros(D, 2, dtype=torch.float64)
    for x in (batch.source.x, batch.target.x):
        f = nets["features"](x).detach()
        expected -= 2 * 2.0 / N * (f / f.norm(dim=1, keepdim=True)).T @ x
    assert torch.allclose(gradients[1] - gradients[0], expected)
