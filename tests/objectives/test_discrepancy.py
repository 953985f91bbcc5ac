import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.objectives.discrepancy import classifier_discrepancy, margin_disparity


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


def test_margin_disparity_matches_a_loop_over_examples() -> None:
    rng = np.random.default_rng(0)
    f_s, a_s, f_t, a_t = (rng.normal(size=(n, 4)) * 2 for n in (5, 5, 3, 3))

    def share(row: np.ndarray, c: int) -> float:
        return float(np.exp(row[c]) / np.exp(row).sum())

    source = np.mean([-np.log(share(a, f.argmax())) for f, a in zip(f_s, a_s, strict=True)])
    target = np.mean([-np.log(1 - share(a, f.argmax())) for f, a in zip(f_t, a_t, strict=True)])
    source_logits, target_logits = ((torch.from_numpy(f), torch.from_numpy(a)) for f, a in ((f_s, a_s), (f_t, a_t)))
    found = margin_disparity(source_logits, target_logits, 3.0)
    assert found.item() == pytest.approx(3 * source + target)


def test_margin_disparity_moves_the_adversary_alone_and_survives_its_certainty() -> None:
    f, a = (torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    margin_disparity((f, a), (f, a), 2.0).backward()
    assert f.grad is None
    assert torch.autograd.gradcheck(lambda x: margin_disparity((f.detach(), x), (f.detach(), x), 2.0), (a,))
    certain = torch.tensor([[200.0, 0.0]])
    assert margin_disparity((certain, certain), (certain, certain), 4.0).item() == pytest.approx(200)


def test_the_adversary_is_best_off_agreeing_on_the_source_and_nowhere_else() -> None:
    f = torch.tensor([[5.0, 0.0]])
    same, other = torch.tensor([[5.0, 0.0]]), torch.tensor([[0.0, 5.0]])
    values = {
        (a, b): margin_disparity((f, s), (f, t), 4.0).item()
        for a, s in (("agrees", same), ("differs", other))
        for b, t in (("agrees", same), ("differs", other))
    }
    assert min(values, key=values.__getitem__) == ("agrees", "differs")
    assert max(values, key=values.__getitem__) == ("differs", "agrees")
