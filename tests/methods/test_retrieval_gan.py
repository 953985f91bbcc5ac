"""The GAN between feature spaces against its losses, written out example by example."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.retrieval.common import matches
from acclimate.methods.retrieval.retrieval_gan import RetrievalGAN
from acclimate.networks.cross_modal import CrossModal, Encoded, SketchCnn
from acclimate.training.gradients import backward
from acclimate.types import Examples, GalleryBatch, Update

B, K, D, Q = 5, 3, 6, 4


def small(**options: Any) -> RetrievalGAN:
    return RetrievalGAN(**{"hidden": 7, "critic_hidden": (5, 3), **options})


def networks(method: RetrievalGAN) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {name: net.double() for name, net in method.networks(CrossModal(D, Encoded(Q)), K).items()}


def a_batch(known: tuple[bool, ...] = (True, True, False, True, False)) -> GalleryBatch:
    """Five queries, their counterparts and four further items, the last of which is the first query's own again."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.tensor([0, 1, 2, 0, 1])
    further = torch.tensor([2, 1, 0, 0])
    x = torch.randn(B, Q, generator=generator, dtype=torch.float64)
    items = torch.randn(B + 4, D, generator=generator, dtype=torch.float64)
    items[-1] = items[0]
    own = torch.zeros(B, B + 4, dtype=torch.bool)
    for i, is_known in enumerate(known):
        own[i, i] = is_known
    own[0, -1] = known[0]
    photos = Examples(items, torch.cat([labels, further]))
    return GalleryBatch(Examples(x, labels), photos, own, 0.0)


def both(method: RetrievalGAN, nets: dict[str, nn.Module], batch: GalleryBatch) -> tuple[Update, Update]:
    torch.manual_seed(5)
    critic, generator = method.updates(nets, batch)
    return critic, generator


def bce(score: float, wanted: float) -> float:
    p = 1 / (1 + math.exp(-score))
    return -wanted * math.log(p) - (1 - wanted) * math.log(1 - p)


def cross_entropy(logits: Tensor, labels: Tensor) -> float:
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    return sum(math.log(sum(math.exp(v) for v in row)) - row[label] for row, label in rows) / len(labels)


def cosine(a: list[float], b: list[float]) -> float:
    norms = math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / norms


