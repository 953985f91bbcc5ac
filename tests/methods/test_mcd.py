"""MCD against the schedule of its authors' code, written out naively."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from acclimate.methods.classification.mcd import MCD, OneStepMCD
from acclimate.networks.architecture import Architecture
from acclimate.networks.digits import McdSvhn, McdUsps
from acclimate.training.gradients import backward
from acclimate.types import Batch, Examples

USPS, SVHN = McdUsps(1), McdSvhn(1)  # the first has its dropout in the classifiers, the second in the features
NAMES = ("features", "classifier_1", "classifier_2")


Step = Callable[[dict[str, nn.Module], Mapping[str, torch.optim.Optimizer], Batch, int], None]


def networks(dtype: torch.dtype, architecture: Architecture = USPS) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {name: net.to(dtype) for name, net in MCD().networks(architecture, 10).items()}


def optimizers(nets: dict[str, nn.Module]) -> dict[str, torch.optim.Adam]:
    return {name: torch.optim.Adam(net.parameters(), lr=2e-4, weight_decay=5e-4) for name, net in nets.items()}


def batches(count: int, size: int, dtype: torch.dtype, side: int = 28) -> list[Batch]:
    generator = torch.Generator().manual_seed(1)

    def images() -> Tensor:
        return torch.randn(size, 1, side, side, generator=generator, dtype=dtype)

    labels = torch.randint(0, 10, (size,), generator=generator)
    return [Batch(Examples(images(), labels), Examples(images(), torch.full((size,), -1)), 0.0) for _ in range(count)]


def naive_step(nets: dict[str, nn.Module], opts: Mapping[str, torch.optim.Optimizer], batch: Batch, n: int) -> None:
    """Every gradient computed, the unwanted ones thrown away: what the released code does."""
    g, c1, c2 = (nets[name] for name in NAMES)
    x, y, target = batch.source.x, batch.source.y, batch.target.x

    def zero() -> None:
        for optimizer in opts.values():
            optimizer.zero_grad()

    def discrepancy(a: Tensor, b: Tensor) -> Tensor:
        return torch.mean(torch.abs(F.softmax(a, dim=1) - F.softmax(b, dim=1)))

    zero()
    features = g(x)
    (F.cross_entropy(c1(features), y) + F.cross_entropy(c2(features), y)).backward()
    for name in NAMES:
        opts[name].step()

    zero()
    features, target_features = g(x), g(target)
    source_loss = F.cross_entropy(c1(features), y) + F.cross_entropy(c2(features), y)
    (source_loss - discrepancy(c1(target_features), c2(target_features))).backward()
    opts["classifier_1"].step()
    opts["classifier_2"].step()

    for _ in range(n):
        zero()
        target_features = g(target)
        discrepancy(c1(target_features), c2(target_features)).backward()
        opts["features"].step()


def our_step(nets: dict[str, nn.Module], opts: Mapping[str, torch.optim.Optimizer], batch: Batch, n: int) -> None:
    for update in MCD(n=n).updates(nets, batch):
        backward(update, nets)
        for name in update.trains:
            opts[name].step()


@pytest.mark.parametrize(
    ("architecture", "dtype", "n"),
    [(USPS, torch.float64, 1), (USPS, torch.float64, 4), (USPS, torch.float32, 2), (SVHN, torch.float32, 2)],
)
def test_weights_and_statistics_are_bit_identical_to_the_naive_schedule(
    architecture: Architecture, dtype: torch.dtype, n: int
) -> None:
    found = []
    for step in (naive_step, our_step):
        nets = networks(dtype, architecture)
        opts = optimizers(nets)
        torch.manual_seed(2)  # dropout
        count, size = (3, 16) if architecture is USPS else (1, 4)
        for batch in batches(count, size, dtype, architecture.input_size):
            step(nets, opts, batch, n)
        found.append({f"{name}.{k}": v for name, net in nets.items() for k, v in net.state_dict().items()})
    naive, ours = found
    assert all(torch.equal(naive[k], ours[k]) for k in naive)


def test_dropout_and_statistics_are_live_in_every_step() -> None:
    # Guards the test above: with anything frozen both schedules could agree for the wrong reason.
    nets = networks(torch.float64)
    our_step(nets, optimizers(nets), batches(1, 16, torch.float64)[0], 4)
    assert nets["features"][1].num_batches_tracked == 1 + 2 + 4
    assert nets["classifier_1"][2].num_batches_tracked == 1 + 2 + 4


class Opaque(nn.Module):
    """A network that does not show what it is made of, so that nothing of it can be reused."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def count_flop(step: Step, wrap: Callable[[nn.Module], nn.Module] = lambda net: net) -> float:
    """Of one step with n = 4 on 128 + 128 images, in 10⁹: 64 times those of 2 + 2."""
    torch.manual_seed(0)
    nets = MCD().networks(McdSvhn(3), 10)
    nets["features"] = wrap(nets["features"])
    source, target = (Examples(torch.randn(2, 3, 32, 32), torch.zeros(2, dtype=torch.long)) for _ in range(2))
    # What moves the weights is not counted, and Adam would take longer over them than all that is.
    opts = {name: torch.optim.SGD(net.parameters()) for name, net in nets.items()}
    with FlopCounterMode(display=False) as counter:
        step(nets, opts, Batch(source, target, 0.0), 4)
    return 64 * counter.get_total_flops() / 1e9


def test_spends_no_operation_on_gradients_nobody_uses_nor_on_features_that_are_known() -> None:
    assert count_flop(naive_step) == pytest.approx(432, abs=1)
    assert count_flop(our_step, Opaque) <= 345
    assert count_flop(our_step) <= 327


def test_one_step_form_is_the_gradient_of_both_players() -> None:
    nets = networks(torch.float64)
    for net in nets.values():
        net.eval()  # no dropout and fixed statistics, so that both players can be differentiated by hand
    batch = batches(1, 8, torch.float64)[0]
    batch = Batch(batch.source, batch.target, progress=1.0)
    method = OneStepMCD(ramp=1e3, max_reversal=0.5)
    (update,) = method.updates(nets, batch)
    backward(update, nets)
    found = {name: [p.grad.clone() for p in net.parameters()] for name, net in nets.items()}

    g, c1, c2 = (nets[name] for name in NAMES)

    def losses() -> tuple[Tensor, Tensor]:
        f, t = g(batch.source.x), g(batch.target.x)
        label = F.cross_entropy(c1(f), batch.source.y) + F.cross_entropy(c2(f), batch.source.y)
        return label, (c1(t).softmax(1) - c2(t).softmax(1)).abs().mean()

    label, d = losses()
    expected = torch.autograd.grad(label + 0.5 * d, list(g.parameters()))
    assert all(torch.allclose(a, b) for a, b in zip(found["features"], expected, strict=True))
    label, d = losses()
    expected = torch.autograd.grad(label - d, list(c1.parameters()))
    assert all(torch.allclose(a, b) for a, b in zip(found["classifier_1"], expected, strict=True))


def test_the_answer_is_the_sum_of_both_classifiers_logits() -> None:
    nets = networks(torch.float64)
    for net in nets.values():
        net.eval()
    x = batches(1, 4, torch.float64)[0].source.x
    features = nets["features"](x)
    expected = nets["classifier_1"](features) + nets["classifier_2"](features)
    assert torch.equal(MCD().logits(nets, x), expected)
    assert MCD().heads(nets, features).keys() == {"classifier_1", "classifier_2"}
