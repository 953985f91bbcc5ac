"""SA: its layer against the paper's formulas by singular value decomposition, and which features it aligns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC
from torch import nn

from acclimate.methods.classification.subspace_alignment import AlignedSVM, SubspaceAlignment, hidden_layers
from acclimate.types import Examples, Passes

RNG = np.random.default_rng(0)
WIDTH, HIDDEN, CLASSES = 9, 6, 3
DEEP = nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.ReLU(), nn.Dropout(), nn.Linear(HIDDEN, CLASSES))


def some(n: int, labelled: bool) -> Examples:
    x = RNG.normal(size=(n, WIDTH)) * np.linspace(0.5, 4, WIDTH) + 1
    y = RNG.integers(0, CLASSES, n) if labelled else np.full(n, -1)
    return Examples(torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y))


def zscored(x: np.ndarray) -> np.ndarray:
    deviation = x.std(axis=0)
    z: np.ndarray = (x - x.mean(axis=0)) / np.where(deviation == 0, 1, deviation)
    return z


def directions(z: np.ndarray, p: int) -> np.ndarray:
    """The first p right singular vectors of centred rows, as columns."""
    return np.linalg.svd(z, full_matrices=False)[2][:p].T


@pytest.mark.parametrize("classifier", [nn.Linear(WIDTH, CLASSES), DEEP], ids=["one layer", "deep"])
def test_answers_are_those_of_the_papers_formulas(classifier: nn.Module) -> None:
    source, target, p = some(80, True), some(50, False), 4
    hidden = (lambda x: x) if isinstance(classifier, nn.Linear) else classifier.eval()[:3]  # type: ignore[index]
    width = WIDTH if isinstance(classifier, nn.Linear) else HIDDEN
    nets = {"features": nn.Identity(), "classifier": classifier, "aligned": AlignedSVM(width, p, CLASSES)}
    method = SubspaceAlignment(components=p)
    assert torch.equal(method.classify(nets, target.x), classifier(target.x))

    method.after_training(nets, Passes(lambda: iter([source]), lambda: iter([target])))

    with torch.no_grad():
        s, t = (zscored(hidden(side.x).double().numpy()) for side in (source, target))
    s_basis, t_basis = directions(s, p), directions(t, p)
    alignment = s_basis.T @ t_basis
    svm = LinearSVC(random_state=0).fit(s @ s_basis @ alignment, source.y.numpy())
    by_hand = svm.decision_function(t @ t_basis)
    np.testing.assert_allclose(method.classify(nets, target.x).detach().numpy(), by_hand, atol=1e-3)


def test_solves_a_subspace_that_is_turned_amid_noise() -> None:
    """Three classes in a plane; the target's lies 70° away from it, where the source has noise alone."""
    width, turn, rng = 20, np.radians(70), np.random.default_rng(0)
    classes = np.array([[4.0, 0.0], [-2.0, 3.5], [-2.0, -3.5]])
    plane, other = np.eye(width)[:2], np.eye(width)[2:4]

    def side(basis: np.ndarray, seed: int) -> Examples:
        y = np.arange(600) % CLASSES
        x = classes[y] @ basis @ MIXED + np.random.default_rng(seed).normal(size=(600, width)) @ MIXED
        return Examples(torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y))

    MIXED = np.linalg.qr(rng.normal(size=(width, width)))[0]  # no column is the plane's alone
    source = side(plane, 1)
    target, unseen = (side(np.cos(turn) * plane + np.sin(turn) * other, seed) for seed in (2, 3))
    nets = {"features": nn.Identity(), "classifier": nn.Linear(width, 3), "aligned": AlignedSVM(width, 2, CLASSES)}
    method = SubspaceAlignment(components=2)
    unlabelled = Examples(target.x, torch.full_like(target.y, -1))
    method.after_training(nets, Passes(lambda: iter([source]), lambda: iter([unlabelled])))

    answers = method.classify(nets, unseen.x).argmax(dim=1)
    plain = LinearSVC(random_state=0).fit(source.x.numpy(), source.y.numpy()).predict(unseen.x.numpy())
    right = [float((torch.as_tensor(found) == unseen.y).float().mean()) for found in (plain, answers)]
    assert right[0] < 0.8, right
    assert right[1] > 0.95, right


def test_the_last_hidden_layer_is_what_comes_before_the_last_linear_map() -> None:
    hidden, width = hidden_layers(DEEP.eval(), WIDTH)
    x = some(5, False).x
    assert width == HIDDEN
    assert torch.equal(DEEP[3](hidden(x)), DEEP(x))
    for single in (nn.Linear(WIDTH, CLASSES), nn.Sequential(nn.Linear(WIDTH, CLASSES), nn.LeakyReLU())):
        hidden, width = hidden_layers(single, WIDTH)
        assert width == WIDTH
        assert torch.equal(hidden(x), x)
