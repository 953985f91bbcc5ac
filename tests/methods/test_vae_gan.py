"""The shared-latent VAE-GAN against its losses, written out term by term."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.translation.vae_gan import SharedLatentVAEGAN
from acclimate.networks.vae_gan import VaeGan
from acclimate.training.gradients import backward
from acclimate.types import Examples, InterleavedBatch, Update

B, K = 5, 3
CRITICS = {"source_critic", "target_critic"}


def networks(method: SharedLatentVAEGAN) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {name: net.double() for name, net in method.networks(VaeGan(1), K).items()}


def small(**options: Any) -> SharedLatentVAEGAN:
    return SharedLatentVAEGAN(maps=2, **options)


def a_batch(labelled: bool, share: float = 0.25, seed: int = 1) -> InterleavedBatch:
    generator = torch.Generator().manual_seed(seed)

    def images() -> Tensor:
        return torch.rand(B, 1, 32, 32, generator=generator, dtype=torch.float64) * 2 - 1

    labels = torch.randint(0, K, (2, B), generator=generator)
    target = images()
    given = Examples(target, labels[1]) if labelled else None
    return InterleavedBatch(Examples(images(), labels[0]), Examples(target, torch.full((B,), -1)), 0.0, given, share)


def both_updates(
    method: SharedLatentVAEGAN, nets: dict[str, nn.Module], batch: InterleavedBatch
) -> tuple[Update, Update]:
    """Both updates of one batch, no weight moving in between."""
    torch.manual_seed(5)
    critics, generators = method.updates(nets, batch)
    return critics, generators


def bce(score: float, wanted: float) -> float:
    p = 1 / (1 + math.exp(-score))
    return -wanted * math.log(p) - (1 - wanted) * math.log(1 - p)


def cross_entropy(logits: Tensor, labels: Tensor) -> float:
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    return sum(math.log(sum(math.exp(v) for v in row)) - row[label] for row, label in rows) / len(labels)


def smooth_l1(made: Tensor, x: Tensor) -> float:
    errors = (made - x).abs().flatten().tolist()
    return sum(0.5 * e * e if e < 1 else e - 0.5 for e in errors) / len(x)


def divergence(mean: Tensor, deviation: Tensor) -> float:
    pairs = zip(mean.flatten().tolist(), deviation.flatten().tolist(), strict=True)
    return sum(0.5 * (m * m + s * s - math.log(s * s) - 1) for m, s in pairs) / len(mean)


@pytest.mark.parametrize("labelled", [False, True])
def test_both_losses_are_their_terms_added_up(labelled: bool) -> None:
    options = {"adversarial": 0.7, "kl": 0.003, "reconstruction": 0.02, "label_weight": 1.5, "smoothing": 0.2}
    method, batch = small(**options), a_batch(labelled)
    nets = networks(method)
    critics, generators = both_updates(method, nets, batch)

    # The same draws in the same order: codes, then each critic's masks for real and made images, noisy labels, and
    # masks once more.
    torch.manual_seed(5)
    e_s, e_t, latent, g_s, g_t, d_s, d_t = nets.values()
    x_s, x_t, y_s = batch.source.x, batch.target.x, batch.source.y
    (m_s, s_s), (m_t, s_t) = latent(e_s(x_s)).unbind(1), latent(e_t(x_t)).unbind(1)
    z_s, z_t = m_s + s_s * torch.randn_like(m_s), m_t + s_t * torch.randn_like(m_t)
    x_ts, x_st = g_s(z_t), g_t(z_s)
    alpha = 1.5 / 0.25

    (real_s, fake_s), (real_t, fake_t) = (
        d(torch.cat(pair)).chunk(2) for d, pair in ((d_s, (x_s, x_ts)), (d_t, (x_t, x_st)))
    )
    expected = 0.0
    for real, fake in ((real_s, fake_s), (real_t, fake_t)):
        wanted = 1 - 0.2 * torch.rand(B, 1, dtype=torch.float64)
        expected += sum(bce(r, t) for r, t in zip(real[:, 0].tolist(), wanted[:, 0].tolist(), strict=True)) / B
        expected += sum(bce(f, 0.0) for f in fake[:, 0].tolist()) / B
    expected += cross_entropy(real_s[:, 1:], y_s)
    if batch.labelled_target is not None:
        expected += alpha * cross_entropy(real_t[:, 1:], batch.labelled_target.y)
    assert critics.loss.item() == pytest.approx(expected, rel=1e-6)

    fake_s, fake_t = d_s(x_ts), d_t(x_st)
    fooled = sum(bce(f, 1.0) for f in fake_s[:, 0].tolist()) / B + sum(bce(f, 1.0) for f in fake_t[:, 0].tolist()) / B
    fooled += cross_entropy(fake_t[:, 1:], y_s)
    if batch.labelled_target is not None:
        fooled += alpha * cross_entropy(fake_s[:, 1:], batch.labelled_target.y)
    expected = 0.7 * fooled
    expected += 0.003 * divergence(m_s, s_s) + 0.02 * smooth_l1(g_s(z_s), x_s)
    expected += 0.003 * divergence(m_t, s_t) + 0.02 * smooth_l1(g_t(z_t), x_t)
    assert generators.loss.item() == pytest.approx(expected, rel=1e-6)


def test_the_defaults_are_the_authors() -> None:
    method = SharedLatentVAEGAN()
    assert (method.adversarial, method.kl, method.reconstruction, method.label_weight) == (1, 0.001, 0.01, 1)
    assert (method.cycle_kl, method.cycle_reconstruction, method.gradient_penalty) == (0, 0, 0)
    assert (method.distance, method.gan, method.smoothing, method.maps) == ("smooth-l1", "bce", 0.1, 32)


def test_dropout_is_the_critics_alone() -> None:
    nets = small(dropout=0.25).networks(VaeGan(1), K)
    dropped = {name: [m.p for m in net.modules() if isinstance(m, nn.Dropout)] for name, net in nets.items()}
    assert {name: ps for name, ps in dropped.items() if ps} == dict.fromkeys(CRITICS, [0.25] * 5)


class Counting(nn.Module):
    """A network that remembers what it was given."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.inputs = net, []

    def forward(self, x: Tensor) -> Tensor:
        self.inputs.append(x)
        return self.net(x)  # type: ignore[no-any-return]


