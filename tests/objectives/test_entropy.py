import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.objectives.entropy import batch_nuclear_norm, certainty, class_confusion


def looped(logits: np.ndarray, temperature: float) -> float:
    b, k = logits.shape
    y = np.exp(logits / temperature)
    y /= y.sum(axis=1, keepdims=True)
    entropy = [-sum(y[i, c] * np.log(y[i, c]) for c in range(k)) for i in range(b)]
    raw = [1 + np.exp(-h) for h in entropy]
    w = [b * r / sum(raw) for r in raw]
    confusion = np.zeros((k, k))
    for i in range(b):
        for c in range(k):
            for d in range(k):
                confusion[c, d] += y[i, c] * w[i] * y[i, d]
    total = 0.0
    for c in range(k):
        for d in range(k):
            if c != d:
                total += confusion[c, d] / confusion[c].sum()
    return total / k


def test_matches_the_papers_equations_written_as_loops() -> None:
    logits = np.random.default_rng(0).normal(size=(6, 4)) * 3
    assert class_confusion(torch.from_numpy(logits), 2.5).item() == pytest.approx(looped(logits, 2.5), rel=1e-9)


@given(st.integers(2, 6), st.integers(2, 8), st.integers(0, 1000))
def test_lies_between_nothing_and_uniform_confusion(k: int, b: int, seed: int) -> None:
    logits = torch.randn(b, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 4
    assert -1e-12 <= class_confusion(logits) <= 1 - 1 / k + 1e-12


def test_certain_predictions_of_all_classes_have_none_and_uniform_ones_have_most() -> None:
    assert class_confusion(torch.eye(3) * 1e3).item() == pytest.approx(0, abs=1e-6)
    assert class_confusion(torch.zeros(5, 3)).item() == pytest.approx(2 / 3)


def test_gradient_treats_the_weights_as_constants() -> None:
    # Equal entropies give equal weights, whose gradient would vanish only if they were constants.
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    (ours,) = torch.autograd.grad(class_confusion(logits, 1.0), logits)
    with torch.no_grad():
        p = logits.softmax(1)
        weights = 1 + torch.exp((p * p.log()).sum(1))
        weights *= 4 / weights.sum()

    def fixed(z: torch.Tensor) -> torch.Tensor:
        p = z.softmax(1)
        c = (p * weights[:, None]).T @ p
        c = c / c.sum(1, keepdim=True)
        return (c.sum() - c.trace()) / 3

    (reference,) = torch.autograd.grad(fixed(logits), logits)
    assert torch.allclose(ours, reference)


def test_certainty_is_one_more_than_the_exponential_of_the_negative_entropy() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), size=5)
    expected = [1 + np.exp(sum(q * np.log(q) for q in row)) for row in p]
    given = torch.from_numpy(p).requires_grad_()
    assert certainty(given).tolist() == pytest.approx(expected)
    assert not certainty(given).requires_grad


@given(st.integers(2, 6), st.integers(1, 8), st.integers(0, 1000))
def test_the_nuclear_norm_is_that_of_numpy_and_keeps_its_bounds(k: int, b: int, seed: int) -> None:
    logits = torch.randn(b, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 4
    p = logits.softmax(dim=1)
    found = batch_nuclear_norm(p).item()
    assert found == pytest.approx(np.linalg.norm(p.numpy(), "nuc") / b)
    assert 1 / np.sqrt(b * k) - 1e-9 <= found <= np.sqrt(min(b, k) / b) + 1e-9


def test_the_nuclear_norm_wants_certain_predictions_of_several_classes() -> None:
    uniform, one, two = torch.full((4, 2), 0.5), torch.eye(2)[[0, 0, 0, 0]], torch.eye(2)[[0, 0, 1, 1]]
    values = [batch_nuclear_norm(p).item() for p in (uniform, one, two)]
    assert values == sorted(values)
    assert len({round(value, 3) for value in values}) == 3
    p = torch.rand(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(batch_nuclear_norm, (p,))
