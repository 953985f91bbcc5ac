"""Methods of test time against arithmetic of another kind, on the same weights."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import acclimate as ac
from acclimate import discovery
from acclimate.errors import RequestError
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.methods.online import Model, Online

ALL = [component.load() for component in discovery.online_methods().values()]
LEARN = [ac.TENT, ac.ETA]
PUBLIC: dict[Online[Any], list[float]] = {
    ac.TENT(): [3.72427, 0.17283, -0.41222, 1.13582, -0.47259],
    ac.LAME(neighbours=2): [0.1197, 0.48738, 0.00136, 0.34501, 0.04655],
    ac.ETA(): [3.73315, 0.22502, -0.43323, 1.14537, -0.46791],
}


def made(seed: int = 0, scale: float = 6.0) -> dict[str, nn.Module]:
    """Two convolutions with batch norm that have seen something, and a classifier that is sure."""
    torch.manual_seed(seed)
    features = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5),
        nn.Conv2d(4, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(),
    )  # fmt: skip
    for layer in features:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
    classifier = nn.Linear(54, 5)
    classifier.weight.data *= scale
    return {"features": features.eval(), "classifier": classifier.eval()}


def batches(n: int = 12, count: int = 4) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [1.5 * torch.randn(n, 1, 8, 8, generator=generator) + 0.3 for _ in range(count)]


def answered(online: Online[Any], nets: dict[str, nn.Module], given: list[Tensor]) -> list[np.ndarray]:
    """Logits batch after batch; the networks are adapted in place."""
    model = Model(SourceOnly(), nets)
    state = online.begin(model)
    return [online.step(model, state, x).logits.numpy() for x in given]


def as_training(nets: dict[str, nn.Module]) -> tuple[nn.Module, list[nn.Parameter]]:
    """The same network with batch norm in training mode and nothing else, and its scales and shifts."""
    net = nn.Sequential(*copy.deepcopy(nets).values())
    norms = [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
    return net, [p for norm in norms for p in norm.parameters()]


def entropy(logits: Tensor) -> Tensor:
    return torch.distributions.Categorical(logits=logits).entropy()


def test_tent_is_adam_on_the_mean_entropy_after_each_answer() -> None:
    net, learnt = as_training(made())
    optimizer, expected = torch.optim.Adam(learnt, lr=1e-2), []
    for x in batches():
        logits = net(x)
        optimizer.zero_grad()
        entropy(logits).mean().backward()
        optimizer.step()
        expected.append(logits.detach().numpy())
    found = answered(ac.TENT(lr=1e-2), made(), batches())
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    still = answered(ac.TENT(lr=1e-30), made(), batches())
    np.testing.assert_array_equal(found[0], still[0], "the first batch is answered before anything is learnt")
    assert np.abs(found[-1] - still[-1]).max() > 0.01


def test_eta_learns_from_what_is_certain_and_new() -> None:
    """The selection by loops, and the weights by hand."""
    net, learnt = as_training(made(scale=20.0))
    optimizer, mean, expected, counts = torch.optim.SGD(learnt, lr=0.05, momentum=0.9), None, [], []
    largest = 0.4 * math.log(5)
    for x in batches(30):
        logits = net(x)
        expected.append(logits.detach().numpy())
        p, loss, chosen = logits.detach().softmax(dim=1).numpy().astype(float), torch.zeros(()), []
        for i, h in enumerate(entropy(logits)):
            like = 0.0 if mean is None else p[i] @ mean / np.linalg.norm(p[i]) / np.linalg.norm(mean)
            if h.item() < largest and like < 0.7:
                loss = loss + math.exp(largest - h.item()) * h
                chosen.append(p[i])
        counts.append(len(chosen))
        if chosen:
            mean = np.mean(chosen, axis=0) if mean is None else 0.9 * mean + 0.1 * np.mean(chosen, axis=0)
            optimizer.zero_grad()
            (loss / len(chosen)).backward()
            optimizer.step()
    found = answered(ac.ETA(lr=0.05, likeness=0.7), made(scale=20.0), batches(30))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)
    assert 0 < counts[1] < counts[0] < 30, "both filters are in play"


def test_eta_learns_nothing_where_nothing_is_certain() -> None:
    nets = made(scale=0.01)
    before = copy.deepcopy(nets["features"].state_dict())
    answered(ac.ETA(), nets, batches())
    assert all(torch.equal(value, before[name]) for name, value in nets["features"].state_dict().items())


@pytest.mark.parametrize(("prior", "n"), [(16.0, 12), (16.0, 1), (0.0, 12), (3.0, 2)])
def test_bn_mixes_the_models_statistics_with_the_batchs(prior: float, n: int) -> None:
    nets, x = made(), batches(n, 1)[0]
    values, net = x.numpy().astype(float), nn.Sequential(*nets["features"])
    with torch.no_grad():
        for layer in net:
            now = torch.from_numpy(values).float()
            if not isinstance(layer, nn.BatchNorm2d):
                values = layer(now).numpy().astype(float)
                continue
            own = prior / (prior + n)
            mean = own * layer.running_mean.numpy() + (1 - own) * values.mean(axis=(0, 2, 3))
            variance = own * layer.running_var.numpy() + (1 - own) * values.var(axis=(0, 2, 3))
            values = (values - mean[:, None, None]) / np.sqrt(variance + layer.eps)[:, None, None]
            values = values * layer.weight.numpy()[:, None, None] + layer.bias.numpy()[:, None, None]
        expected = nets["classifier"](torch.from_numpy(values).float()).numpy()
    np.testing.assert_allclose(answered(ac.BN(prior=prior), nets, [x])[0], expected, rtol=1e-4, atol=1e-4)


def test_lame_is_the_fixed_point_by_loops() -> None:
    nets, x = made(), batches(12, 1)[0]
    with torch.no_grad():
        features = nets["features"](x)
        p = nets["classifier"](features).softmax(dim=1).double().numpy()
    f = features.double().numpy()
    z = p.copy()
    for _ in range(300):
        agreed = np.zeros_like(z)
        for i in range(12):
            angles = [-np.inf if j == i else f[i] @ f[j] / np.linalg.norm(f[j]) for j in range(12)]
            for j in np.argsort(angles)[-3:]:
                agreed[i] += z[j]
        z = p * np.exp(agreed)
        z /= z.sum(axis=1, keepdims=True)
    found = answered(ac.LAME(neighbours=3), nets, [x])[0]
    np.testing.assert_allclose(np.exp(found), z, atol=1e-4)
    assert (z.argmax(axis=1) != p.argmax(axis=1)).any(), "neighbours change something"


def test_answers_are_those_of_the_public_implementation() -> None:
    """Of github.com/mariodoebler/test-time-adaptation on these weights: logits, of lame probabilities."""
    for online, expected in PUBLIC.items():
        found = answered(online, made(), batches(8, 3))[-1][0]
        found = np.exp(found) if isinstance(online, ac.LAME) else found
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_only_scales_and_shifts_move_and_no_statistic(kind: type[Online[Any]]) -> None:
    nets = made(scale=20.0)
    before = copy.deepcopy({name: net.state_dict() for name, net in nets.items()})
    answered(kind(), nets, batches(30))
    moved = {
        f"{name}.{key}"
        for name, net in nets.items()
        for key, value in net.state_dict().items()
        if not torch.equal(value, before[name][key])
    }
    learnt = {f"features.{layer}.{part}" for layer in (1, 5) for part in ("weight", "bias")}
    assert moved == (learnt if kind in LEARN else set())
    assert not any(net.training for net in nets.values()), "dropout stays off"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_a_batch_of_one_is_answered_or_refused_by_name(kind: type[Online[Any]]) -> None:
    nets, x = made(), batches(1, 1)
    if kind in LEARN:
        with pytest.raises(RequestError, match=f"^data must give '{kind.name}' batches of at least 2 .*got 1"):
            kind().check_batch(1, "data")
        return
    kind().check_batch(1, "data")
    with torch.no_grad():
        as_it_is = nets["classifier"](nets["features"](x[0])).numpy()
    found = answered(kind(), nets, x)[0]
    assert np.isfinite(found).all()
    assert np.array_equal(found, as_it_is) == (kind is ac.LAME), "bn has a little of the batch in it"


def test_lame_draws_nothing_together_where_most_are_neighbours() -> None:
    nets, x = made(), batches(19, 1)[0]
    with torch.no_grad():
        as_it_is = nets["classifier"](nets["features"](x)).numpy()
    np.testing.assert_array_equal(answered(ac.LAME(neighbours=5), nets, [x])[0], as_it_is)
    assert not np.array_equal(answered(ac.LAME(neighbours=4), nets, [x])[0], as_it_is)


def test_a_model_without_batch_norm_is_refused_by_all_but_lame() -> None:
    model = Model(SourceOnly(), {"features": nn.Flatten(), "classifier": nn.Linear(4, 2)})
    for kind in ALL:
        if kind is ac.LAME:
            kind().check(model)
            continue
        with pytest.raises(
            RequestError, match=f"'{kind.name}' for a model of 'source-only' that has none.*Take lame"
        ):
            kind().check(model)