def counted(method: SharedLatentVAEGAN) -> dict[str, Any]:
    return {name: Counting(net) for name, net in networks(method).items()}


def test_codes_are_drawn_once_and_translations_reach_the_critics_as_data() -> None:
    method, batch = small(), a_batch(True)
    nets = counted(method)
    steps = method.updates(nets, batch)
    critics = next(steps)
    assert set(critics.trains) == CRITICS
    (z_t,), (z_s,) = nets["source_decoder"].inputs, nets["target_decoder"].inputs
    for name, x in (("source", batch.source.x), ("target", batch.target.x)):
        (together,) = nets[f"{name}_critic"].inputs
        assert torch.equal(together[:B], x)
        assert not together.requires_grad
    generators = next(steps)
    assert set(generators.trains) == set(nets) - CRITICS
    assert [len(nets[f"{side}_features"].inputs) for side in ("source", "target")] == [1, 1]
    assert nets["source_decoder"].inputs[1] is z_s  # the reconstruction is of the code that was translated
    assert nets["target_decoder"].inputs[1] is z_t
    for name in ("source", "target"):
        together, fooling = nets[f"{name}_critic"].inputs
        assert torch.equal(together[B:], fooling)
        assert fooling.requires_grad
    assert next(steps, None) is None


def test_no_gradient_reaches_the_other_player() -> None:
    method, batch = small(), a_batch(True)
    nets = networks(method)
    torch.manual_seed(5)
    for update in method.updates(nets, batch):
        for net in nets.values():
            net.zero_grad(set_to_none=True)
        backward(update, nets)
        reached = {name for name, net in nets.items() if any(p.grad is not None for p in net.parameters())}
        assert reached == set(update.trains)


def test_labels_weigh_by_how_rare_they_are_and_only_in_labelled_turns() -> None:
    method = small(label_weight=2.0)
    nets = networks(method)
    losses = {}
    for share in (0.25, 0.01):
        critics, generators = both_updates(method, nets, a_batch(True, share))
        losses[share] = critics, generators
        assert {"class/target"} <= set(critics.logs)
    for i, name in enumerate(("class/target", "class/to_source")):
        rare, common = losses[0.01][i], losses[0.25][i]
        by_class = float(common.logs[name])
        assert (rare.loss - common.loss).item() == pytest.approx((2 / 0.01 - 2 / 0.25) * by_class, rel=1e-6)
    # In an unlabelled turn the share says that there are labels, but there are none to learn from here.
    one, other = (both_updates(method, nets, a_batch(False, share)) for share in (0.25, 0.01))
    for a, b in zip(one, other, strict=True):
        assert a.loss.item() == b.loss.item()
        assert not {"class/target", "class/to_source"} & set(a.logs)


def test_a_source_image_is_read_as_it_is_and_a_target_image_is_translated() -> None:
    method = small()
    nets = counted(method)
    for net in nets.values():
        net.eval()
    x = a_batch(False).source.x
    features = torch.randn(B, 32)
    read = method.answer(nets, x, features, "source")
    assert not any(nets[name].inputs for name in set(nets) - {"source_critic"})
    assert torch.equal(read, nets["source_critic"](x)[:, 1:])

    code = nets["latent"](nets["target_features"](x))[:, 0]
    expected = nets["source_critic"](nets["source_decoder"](code))[:, 1:]
    assert torch.allclose(method.logits(nets, x, "target"), expected)


