"""Classes that count alike: what is rare in the source is found, on worlds where it is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight
from torch.nn import functional as F

from acclimate import discovery
from acclimate.data.synthetic import other_proportions, two_shops
from acclimate.methods.base import class_loss, label_loss
from acclimate.metrics.classification import confusion_matrix, recalls
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.runs.options import TrainingOptions
from acclimate.types import Examples


def test_the_loss_written_out() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, y = torch.randn(5, 3, generator=generator), torch.tensor([0, 0, 0, 1, 2])
    weights = torch.tensor(compute_sample_weight("balanced", y.numpy())).float()
    each = [-logits[i].log_softmax(0)[y[i]] for i in range(5)]
    expected = sum(w * loss for w, loss in zip(weights, each, strict=True)) / 5
    examples = Examples(torch.zeros(5, 1), y, weights)
    assert torch.allclose(class_loss(logits, examples), expected)
    assert torch.allclose(label_loss(lambda x: logits, examples), expected)
    parts = examples.at(torch.arange(2)), examples.at(torch.arange(2, 5))
    assert torch.equal(class_loss(logits, *parts), class_loss(logits, examples))
    assert torch.equal(class_loss(logits, Examples(examples.x, y)), F.cross_entropy(logits, y))


@pytest.mark.parametrize("name", ["source-only", "adabn", "sa"])
def test_a_rare_class_is_found(name: str) -> None:
    task = other_proportions((0.95, 0.05), (0.95, 0.05), n=600, apart=2.0)
    found = {}
    for weights in (None, "balanced"):
        options = {"steps": 200, "batch_size": 64, "precision": "fp32", "weights": weights}
        method = discovery.methods()[name].load()()
        fitted = fit(make_plan(method, task.source, task.target, options=options), task.source, task.target)
        predicted = fitted.outputs(task.target_test).logits.argmax(axis=1)
        found[weights] = recalls(confusion_matrix(predicted, task.hidden.target_test, 2))
    assert found["balanced"][1] > found[None][1] + 0.15, found
    assert found["balanced"].mean() > found[None].mean()


def test_a_fit_in_closed_form_is_scikit_learns_with_its_class_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The regression of `tfidf` gets the weights that scikit-learn calls balanced."""
    task = two_shops(120)
    source = task.source.take(np.flatnonzero((task.source.labels == 0) | (np.arange(120) % 5 == 0)))
    seen = {}
    whole = LogisticRegression.fit

    def spied(self: LogisticRegression, x: object, y: np.ndarray, sample_weight: np.ndarray | None = None) -> object:
        seen["weights"], seen["y"] = sample_weight, y
        return whole(self, x, y, sample_weight)

    monkeypatch.setattr(LogisticRegression, "fit", spied)
    method = discovery.methods()["tfidf"].load()()
    fit(make_plan(method, source, task.target, options={"weights": "balanced"}), source, task.target)
    assert seen["weights"] == pytest.approx(compute_sample_weight("balanced", seen["y"]), rel=1e-6)
    fit(make_plan(method, source, task.target), source, task.target)
    assert seen["weights"] is None


def test_the_default_counts_every_example_alike() -> None:
    assert TrainingOptions().weights is None
    task = other_proportions((0.9, 0.1), (0.9, 0.1), n=40)
    from acclimate.problems.fitting import make_trainer
    from acclimate.training.hooks import Hooks

    for weights, there in ((None, False), ("balanced", True)):
        plan = make_plan(
            discovery.methods()["mcc"].load()(),
            task.source,
            task.target,
            options={"steps": 1, "batch_size": 8, "weights": weights},
        )
        batch = make_trainer(plan, task.source, task.target, Hooks()).streams.batch(0.0, torch.device("cpu"))
        assert (batch.source.weights is not None) == there
        assert batch.target.weights is None


def test_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from acclimate.running.adaptation import adapt
    from acclimate.runs.request import Request

    task = other_proportions((0.9, 0.1), (0.9, 0.1), n=100)
    np.savez(tmp_path / "a.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "b.npz", X=task.target.inputs)
    request = Request(
        source=str(tmp_path / "a.npz"),
        target=str(tmp_path / "b.npz"),
        method="mcc",
        training={"steps": 3, "batch_size": 16, "weights": "balanced"},
    )
    run = adapt(request, tmp_path / "run")
    assert run.baseline is not None
    for record in (run, run.baseline):  # what it is compared with has to count alike too
        assert json.loads(record.config_path.read_text())["training"]["weights"] == "balanced"
