"""Mutual information: by its definition with loops, at its bounds, and its gradient."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from acclimate.objectives.information import information_maximisation, mutual_information


def by_loops(first: torch.Tensor, second: torch.Tensor) -> float:
    b, g = first.shape
    joint = [[0.0] * g for _ in range(g)]
    for i in range(b):
        for a in range(g):
            for c in range(g):
                share = float(first[i, a] * second[i, c]) / b
                joint[a][c] += share / 2
                joint[c][a] += share / 2
    total = 0.0
    for a in range(g):
        for c in range(g):
            row, column = sum(joint[a]), sum(joint[x][c] for x in range(g))
            if joint[a][c] > 0:
                total += joint[a][c] * math.log(joint[a][c] / (row * column))
    return total


@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_is_its_definition_and_lies_within_its_bounds(b: int, g: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    first, second = (torch.randn(b, g, generator=generator, dtype=torch.float64).softmax(1) for _ in range(2))
    found = float(mutual_information(first, second))
    assert found == pytest.approx(by_loops(first, second), abs=1e-9)
    assert found == pytest.approx(float(mutual_information(second, first)))
    assert -1e-9 <= found <= math.log(g) + 1e-9


def test_certain_equal_and_balanced_answers_reach_the_bound() -> None:
    answers = torch.eye(4).repeat(3, 1)
    assert float(mutual_information(answers, answers)) == pytest.approx(math.log(4), abs=1e-5)


def test_of_certain_answers_it_is_scikit_learns() -> None:
    labels = torch.tensor([0, 0, 1, 2, 2, 2, 1, 0])
    other = labels[torch.tensor([0, 1, 2, 3, 4, 5, 7, 6])]
    both = torch.cat([labels, other]), torch.cat([other, labels])  # symmetric, as the joint is made to be
    found = mutual_information(*(torch.eye(3, dtype=torch.float64)[v] for v in (labels, other)))
    assert float(found) == pytest.approx(mutual_info_score(*both))


def test_one_group_for_all_says_nothing_and_has_a_gradient() -> None:
    same = torch.tensor([[1.0, 0.0]]).repeat(5, 1)
    assert float(mutual_information(same, same)) == pytest.approx(0, abs=1e-6)
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: mutual_information(x.softmax(1), x.flip(0).softmax(1)), (logits,))


@given(st.integers(1, 7), st.integers(2, 6), st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_information_maximisation_is_its_definition_and_lies_within_its_bounds(b: int, k: int, seed: int) -> None:
    logits = 5 * torch.randn(b, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    p = logits.softmax(1).numpy()
    expected = np.mean([entropy(row) for row in p]) - entropy(p.mean(axis=0))
    found = float(information_maximisation(logits))
    assert found == pytest.approx(expected, abs=1e-9)
    assert -math.log(k) - 1e-9 <= found <= 1e-9


def test_information_maximisation_has_a_gradient_and_survives_certainty() -> None:
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(information_maximisation, (logits,))
    sure = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    information_maximisation(sure).backward()
    assert sure.grad is not None
    assert torch.isfinite(sure.grad).all()