def test_translating_twice_the_same_way_round_is_the_decoder_of_the_code() -> None:
    method = small()
    nets = networks(method)
    for net in nets.values():
        net.eval()
    x = a_batch(False).source.x
    code = method.embed(nets, x, "source")
    assert code.shape == (B, 32)
    assert torch.equal(method.decode(nets, code, "target"), nets["target_decoder"](code))
    found = method.monitor(nets, x, "source")
    mean, deviation = nets["latent"](nets["source_features"](x)).unbind(1)
    assert found["kl"].item() == pytest.approx(divergence(mean, deviation), rel=1e-5)
    assert found["reconstruction"].item() == pytest.approx(smooth_l1(nets["source_decoder"](mean), x), rel=1e-6)


def test_cycle_terms_are_of_what_comes_back_and_cost_nothing_when_off() -> None:
    batch = a_batch(False)
    nets = counted(small())
    _, off = both_updates(small(), nets, batch)
    passes_off = {name: len(net.inputs) for name, net in nets.items()}
    assert passes_off["source_features"] == passes_off["target_features"] == passes_off["source_critic"] - 1 == 1

    method = small(cycle_kl=0.3, cycle_reconstruction=0.2)
    nets = counted(method)
    _, on = both_updates(method, nets, batch)
    assert len(nets["source_features"].inputs) == len(nets["target_features"].inputs) == 2

    x_st, x_ts = nets["target_features"].inputs[1], nets["source_features"].inputs[1]
    assert x_st.requires_grad  # the translation is to learn from what becomes of it
    assert torch.equal(x_st, nets["target_critic"].inputs[-1])
    expected = 0.0
    for back, side in (("source", "target"), ("target", "source")):
        translated = {"target": x_st, "source": x_ts}[side]
        mean, deviation = nets["latent"].net(nets[f"{side}_features"].net(translated)).unbind(1)
        z = nets[f"{back}_decoder"].inputs[-1]  # the last thing decoded there is what came back
        x = batch.source.x if back == "source" else batch.target.x
        expected += 0.3 * divergence(mean, deviation)
        expected += 0.2 * smooth_l1(nets[f"{back}_decoder"].net(z), x)
    assert (on.loss - off.loss).item() == pytest.approx(expected, rel=1e-5)


def test_the_penalty_is_of_real_images_of_both_sides() -> None:
    batch = a_batch(False)
    nets = networks(small())
    for net in nets.values():
        net.eval()  # one critic without masks, so that its slope can be found by differences
    plain, _ = both_updates(small(smoothing=0), nets, batch)
    penal, _ = both_updates(small(smoothing=0, gradient_penalty=0.5), nets, batch)
    expected = 0.0
    for side, x in (("source", batch.source.x), ("target", batch.target.x)):
        x = x.clone().requires_grad_()
        for i in range(B):
            (slope,) = torch.autograd.grad(nets[f"{side}_critic"](x)[i, 0], x)
            expected += 0.5 * (slope[i] ** 2).sum().item() / B
    assert (penal.loss - plain.loss).item() == pytest.approx(0.5 * expected, rel=1e-6)
    assert penal.logs["gradient_penalty"].item() == pytest.approx(expected, rel=1e-6)
    assert not batch.source.x.requires_grad


@pytest.mark.parametrize(("gan", "at_zero"), [("bce", 2 * math.log(2)), ("least-squares", 1.0), ("hinge", 2.0)])
def test_each_game_is_played_by_both(gan: str, at_zero: float) -> None:
    method, batch = small(gan=gan, smoothing=0, adversarial=1), a_batch(False)
    nets = networks(method)
    with torch.no_grad():
        for name in CRITICS:
            nets[name][-1].weight.zero_()
            nets[name][-1].bias.zero_()  # every score is 0
    critics, generators = both_updates(method, nets, batch)
    assert critics.logs["critic/source"].item() == pytest.approx(at_zero)
    assert critics.logs["critic/target"].item() == pytest.approx(at_zero)
    wanted = {"bce": math.log(2), "least-squares": 1.0, "hinge": 0.0}[gan]
    assert generators.logs["generator/to_source"].item() == pytest.approx(wanted)
    assert critics.logs["class/source"].item() == pytest.approx(math.log(K))


def test_one_batch_is_learnt_by_heart() -> None:
    method, batch = small(), a_batch(True, 1.0)
    nets = {name: net.float() for name, net in networks(method).items()}
    batch = InterleavedBatch(
        Examples(batch.source.x.float(), batch.source.y),
        Examples(batch.target.x.float(), batch.target.y),
        0.0,
        Examples(batch.target.x.float(), batch.labelled_target.y),
        1.0,
    )
    optimizers = {name: torch.optim.AdamW(net.parameters(), 2e-3, (0.5, 0.999)) for name, net in nets.items()}
    distances = []
    for _ in range(60):
        for update in method.updates(nets, batch):
            backward(update, nets)
            for name in update.trains:
                optimizers[name].step()
        distances.append(float(update.logs["reconstruction/source"]))
    assert distances[-1] < 0.9 * distances[0]
    assert F.cross_entropy(nets["source_critic"].eval()(batch.source.x)[:, 1:], batch.source.y) < math.log(K)
