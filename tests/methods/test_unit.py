"""UNIT against its losses, written out as the authors compute them: image by image, each pass for itself."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.translation.unit import UNIT
from acclimate.networks.unit import Unit
from acclimate.training.gradients import backward
from acclimate.types import Batch, Examples, Update

B, K = 4, 3
CRITIC = {"source_critic", "target_critic", "shared_critic", "verdict", "classifier"}


def small(**options: Any) -> UNIT:
    return UNIT(maps=2, critic_maps=2, **options)


def networks(method: UNIT, *, dropout: bool = False) -> dict[str, nn.Module]:
    """In training mode and after some training: sides differ; without dropout other orders of passes compare."""
    torch.manual_seed(0)
    nets = {name: net.double() for name, net in method.networks(Unit(1), K).items()}
    with torch.no_grad():
        for name in ("target_features", "target_decoder", "target_critic"):
            for weights in nets[name].parameters():
                weights.add_(0.05 * torch.randn_like(weights))
    for net in nets.values():
        for layer in net.modules():
            if isinstance(layer, nn.Dropout) and not dropout:
                layer.p = 0.0
    return nets


def a_batch(labelled: int = 0, n_target: int = B) -> Batch:
    generator = torch.Generator().manual_seed(1)

    def images(n: int) -> Tensor:
        return torch.rand(n, 1, 32, 32, generator=generator, dtype=torch.float64) * 2 - 1

    def labels(n: int) -> Tensor:
        return torch.randint(0, K, (n,), generator=generator)

    given = Examples(images(labelled), labels(labelled)) if labelled else None
    return Batch(
        Examples(images(B), labels(B)), Examples(images(n_target), torch.full((n_target,), -1)), 0.0, given, 0.1
    )


def both_updates(method: UNIT, nets: dict[str, Any], batch: Batch) -> tuple[Update, Update]:
    torch.manual_seed(5)
    critic, generators = method.updates(nets, batch)
    return critic, generators


class Written:
    """All that the losses are made of, one image set after the other."""

    def __init__(self, nets: dict[str, Any], batch: Batch) -> None:
        self.nets, self.batch = nets, batch
        torch.manual_seed(5)
        x_s, x_t = batch.source.x, batch.target.x
        first = torch.cat([nets["source_features"](x_s), nets["target_features"](x_t)])
        self.mean, self.deviation = nets["latent"](nets["shared_features"](first)).unbind(1)
        self.z = self.mean + self.deviation * torch.randn_like(self.mean)
        shared = nets["shared_decoder"](self.z)
        n = len(x_s)
        self.ss, self.ts = nets["source_decoder"](shared)[:n], nets["source_decoder"](shared)[n:]
        self.st, self.tt = nets["target_decoder"](shared)[:n], nets["target_decoder"](shared)[n:]

    def scores(self, x: Tensor, side: str) -> list[float]:
        nets = self.nets
        return nets["verdict"](nets["shared_critic"](nets[f"{side}_critic"](x)))[:, 0].tolist()

    def features(self, x: Tensor, side: str) -> Tensor:
        return self.nets["shared_critic"](self.nets[f"{side}_critic"](x), True)

    def class_loss(self, examples: Examples, side: str) -> float:
        nets = self.nets
        logits = nets["classifier"](nets["shared_critic"](nets[f"{side}_critic"](examples.x))).tolist()
        each = [
            math.log(sum(math.exp(v) for v in row)) - row[y]
            for row, y in zip(logits, examples.y.tolist(), strict=True)
        ]
        return sum(each) / len(each)


def bce(scores: list[float], real: bool) -> float:
    """Softmax over two logits, of which one stays 0, is one logit's sigmoid."""
    each = [math.log(math.exp(0) + math.exp(s)) - (s if real else 0.0) for s in scores]
    return sum(each) / len(each)


def squares(a: Tensor, b: Tensor) -> float:
    return sum(v * v for v in (a - b).flatten().tolist()) / len(a)


