"""What every method that takes texts owes, besides the exam that all methods sit."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.synthetic import two_vocabularies
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.methods.sentiment.amn import AMN
from acclimate.problems.base import problem_called
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.running.explanations import words_of_run
from acclimate.runs.request import Request
from acclimate.training.fitted import Fitted
from worlds import target_accuracy

COMPONENTS = discovery.methods()
TEXTS = ["a great pan with a rusty lid", "", "great great awful", "nothing of this is known", "pan"]


@pytest.fixture(params=sorted(name for name, found in COMPONENTS.items() if found.fact("problem") != "heterogeneous"))
def method(request: pytest.FixtureRequest) -> Method:
    return COMPONENTS[request.param].load()()


def quick(method: Method, task: Task, **options: object) -> Fitted:
    """Fit with words that start at random, so that nothing but the method is at work."""
    settings = {"precision": "fp32", "device": "cpu", "word_vectors": "random", "evaluations": 1, **options}
    try:
        return fit(make_plan(method, task.source, task.target, options=settings), task.source, task.target)
    except RequestError as error:
        pytest.skip(f"takes no texts: {error}")


def test_an_explanation_adds_up(method: Method) -> None:
    task = two_vocabularies(40)
    task = task.with_label_budget("all") if needs.takes_target_labels(method) else task
    fitted = quick(method, task, steps=4, batch_size=16)
    found = fitted.explain(Domain(TEXTS))
    if found is None:
        pytest.skip("cannot tell which words carried its answers")
    assert [len(row) for row in found.weights] == [7, 0, 3, 5, 1]
    assert all((row >= 0).all() for row in found.weights)
    sums = [float(row.sum()) for row in found.weights]
    assert all(total == pytest.approx(1, abs=1e-5) or total == 0 for total in sums)
    assert sums[1] == 0
    if found.contributions is not None:
        logits = fitted.outputs(Domain(TEXTS)).logits
        added = np.array([row.sum(axis=0) for row in found.contributions])
        np.testing.assert_allclose(added + logits[1], logits, atol=1e-4)
    task = problem_called(method.problem).completed(task, Request(source="a", target="b", method=method.name))
    content = words_of_run(fitted, task, "target_test", fitted.outputs(task.target_test).logits)
    assert content["deletion"]["texts"] == 40


def test_amn_mistrusts_the_words_that_tell_the_domain() -> None:
    options = {"steps": 400, "batch_size": 64, "optimizer": "adam", "lr": 1e-3, "word_vectors": "own"}
    gains = []
    for seed in range(3):
        task = two_vocabularies(400, seed=seed)
        baseline, adapted = (target_accuracy(quick(m, task, **options), task) for m in (SourceOnly(), AMN()))
        gains.append(adapted - baseline)
    assert np.mean(gains) > 0.1, gains
