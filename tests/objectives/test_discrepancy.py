import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.objectives.discrepancy import classifier_discrepancy


def test_matches_a_loop_over_batch_and_classes() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))

    def softmax(row: np.ndarray) -> np.ndarray:
        return np.exp(row) / np.exp(row).sum()

    total = 0.0
    for i in range(5):
        p, q = softmax(one[i]), softmax(two[i])
        for c in range(3):
            total += abs(p[c] - q[c])
    found = classifier_discrepancy(torch.from_numpy(one), torch.from_numpy(two))
    assert found.item() == pytest.approx(total / 15)


@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 1000))
def test_bounds_symmetry_and_identity(k: int, b: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    one, two = (torch.randn(b, k, generator=generator, dtype=torch.float64) * 5 for _ in range(2))
    d = classifier_discrepancy(one, two)
    assert 0 <= d <= 2 / k + 1e-12
    assert torch.isclose(d, classifier_discrepancy(two, one))
    assert classifier_discrepancy(one, one + 3).item() == pytest.approx(0, abs=1e-12)


def test_opposite_certainties_reach_the_upper_bound() -> None:
    one, two = torch.tensor([[100.0, 0.0]]), torch.tensor([[0.0, 100.0]])
    assert classifier_discrepancy(one, two).item() == pytest.approx(1.0)


def test_passes_gradcheck() -> None:
    inputs = tuple(torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(classifier_discrepancy, inputs)