@pytest.mark.parametrize(("labelled", "n_target"), [(0, B), (3, B), (0, 6)])
def test_the_critics_loss_is_its_terms_added_up(labelled: int, n_target: int) -> None:
    method = small(adversarial=0.8, classification=7.0, matching=0.02)
    nets, batch = networks(method), a_batch(labelled, n_target)
    critic, _ = both_updates(method, nets, batch)
    w = Written(nets, batch)
    real = w.scores(batch.source.x, "source") + w.scores(batch.target.x, "target")
    translated = w.scores(w.ts, "source") + w.scores(w.st, "target")
    reconstructed = w.scores(w.ss, "source") + w.scores(w.tt, "target")
    expected = 0.8 * (bce(real, True) + 0.5 * (bce(translated, False) + bce(reconstructed, False)))
    expected += 7 * w.class_loss(batch.source, "source")
    if batch.labelled_target is not None:
        expected += 7 * w.class_loss(batch.labelled_target, "target")
    h_ss, h_st = w.features(w.ss, "source"), w.features(w.st, "target")
    h_tt, h_ts = w.features(w.tt, "target"), w.features(w.ts, "source")
    expected += 0.02 * (squares(h_ss, h_st) + squares(h_tt, h_ts))
    assert critic.loss.item() == pytest.approx(expected, rel=1e-9)
    assert set(critic.trains) == CRITIC


@pytest.mark.parametrize("n_target", [B, 6])
def test_the_generators_loss_is_its_terms_added_up(n_target: int) -> None:
    method = small(adversarial=0.8, kl=0.01, reconstruction=0.02)
    nets, batch = networks(method), a_batch(0, n_target)
    _, generators = both_updates(method, nets, batch)
    w = Written(nets, batch)
    translated = w.scores(w.ts, "source") + w.scores(w.st, "target")
    reconstructed = w.scores(w.ss, "source") + w.scores(w.tt, "target")
    expected = 0.8 * (bce(translated, True) + bce(reconstructed, True))
    pairs = zip(w.mean.flatten().tolist(), w.deviation.flatten().tolist(), strict=True)
    expected += 0.01 * sum(0.5 * (m * m + s * s - math.log(s * s) - 1) for m, s in pairs) / len(w.mean)
    expected += 0.02 * (squares(w.ss, batch.source.x) + squares(w.tt, batch.target.x))
    assert generators.loss.item() == pytest.approx(expected, rel=1e-9)
    assert set(generators.trains) == set(nets) - CRITIC


def test_the_generators_gradient_has_the_authors_weights() -> None:
    # Theirs: 10⁻⁴ · 2 · Σ (μ² + σ² − ln σ²) / 2b, which is our divergence with another constant.
    method, batch = UNIT(maps=2, critic_maps=2), a_batch()
    nets = networks(method)
    _, generators = both_updates(method, nets, batch)
    backward(generators, nets)
    found = {name: [p.grad for p in nets[name].parameters() if p.requires_grad] for name in generators.trains}

    w = Written(nets, batch)
    parameters = {name: [p for p in nets[name].parameters() if p.requires_grad] for name in generators.trains}

    def two_logits(*images: tuple[Tensor, str]) -> Tensor:
        first = torch.cat([nets[f"{side}_critic"](x) for x, side in images])
        one = nets["verdict"](nets["shared_critic"](first))
        return F.cross_entropy(torch.cat([torch.zeros_like(one), one], 1), torch.ones(len(one), dtype=torch.long))

    loss = two_logits((w.ts, "source"), (w.st, "target")) + two_logits((w.ss, "source"), (w.tt, "target"))
    encoding = (w.mean**2 + w.deviation**2 - torch.log(w.deviation**2)).sum() / len(w.mean)
    loss = loss + 1e-4 * 2 * encoding
    loss = loss + 1e-3 * ((w.ss - batch.source.x) ** 2).mean() * 32 * 32
    loss = loss + 1e-3 * ((w.tt - batch.target.x) ** 2).mean() * 32 * 32
    for name, own in parameters.items():
        expected = torch.autograd.grad(loss, own, retain_graph=True)
        assert all(torch.allclose(a, b, rtol=1e-6, atol=1e-12) for a, b in zip(found[name], expected, strict=True))


