"""Shared prototypes against their loss, written out example by example."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from acclimate.methods.retrieval.shared_prototypes import Prototypes, SharedPrototypes
from acclimate.networks.cross_modal import CrossModal, Encoded, SketchCnn
from acclimate.training.gradients import backward
from acclimate.types import Examples, GalleryBatch, Update

B, N, K, D, Q = 5, 9, 3, 6, 4


def small(**options: Any) -> SharedPrototypes:
    return SharedPrototypes(**{"width": 8, "hidden": 7, **options})


def networks(method: SharedPrototypes) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {name: net.double() for name, net in method.networks(CrossModal(D, Encoded(Q)), K).items()}


def a_batch() -> GalleryBatch:
    """Five queries, their counterparts and four further items; whose is whose is known of three."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.tensor([0, 1, 2, 0, 1])
    own = torch.zeros(B, N, dtype=torch.bool)
    own[0, 0] = own[0, 8] = own[1, 1] = own[3, 3] = True
    photos = Examples(
        torch.randn(N, D, generator=generator, dtype=torch.float64), torch.cat([labels, torch.tensor([2, 1, 0, 0])])
    )
    x = torch.randn(B, Q, generator=generator, dtype=torch.float64)
    return GalleryBatch(Examples(x, labels), photos, own, 0.0)


def one(method: SharedPrototypes, nets: dict[str, nn.Module], batch: GalleryBatch) -> Update:
    torch.manual_seed(5)
    (update,) = method.updates(nets, batch)
    return update


def unit(row: list[float]) -> list[float]:
    length = math.sqrt(sum(v * v for v in row))
    return [v / length for v in row]


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def label_loss(vectors: list[list[float]], labels: Tensor, prototypes: list[list[float]], scale: float) -> float:
    total = 0.0
    for v, label in zip(vectors, labels.tolist(), strict=True):
        logits = [scale * dot(v, w) for w in prototypes]
        total += math.log(sum(math.exp(logit) for logit in logits)) - logits[label]
    return total / len(vectors)


def contrast(u: list[list[float]], v: list[list[float]], positive: Tensor, temperature: float) -> float:
    losses = []
    for i, query in enumerate(u):
        exps = [math.exp(dot(query, item) / temperature) for item in v]
        right = [j for j in range(len(v)) if positive[i, j]]
        if right:
            losses.append(-sum(math.log(exps[j] / sum(exps)) for j in right) / len(right))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_loss_is_its_terms_added_up(noise: float) -> None:
    method = small(scale=9.0, w_class=0.6, w_own=0.8, temperature=0.4, noise=noise)
    nets, batch = networks(method), a_batch()
    update = one(method, nets, batch)
    items = batch.items

    # The same draws in the same order: noise on queries, noise on items, masks of the queries' head, of the items'.
    torch.manual_seed(5)
    x = batch.queries.x + noise * torch.randn_like(batch.queries.x) if noise else batch.queries.x
    found = []
    for side, features in (("query", x), ("item", items.x)):
        if side == "item" and noise:
            features = features + noise * torch.randn_like(features)
        head = nets[f"{side}_head"]
        found.append([unit(row) for row in (head.linear(features) + head.bridge(features)).tolist()])
    u, v = found
    prototypes = [unit(row) for row in nets["classifier"].weight.tolist()]
    of_queries, of_items = (label_loss(rows, y, prototypes, 9.0) for rows, y in ((u, batch.queries.y), (v, items.y)))
    by_class = contrast(u, v, batch.queries.y[:, None] == items.y, 0.4)
    own = contrast(u, v, batch.counterparts, 0.4)
    assert update.loss.item() == pytest.approx(of_queries + of_items + 0.6 * by_class + 0.8 * own, rel=1e-9)
    logs = {name: float(value) for name, value in update.logs.items()}
    assert logs == pytest.approx(
        {
            "query_label_loss": of_queries,
            "item_label_loss": of_items,
            "class_contrast": by_class,
            "own_contrast": own,
        },
        rel=1e-9,
    )


def test_everything_that_can_learn_learns_in_one_step() -> None:
    method, batch = small(w_own=1.0), a_batch()
    nets = networks(method)
    update = one(method, nets, batch)
    assert update.trains == ("query_head", "item_head", "classifier")
    backward(update, nets)
    for name in update.trains:
        assert all(p.grad is not None and p.grad.isfinite().all() for p in nets[name].parameters())


