from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from acclimate.networks.memory import Memory, MemoryNetwork, count_words, counted_softmax, together

TEXTS = torch.tensor([[3, 4, 3, 5, 0], [0, 0, 0, 0, 0], [7, 0, 0, 0, 0], [19, 2, 2, 2, 3], [1, 1, 0, 0, 0]])


def network(hops: int, width: int = 6) -> MemoryNetwork:
    torch.manual_seed(hops)
    net = MemoryNetwork(20, width, hops).double()
    with torch.no_grad():
        net.query.mul_(200)  # an attention that has made up its mind
        net.attention.bias.normal_()
    return net


def by_the_equations(net: MemoryNetwork, text: list[int]) -> tuple[Tensor, Tensor]:
    """One document, word by word, as the paper writes it."""
    m = [net.words.weight[w] for w in text]
    h = [torch.tanh(net.attention.weight @ row + net.attention.bias) for row in m]
    q, v = net.query, torch.zeros(())
    for hop in range(net.hops):
        if hop:
            q = net.next_query.weight @ q + v
        e = [torch.exp(row @ q) for row in h]
        a = [score / sum(e) for score in e]
        v = sum(weight * row for weight, row in zip(a, m, strict=True))
    return v, torch.stack(a)


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_reads_as_the_equations_say(hops: int) -> None:
    net = network(hops)
    vectors, weights = net(TEXTS), net.weights(TEXTS)
    for row, text in enumerate(TEXTS.tolist()):
        words = [word for word in text if word]
        if not words:
            continue
        v, a = by_the_equations(net, words)
        torch.testing.assert_close(vectors[row], v)
        torch.testing.assert_close(weights[row, : len(words)], a)
        assert not weights[row, len(words) :].any()


@pytest.mark.parametrize("hops", [1, 3])
def test_gradients_are_those_of_the_equations(hops: int) -> None:
    net = network(hops)
    direction = torch.randn(len(TEXTS), 6, dtype=torch.double)
    (net(TEXTS) * direction).sum().backward()
    packed = {name: p.grad.clone() for name, p in net.named_parameters()}
    net.zero_grad()
    texts = [[word for word in text if word] for text in TEXTS.tolist()]
    loss = sum((by_the_equations(net, text)[0] * direction[row]).sum() for row, text in enumerate(texts) if text)
    loss.backward()
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(packed[name], parameter.grad, msg=name)


def test_a_text_without_words_is_zeros_and_hurts_nobody() -> None:
    net = network(2)
    empty = torch.zeros(2, 1, dtype=torch.long)
    assert not net(empty).any()
    assert not net.weights(empty).any()
    net(TEXTS).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_padding_has_no_vector_and_gets_no_gradient() -> None:
    net = network(1)
    assert not net.words.weight[0].any()
    net(TEXTS).sum().backward()
    assert not net.words.weight.grad[0].any()


def test_large_scores_do_not_overflow() -> None:
    net = network(1)
    with torch.no_grad():
        net.query.mul_(1e4)
    assert net(TEXTS).isfinite().all()


@given(st.lists(st.integers(1, 19), min_size=1, max_size=12), st.randoms(use_true_random=False), st.integers(0, 4))
def test_neither_order_nor_padding_matters(text: list[int], random: object, padding: int) -> None:
    net = network(2)
    shuffled = list(text)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = (net(torch.tensor([row + [0] * n])) for row, n in ((text, 0), (shuffled, padding)))
    torch.testing.assert_close(one, two)


def test_counts() -> None:
    counts, different = count_words(TEXTS)
    assert different.tolist() == [1, 2, 3, 4, 5, 7, 19]
    assert counts[3].tolist() == [0, 3, 1, 0, 0, 0, 1]
    assert counts.sum(dim=1).tolist() == [4, 0, 1, 5, 2]


def test_counted_softmax_is_the_softmax_of_repeated_entries() -> None:
    scores, counts = torch.tensor([[0.3, -1.0, 2.0]]), torch.tensor([[2.0, 0.0, 1.0]])
    repeated = torch.softmax(torch.tensor([0.3, 0.3, 2.0]), 0)
    expected = torch.tensor([[repeated[:2].sum(), 0, repeated[2]]])
    torch.testing.assert_close(counted_softmax(scores, counts), expected)


def test_start_from_known_vectors() -> None:
    net = MemoryNetwork(5, 2)
    net.start_from(torch.tensor([4, 2]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert net.words.weight[4].tolist() == [1, 2]
    assert net.words.weight[2].tolist() == [3, 4]


def test_together_fills_up_the_shorter_batch() -> None:
    joined = together(torch.ones(2, 3, dtype=torch.long), torch.ones(1, 5, dtype=torch.long))
    assert joined.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]


def test_the_architecture_builds_what_fits_together() -> None:
    made = Memory(20, d=6, hops=3)
    features = made.features()(TEXTS)
    assert features.shape == (5, made.width)
    assert made.classifier(2)(features).shape == (5, 2)
    assert made.discriminator()(features).shape == (5, 1)