def test_both_sides_begin_alike_and_share_no_weight_of_their_own() -> None:
    nets = small().networks(Unit(1), K)
    for name in ("features", "decoder", "critic"):
        of_source, of_target = nets[f"source_{name}"].state_dict(), nets[f"target_{name}"].state_dict()
        assert of_source.keys() == of_target.keys()
        assert all(torch.equal(of_source[key], of_target[key]) for key in of_source)
        own = {weights.data_ptr() for weights in nets[f"source_{name}"].parameters()}
        assert own.isdisjoint(weights.data_ptr() for weights in nets[f"target_{name}"].parameters())


def test_the_defaults_are_the_authors() -> None:
    method = UNIT()
    assert (method.adversarial, method.classification, method.matching) == (1, 10, 1e-4)
    assert (method.kl, method.reconstruction) == (4e-4, 1e-3)
    assert (method.cycle_kl, method.cycle_reconstruction, method.coordinates) == (0, 0, False)
    assert (method.maps, method.critic_maps) == (96, 64)
    assert UNIT.recipe == {
        "steps": 20_000,
        "batch_size": 64,
        "optimizer": "adam",
        "lr": 2e-4,
        "momentum": 0.5,
        "weight_decay": 5e-4,
    }


class Counting(nn.Module):
    """A network that remembers what it was given and what it gave."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.inputs, self.outputs = net, [], []

    def forward(self, *args: Any) -> Tensor:
        self.inputs.append(args)
        self.outputs.append(self.net(*args))
        return self.outputs[-1]  # type: ignore[no-any-return]


def counted(method: UNIT) -> dict[str, Any]:
    return {name: Counting(net) for name, net in networks(method, dropout=True).items()}


def test_the_generators_run_once_and_their_pictures_reach_the_critic_as_data() -> None:
    method, batch = small(), a_batch()
    nets = counted(method)
    torch.manual_seed(0)
    steps = method.updates(nets, batch)
    next(steps)
    for side in ("source", "target"):
        real, made = (args[0] for args in nets[f"{side}_critic"].inputs)
        assert torch.equal(real, getattr(batch, side).x)
        assert torch.equal(made, nets[f"{side}_decoder"].outputs[0])
        assert len(made) == 2 * B
        assert not made.requires_grad
    assert [len(args) for args in nets["shared_critic"].inputs] == [1, 1, 2]  # real, made, made without dropout
    next(steps)
    for side in ("source", "target"):
        assert nets[f"{side}_critic"].inputs[2][0] is nets[f"{side}_decoder"].outputs[0]
    assert len(nets["shared_critic"].inputs) == 4
    for name in set(nets) - CRITIC:
        assert len(nets[name].inputs) == 1, name
    assert next(steps, None) is None


def test_both_sides_are_normalised_as_one_batch_in_shared_layers_and_each_alone_in_its_own() -> None:
    method, batch = small(), a_batch()
    nets = networks(method)
    both_updates(method, nets, batch)
    first = torch.cat([nets[f"{side}_features"][0](getattr(batch, side).x) for side in ("source", "target")])
    for i, side in enumerate(("source", "target")):
        layer = nets[f"{side}_features"][1]
        assert layer.num_batches_tracked == 1
        seen = first[i * B : (i + 1) * B]
        assert torch.allclose(layer.running_mean, 0.1 * seen.mean(dim=(0, 2, 3)))
    fresh = networks(method)  # the same weights, statistics untouched
    inputs = torch.cat([fresh["source_features"](batch.source.x), fresh["target_features"](batch.target.x)])
    convolved = fresh["shared_features"][0](inputs)
    assert torch.allclose(nets["shared_features"][1].running_mean, 0.1 * convolved.mean(dim=(0, 2, 3)))


def test_no_gradient_reaches_the_other_player() -> None:
    method, batch = small(cycle_kl=1, cycle_reconstruction=1), a_batch(2)
    nets = networks(method)
    for update in method.updates(nets, batch):
        for net in nets.values():
            net.zero_grad(set_to_none=True)
        backward(update, nets)
        reached = {name for name, net in nets.items() if any(p.grad is not None for p in net.parameters())}
        assert reached == set(update.trains)


def test_matching_features_costs_nothing_when_off() -> None:
    nets, batch = counted(small(matching=0)), a_batch()
    critic, _ = both_updates(small(matching=0), nets, batch)
    assert [len(args) for args in nets["shared_critic"].inputs] == [1, 1, 1]
    assert "matching" not in critic.logs


def test_cycle_terms_are_of_what_comes_back() -> None:
    batch, method = a_batch(), small(cycle_kl=0.3, cycle_reconstruction=0.2)
    nets = networks(method)
    _, off = both_updates(small(), nets, batch)
    watched: dict[str, Any] = {name: Counting(net) for name, net in nets.items()}
    _, on = both_updates(method, watched, batch)

    w = Written(nets, batch)
    first = torch.cat([nets["source_features"](w.ts), nets["target_features"](w.st)])
    mean, deviation = nets["latent"](nets["shared_features"](first)).unbind(1)
    z = watched["shared_decoder"].inputs[1][0]
    noise = (z - mean) / deviation
    assert noise.std().item() == pytest.approx(1, abs=0.3)
    assert not torch.allclose(noise, (w.z - w.mean) / w.deviation)  # a draw of its own
    shared = nets["shared_decoder"](z)
    back_t, back_s = nets["target_decoder"](shared[:B]), nets["source_decoder"](shared[B:])
    pairs = zip(mean.flatten().tolist(), deviation.flatten().tolist(), strict=True)
    expected = 0.3 * sum(0.5 * (m * m + s * s - math.log(s * s) - 1) for m, s in pairs) / (2 * B)
    expected += 0.2 * (squares(back_s, batch.source.x) + squares(back_t, batch.target.x))
    assert (on.loss - off.loss).item() == pytest.approx(expected, rel=1e-9)
    assert watched["target_features"].inputs[1][0].requires_grad  # a translation learns from what becomes of it


def test_given_labels_of_the_target_are_read_through_its_own_stage() -> None:
    method = small()
    nets = networks(method)
    (without, _), (given, _) = (both_updates(method, nets, a_batch(n)) for n in (0, 3))
    assert given.loss != without.loss
    batch = a_batch(3)
    assert batch.labelled_target is not None
    w = Written(nets, batch)
    by_class = w.class_loss(batch.source, "source") + w.class_loss(batch.labelled_target, "target")
    assert given.logs["class"].item() == pytest.approx(by_class, rel=1e-9)


def test_an_image_of_either_side_is_read_as_it_is() -> None:
    method = small()
    nets = counted(method)
    for net in nets.values():
        net.eval()
    x = a_batch().source.x
    for side, other in (("source", "target"), ("target", "source")):
        for net in nets.values():
            net.inputs.clear()
        read = method.answer(nets, x, torch.zeros(B, 16), side)  # type: ignore[arg-type]
        used = {name for name, net in nets.items() if net.inputs}
        assert used == {f"{side}_critic", "shared_critic", "classifier"}
        expected = nets["classifier"].net(nets["shared_critic"].net(nets[f"{side}_critic"].net(x)))
        assert torch.equal(read, expected)
        assert f"{other}_critic" not in used


def test_codes_are_decoded_to_either_side_and_read_as_the_sources() -> None:
    method = small()
    nets = networks(method)
    for net in nets.values():
        net.eval()
    x = a_batch().target.x
    code = method.embed(nets, x)
    assert code.shape == (B, 16)
    for side in ("source", "target"):
        made = method.decode(nets, code, side)  # type: ignore[arg-type]
        assert torch.equal(made, nets[f"{side}_decoder"](nets["shared_decoder"](code)))
    translated = method.decode(nets, code, "source")
    assert torch.equal(method.classify(nets, code), method.answer(nets, translated, code, "source"))
    found = method.monitor(nets, x, "target")
    assert found["reconstruction"].item() == pytest.approx(squares(method.decode(nets, code, "target"), x), rel=1e-9)
    assert found["kl"] > 0


def test_coordinates_reach_the_encoders_alone() -> None:
    method = small(coordinates=True)
    nets = networks(method)
    assert nets["source_features"][1].in_channels == 3
    assert nets["source_critic"][0].in_channels == 1
    both_updates(method, nets, a_batch())
