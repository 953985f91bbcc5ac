"""Second sources written as loops over classes and examples."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from acclimate.objectives.class_structure import (
    centroid_distance,
    class_means,
    nearest_mean,
    one_hot,
    semantic_distillation,
    soft_label_mmd,
)


def drawn(n: int, d: int, k: int, seed: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    return torch.from_numpy(rng.normal(size=(n, d))).requires_grad_(), torch.from_numpy(rng.permutation(labels))


def mean(rows: list[list[float]]) -> list[float]:
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def squared(a: list[float], b: list[float]) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def rows_of(values: Tensor, labels: Tensor, label: int) -> list[list[float]]:
    return [v for v, y in zip(values.tolist(), labels.tolist(), strict=True) if y == label]


def softmax(row: list[float], temperature: float = 1.0) -> list[float]:
    powers = [math.exp(value / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def test_one_hot_leaves_out_what_has_no_label() -> None:
    assert one_hot(torch.tensor([1, -1, 0]), 2).tolist() == [[0, 1], [0, 0], [1, 0]]


def test_a_class_without_examples_has_a_mean_of_zeros() -> None:
    means = class_means(torch.ones(3, 2), one_hot(torch.tensor([0, 0, -1]), 2))
    assert means.tolist() == [[1, 1], [0, 0]]


def test_semantic_distillation_is_the_sum_over_classes() -> None:
    source, ys = drawn(9, 3, 3, 0)
    target, yt = drawn(5, 3, 3, 1)
    expected = 0.0
    for k in range(3):
        q = mean([softmax(row, 5.0) for row in rows_of(source, ys, k)])
        logs = [[math.log(p + 1e-5) for p in softmax(row)] for row in rows_of(target, yt, k)]
        expected -= sum(sum(a * b for a, b in zip(q, row, strict=True)) for row in logs) / len(logs)
    weights = one_hot(ys, 3, torch.float64), one_hot(yt, 3, torch.float64)
    found = semantic_distillation(source, weights[0], target, weights[1], 5.0)
    assert found.item() == pytest.approx(expected, rel=1e-12)
    assert torch.autograd.gradcheck(
        lambda s, t: semantic_distillation(s, weights[0], t, weights[1], 5.0), (source, target)
    )


def test_semantic_distillation_leaves_out_a_class_that_one_side_lacks() -> None:
    logits = torch.randn(4, 2, dtype=torch.float64)
    both, one = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, -1, -1])
    only_first = semantic_distillation(
        logits, one_hot(one, 2, torch.float64), logits, one_hot(both, 2, torch.float64), 1.0
    )
    first = semantic_distillation(
        logits[:2], one_hot(one[:2], 2, torch.float64), logits[:2], one_hot(one[:2], 2, torch.float64), 1.0
    )
    assert only_first.item() == pytest.approx(first.item())


@pytest.mark.parametrize("triplet", [True, False])
def test_centroid_distance_is_the_sum_over_classes(triplet: bool) -> None:
    source, ys = drawn(9, 4, 3, 2)
    target, yt = drawn(6, 4, 3, 3)
    yt = torch.where(torch.arange(6) == int((yt == 1).nonzero()[0]), -1, yt)  # an example whose label is not trusted
    expected = 0.0
    for k in range(3):
        mine, theirs = rows_of(source, ys, k), rows_of(target, yt, k)
        if not theirs:
            continue
        s, t, st = mean(mine), mean(theirs), mean(mine + theirs)
        expected += squared(s, t) + (squared(s, st) + squared(t, st) if triplet else 0)
    weights = one_hot(ys, 3, torch.float64), one_hot(yt, 3, torch.float64)
    found = centroid_distance(source, weights[0], target, weights[1], triplet=triplet)
    assert found.item() == pytest.approx(expected, rel=1e-12)
    assert torch.autograd.gradcheck(
        lambda s, t: centroid_distance(s, weights[0], t, weights[1], triplet=triplet), (source, target)
    )


def test_nearest_mean_by_angle_and_by_distance() -> None:
    means = torch.tensor([[1.0, 0.0], [5.0, 5.0]])
    x = torch.tensor([[1.0, 0.9], [9.0, 1.0]])
    assert nearest_mean(x, means, "cosine").tolist() == [1, 0]
    assert nearest_mean(x, means, "euclidean").tolist() == [0, 1]


def test_soft_label_mmd_is_the_sum_over_classes() -> None:
    source, ys = drawn(8, 3, 2, 4)
    target, yt = drawn(7, 3, 2, 5)
    few, trust = 3, 0.4
    soft = torch.softmax(torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), dim=1)
    expected = squared(mean(source.tolist()), mean(target.tolist()))
    for k in range(2):
        share = [float(y == k) for y in yt[:few]] + [trust * p[k] for p in soft.tolist()]
        total = [
            sum(w * x for w, x in zip(share, column, strict=True)) for column in zip(*target.tolist(), strict=True)
        ]
        expected += squared(mean(rows_of(source, ys, k)), [t / sum(share) for t in total]) / 2
    arguments = one_hot(ys, 2, torch.float64), one_hot(yt[:few], 2, torch.float64)
    found = soft_label_mmd(source, arguments[0], target, arguments[1], soft, trust)
    assert found.item() == pytest.approx(expected, rel=1e-12)
    assert torch.autograd.gradcheck(
        lambda s, t: soft_label_mmd(s, arguments[0], t, arguments[1], soft, trust), (source, target)
    )