def triplet(made: Tensor, batch: GalleryBatch, margin: float, positives: str) -> float:
    """Batch-hard, query by query and item by item."""
    losses = []
    for i, query in enumerate(made.tolist()):
        right, wrong = [], []
        for j, item in enumerate(batch.items.x.tolist()):
            distance = 1 - cosine(query, item)
            same = bool(batch.queries.y[i] == batch.items.y[j])
            own = bool(batch.counterparts[i, j])
            if positives == "instance" and not batch.counterparts[i].any():
                continue
            (right if (own if positives == "instance" else same) else wrong).append(distance)
        if right and wrong:
            losses.append(max(0.0, margin + max(right) - min(wrong)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("positives", ["class", "instance"])
def test_both_losses_are_their_terms_added_up(positives: str) -> None:
    method = small(w_adv=0.7, w_tri=1.3, w_cls=0.4, margin=0.25, smoothing=0.3, positives=positives)
    nets, batch = networks(method), a_batch()
    critic, generator = both(method, nets, batch)
    items = batch.items

    # The same draws in the same order: the generator's mask, the critic's masks, its noisy labels, and once more.
    torch.manual_seed(5)
    made = nets["generator"](batch.queries.x)
    real, fake = nets["critic"](items.x[B:]), nets["critic"](made)
    wanted = 1 - 0.3 * torch.rand(4, 1, dtype=torch.float64)
    expected = sum(bce(r, t) for r, t in zip(real.flatten().tolist(), wanted.flatten().tolist(), strict=True)) / 4
    expected += sum(bce(f, 0.0) for f in fake.flatten().tolist()) / B
    assert critic.loss.item() == pytest.approx(expected, rel=1e-9)
    assert critic.trains == ("critic",)

    made = nets["generator"](batch.queries.x)
    fooled = sum(bce(f, 1.0) for f in nets["critic"](made).flatten().tolist()) / B
    of_made = cross_entropy(nets["classifier"](made), batch.queries.y)
    label_loss = (of_made + cross_entropy(nets["classifier"](items.x), items.y)) / 2
    pulled = triplet(made, batch, 0.25, positives)
    assert generator.loss.item() == pytest.approx(0.7 * fooled + 1.3 * pulled + 0.4 * label_loss, rel=1e-9)
    assert float(generator.logs["triplet_loss"]) == pytest.approx(pulled, rel=1e-9)
    assert float(generator.logs["adversarial_loss"]) == pytest.approx(fooled, rel=1e-9)
    assert float(generator.logs["label_loss"]) == pytest.approx(label_loss, rel=1e-9)
    assert generator.trains == ("generator", "classifier")


def test_no_gradient_reaches_the_other_player() -> None:
    method, batch = small(), a_batch()
    nets = networks(method)
    for update in method.updates(nets, batch):
        for net in nets.values():
            net.zero_grad(set_to_none=True)
        backward(update, nets)
        reached = {name for name, net in nets.items() if any(p.grad is not None for p in net.parameters())}
        assert reached == set(update.trains)


def test_a_step_of_one_moves_no_weight_of_the_other() -> None:
    method, batch = small(), a_batch()
    nets = networks(method)
    optimizers = {
        name: torch.optim.Adam(net.parameters(), 0.1) for name, net in nets.items() if list(net.parameters())
    }
    for update in method.updates(nets, batch):
        before = copy.deepcopy({name: list(net.parameters()) for name, net in nets.items()})
        backward(update, nets)
        for name in update.trains:
            optimizers[name].step()
        moved = {
            name
            for name, net in nets.items()
            if any(not torch.equal(a, b) for a, b in zip(before[name], net.parameters(), strict=True))
        }
        assert moved == set(update.trains)


class Forbidden(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("the critic was asked")


def test_without_its_weight_the_critic_has_no_part() -> None:
    method, batch = small(w_adv=0), a_batch()
    nets = {**networks(method), "critic": Forbidden()}
    (update,) = method.updates(nets, batch)
    assert "critic" not in update.trains
    assert float(update.logs["adversarial_loss"]) == 0


def test_without_the_class_term_the_classifier_learns_nothing() -> None:
    method = small(w_cls=0)
    nets = {**networks(method), "classifier": Forbidden()}
    _, update = both(method, nets, a_batch())
    assert update.trains == ("generator",)


def test_the_critic_sees_photos_drawn_like_any_and_made_ones_as_data() -> None:
    method, batch = small(), a_batch()
    nets, seen = networks(method), []
    nets["critic"].register_forward_hook(lambda net, x, y: seen.append(x[0]))
    steps = method.updates(nets, batch)
    next(steps)
    real, fake = seen
    assert torch.equal(real, batch.items.x[B:])
    assert not fake.requires_grad


def test_of_an_instance_only_its_own_photos_are_to_be_found() -> None:
    batch = a_batch()
    positive, negative = matches(batch, "instance")
    assert torch.equal(positive, batch.counterparts)
    assert positive[0].nonzero().flatten().tolist() == [0, B + 3]  # its photo stands twice in the batch
    for i in (2, 4):  # whose photo nobody knows
        assert not positive[i].any()
        assert not negative[i].any()
    for i in (0, 1, 3):
        assert torch.equal(negative[i], ~positive[i])
    positive, negative = matches(batch, "class")
    assert torch.equal(positive, batch.queries.y[:, None] == batch.items.y)
    assert torch.equal(negative, ~positive)


def test_what_is_searched_is_the_photos_features_and_what_a_sketch_became() -> None:
    method, batch = small(), a_batch()
    nets = {name: net.eval() for name, net in networks(method).items()}
    x = batch.items.x
    assert torch.equal(method.embed(nets, x, "target"), x)
    assert torch.equal(method.embed(nets, batch.queries.x, "source"), nets["generator"](batch.queries.x))


def test_an_encoder_of_sketches_learns_with_the_generator() -> None:
    method = small(redraw=1.0)
    torch.manual_seed(0)
    nets = method.networks(CrossModal(D, SketchCnn(1)), K)
    batch = a_batch()
    pictures = torch.rand(B, 1, 32, 32) * 2 - 1
    photos = Examples(batch.items.x.float(), batch.items.y)
    drawn = GalleryBatch(Examples(pictures, batch.queries.y), photos, batch.counterparts, 0.0)
    critic, generator = both(method, nets, drawn)
    assert critic.trains == ("critic",)
    assert generator.trains == ("query_features", "generator", "classifier")
    assert generator.loss.isfinite()


def test_one_batch_is_learnt_by_heart() -> None:
    method, batch = small(hidden=32, w_adv=0.05), a_batch((True,) * 5)
    nets = networks(method)
    optimizers = {
        name: torch.optim.Adam(net.parameters(), 1e-2) for name, net in nets.items() if list(net.parameters())
    }
    torch.manual_seed(0)
    for _ in range(150):
        for update in method.updates(nets, batch):
            backward(update, nets)
            for name in update.trains:
                optimizers[name].step()
    found = F.normalize(method.embed({n: net.eval() for n, net in nets.items()}, batch.queries.x, "source"))
    nearest = (found @ F.normalize(batch.items.x).T).argmax(dim=1)
    assert torch.equal(batch.items.y[nearest], batch.queries.y)
