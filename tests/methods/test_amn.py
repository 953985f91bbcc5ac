from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from acclimate.methods.sentiment.amn import AMN
from acclimate.networks.memory import Memory
from acclimate.training.gradients import backward
from acclimate.types import Batch, Examples

SOURCE = Examples(torch.tensor([[2, 3, 0], [4, 4, 5], [6, 0, 0]]), torch.tensor([0, 1, 1]))
TARGET = Examples(torch.tensor([[7, 3, 2, 2], [8, 9, 0, 0]]), torch.tensor([-1, -1]))


def nets_of(method: AMN) -> dict[str, torch.nn.Module]:
    torch.manual_seed(3)
    nets = method.networks(Memory(10, d=4), 2)
    with torch.no_grad():
        nets["features"].query.mul_(100)
    return {name: net.double() for name, net in nets.items()}


def losses(nets: dict[str, torch.nn.Module], rho: float) -> tuple[Tensor, Tensor, Tensor]:
    """L_sen, L_dom and ρ L_reg, one text after the other."""
    sen, dom, texts = [], [], []
    for x, y, domain in [(*pair, 0) for pair in zip(SOURCE.x, SOURCE.y, strict=True)] + [
        (x, None, 1) for x in TARGET.x
    ]:
        v = nets["features"](x[None])[0]
        if y is not None:
            sen.append(-torch.log_softmax(nets["classifier"].weight @ v + nets["classifier"].bias, 0)[y])
        z = nets["discriminator"].weight[0] @ v + nets["discriminator"].bias[0]
        dom.append(-F.logsigmoid(z if domain else -z))
        texts.append(v)
    squares = [p.square().sum() for name in ("classifier", "discriminator") for p in nets[name].parameters()]
    return sum(sen) / len(sen), sum(dom) / len(texts), rho * sum(squares) / 2


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("progress", [0.0, 0.002, 0.5])
def test_one_step_is_the_papers(hops: int, progress: float) -> None:
    method = AMN(hops=hops, penalty=0.05)
    nets = nets_of(method)
    (update,) = method.updates(nets, Batch(SOURCE, TARGET, progress))
    sen, dom, reg = losses(nets, 0.05)
    torch.testing.assert_close(update.loss, sen + dom + reg)
    backward(update, nets)
    ours = {(n, k): p.grad.clone() for n, net in nets.items() for k, p in net.named_parameters()}

    ramp = min(2 / (1 + math.exp(-10 * progress)) - 1, 0.1)
    for (name, key), gradient in ours.items():
        parameter = dict(nets[name].named_parameters())[key]
        from_sen, from_dom, from_reg = (
            torch.zeros_like(parameter) if g is None else g
            for g in (
                torch.autograd.grad(loss, parameter, retain_graph=True, allow_unused=True)[0]
                for loss in losses(nets, 0.05)
            )
        )
        sign = -ramp if name == "features" else 1
        torch.testing.assert_close(gradient, from_sen + sign * from_dom + from_reg, msg=f"{name}.{key}")


def test_the_cap_on_the_reversal_can_be_lifted() -> None:
    nets = nets_of(AMN())
    logged = [next(AMN(max_reversal=m).updates(nets, Batch(SOURCE, TARGET, 0.5))).logs for m in (0.0, 0.1, 1.0)]
    assert [logs["reversal"] for logs in logged] == pytest.approx([0, 0.1, 2 / (1 + math.exp(-5)) - 1])


def test_labelled_target_texts_join_in() -> None:
    method, nets = AMN(), nets_of(AMN())
    given = Examples(torch.tensor([[8, 9]]), torch.tensor([1]))
    without = next(method.updates(nets, Batch(SOURCE, TARGET, 0.1))).logs["label_loss"]
    joined = next(method.updates(nets, Batch(SOURCE, TARGET, 0.1, given))).logs["label_loss"]
    logits = nets["classifier"](nets["features"](given.x))
    torch.testing.assert_close(joined, without + F.cross_entropy(logits, given.y).detach())