def test_without_pairs_there_is_no_own_contrast() -> None:
    batch = a_batch()
    nobody = GalleryBatch(batch.queries, batch.items, torch.zeros_like(batch.counterparts), 0.0)
    nets = networks(small())
    with_own, without = (one(small(w_own=w), nets, nobody) for w in (5.0, 0.0))
    assert float(with_own.logs["own_contrast"]) == 0
    assert with_own.loss.item() == without.loss.item()


def test_the_learnt_vectors_of_both_sides_are_unit_rows() -> None:
    method, batch = small(posterior=0.0), a_batch()
    nets = {name: net.eval() for name, net in networks(method).items()}
    u, v = method.embed(nets, batch.queries.x, "source"), method.embed(nets, batch.items.x, "target")
    assert (u.shape, v.shape) == ((B, 8), (N, 8))
    for rows in (u, v):
        assert torch.allclose(rows.norm(dim=1), torch.ones(len(rows), dtype=torch.float64))
    assert torch.equal(method.embed(nets, batch.queries.x, "source"), u)  # no noise where nothing is learnt


def test_what_it_would_answer_stands_beside_the_learnt_vector() -> None:
    """The cosine is the mean of the learnt vectors' and of the posteriors', weighted by 1 and posterior²."""
    alone, both, batch = small(posterior=0.0), small(posterior=0.7), a_batch()
    nets = {name: net.eval() for name, net in networks(alone).items()}
    x, y = batch.queries.x, batch.items.x
    (u, v), (wide_u, wide_v) = ((m.embed(nets, x, "source"), m.embed(nets, y, "target")) for m in (alone, both))
    assert wide_v.shape == (N, 8 + K)
    p, q = (nets["classifier"](rows).exp() for rows in (u, v))  # unscaled: a cosine does not see the length
    for i in range(B):
        for j in range(N):
            posteriors = dot(unit(p[i].tolist()), unit(q[j].tolist()))
            expected = (dot(u[i].tolist(), v[j].tolist()) + 0.49 * posteriors) / 1.49
            assert torch.cosine_similarity(wide_u[i], wide_v[j], dim=0).item() == pytest.approx(expected, rel=1e-9)
    assert torch.equal(both.classify(nets, wide_u), alone.classify(nets, u))


def test_all_three_parts_stand_side_by_side() -> None:
    method = small(posterior=0.5, keep=2.0)
    torch.manual_seed(0)
    nets = {name: net.double().eval() for name, net in method.networks(CrossModal(Q, Encoded(Q)), K).items()}
    rows = method.embed(nets, a_batch().queries.x, "source")
    parts = rows.split([8, K, Q], dim=1)
    for part, length in zip(parts, (1.0, 0.5, 2.0), strict=True):
        assert torch.allclose(part.norm(dim=1), torch.full((B,), length, dtype=torch.float64))


def test_a_prototype_answers_for_what_points_its_way() -> None:
    torch.manual_seed(0)
    prototypes = Prototypes(4, 6, 20.0)
    with torch.no_grad():
        logits = prototypes(prototypes.weight)
    assert torch.equal(logits.argmax(dim=1), torch.arange(4))
    assert torch.allclose(logits.diagonal(), torch.full((4,), 20.0))


def test_an_encoder_of_sketches_learns_too_and_gets_no_noise() -> None:
    method = small(noise=0.0, redraw=0.0)
    torch.manual_seed(0)
    nets = method.networks(CrossModal(D, SketchCnn(1)), K)
    batch = a_batch()
    photos = Examples(batch.items.x.float(), batch.items.y)
    pictures = torch.rand(B, 1, 32, 32) * 2 - 1
    seen = []
    nets["query_features"].register_forward_hook(lambda net, x, y: seen.append(x[0]))
    for noise in (0.0, 0.5):
        update = one(
            small(noise=noise, redraw=0.0),
            nets,
            GalleryBatch(Examples(pictures, batch.queries.y), photos, batch.counterparts, 0.0),
        )
        assert update.trains == ("query_features", "query_head", "item_head", "classifier")
    assert all(torch.equal(x, pictures) for x in seen)
