"""Each word's share of an answer, against the logits themselves."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from acclimate.methods.classification.source_only import SourceOnly
from acclimate.methods.sentiment.amn import AMN
from acclimate.networks.memory import MemoryNetwork, explanation

TEXTS = torch.tensor([[3, 4, 3, 5, 0], [0, 0, 0, 0, 0], [7, 0, 0, 0, 0], [19, 2, 2, 2, 3], [1, 1, 0, 0, 0]])


def networks(hops: int, k: int = 3) -> dict[str, nn.Module]:
    torch.manual_seed(hops)
    memory = MemoryNetwork(20, 6, hops)
    with torch.no_grad():
        memory.query.mul_(200)  # an attention that has made up its mind
    return {"features": memory, "classifier": nn.Linear(6, k)}


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_contributions_and_bias_add_up_to_the_logits(hops: int) -> None:
    nets = networks(hops)
    found = explanation(nets["features"], nets["classifier"], TEXTS)
    assert found.contributions.shape == (5, 5, 3)
    logits = nets["classifier"](nets["features"](TEXTS))
    torch.testing.assert_close(found.contributions.sum(dim=1) + nets["classifier"].bias, logits)


@pytest.mark.parametrize("hops", [1, 2])
def test_weights_sum_to_one_and_padding_has_none(hops: int) -> None:
    nets = networks(hops)
    found = explanation(nets["features"], nets["classifier"], TEXTS)
    assert (found.weights >= 0).all()
    torch.testing.assert_close(found.weights.sum(dim=1), torch.tensor([1.0, 0, 1, 1, 1]))
    assert not found.weights[TEXTS == 0].any()
    assert not found.contributions[TEXTS == 0].any()


def test_every_occurrence_of_a_word_has_the_same_share() -> None:
    found = explanation(*networks(1).values(), TEXTS)
    assert found.weights[0, 0] == found.weights[0, 2]
    assert found.contributions[3, 1].equal(found.contributions[3, 3])


@pytest.mark.parametrize("method", [SourceOnly(), AMN()])
def test_methods_with_a_memory_explain_themselves(method) -> None:
    nets = networks(2)
    found = method.explain(nets, TEXTS)
    sums = found.contributions.sum(dim=1) + nets["classifier"].bias
    torch.testing.assert_close(sums, method.logits(nets, TEXTS))


def test_a_network_without_memory_says_nothing() -> None:
    assert SourceOnly().explain({"features": nn.Linear(5, 6), "classifier": nn.Linear(6, 3)}, TEXTS.float()) is None


class Crooked(SourceOnly):
    """Answers that are no linear function of the features."""

    def classify(self, nets, features):
        return nets["classifier"](features).relu()


def test_where_the_answer_is_not_linear_there_are_weights_alone() -> None:
    nets = networks(1)
    found = Crooked().explain(nets, TEXTS)
    assert found.contributions is None
    assert found.weights.sum() > 0
    assert explanation(nets["features"], nn.Sequential(nn.Linear(6, 3), nn.ReLU()), TEXTS).contributions is None


def test_a_batch_of_nothing_but_padding() -> None:
    found = explanation(*networks(2).values(), torch.zeros(2, 3, dtype=torch.long))
    assert not found.weights.any()
    assert not found.contributions.any()
