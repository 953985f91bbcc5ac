"""How often a run is right by the labels that it learnt from: as a user types it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acclimate.data.domain import Domain
from acclimate.data.synthetic import shifted_blobs
from acclimate.running import folds as module
from acclimate.running.folds import cross_validated
from acclimate.runs.record import Run
from acclimate.training.fitted import Fitted
from acclimate.training.hooks import Hooks
from acclimate.training.plan import Plan
from commands import Command, write_table

QUICK = ["--label-column", "kind", "--steps", "20", "--batch-size", "16", "--no-baseline"]


@pytest.fixture
def sides(tmp_path: Path) -> list[str | Path]:
    task = shifted_blobs(60, shift=1.0, num_classes=3)
    assert task.hidden is not None
    target = replace(task.target, labels=task.hidden.target)
    paths = [write_table(d, tmp_path / f"{name}.csv", d.labels) for name, d in (("a", task.source), ("b", target))]
    return ["--source", paths[0], "--target", paths[1]]


def test_each_label_is_asked_of_a_model_that_did_not_see_it(
    acclimate: Command, sides: list[str | Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert acclimate("adapt", *sides, "-m", "mme", "--label-budget", "3", "--out", "run", *QUICK).code == 0
    given, fit = [], module.fit

    def seen(plan: Plan, source: Domain, target: Domain, hooks: Hooks) -> Fitted:
        given.append((plan.method.name, np.flatnonzero(target.labels >= 0)))
        return fit(plan, source, target, hooks)

    monkeypatch.setattr(module, "fit", seen)
    found = cross_validated(Run("run"), 9)
    assert found.folds == 3, "as many as a class has labels"
    assert len(found.right) == len(found.baseline_right) == 9
    assert [name for name, _ in given] == ["mme"] * 3 + ["source-only"] * 3
    for _, rows in given:
        assert len(rows) == 6, "two of each class are left"
    together = np.concatenate([rows for _, rows in given[:3]])
    assert (np.unique(together, return_counts=True)[1] == 2).all(), "each is left out once"


def test_the_command_tells_the_interval_and_which_to_take(acclimate: Command, sides: list[str | Path]) -> None:
    assert acclimate("adapt", *sides, "-m", "mme", "--label-budget", "4", "--out", "run", *QUICK).code == 0
    before = sorted(path.name for path in Path("run").rglob("*"))
    said = acclimate("cross-validate", "run", "--folds", "2")
    assert said.code == 0, said.err
    for words in ("right of 12 labelled target examples", "95", "Source only with the same labels", "Take "):
        assert words in said.out
    told = json.loads(acclimate("cross-validate", "run", "--folds", "2", "--json").out)
    assert told["labels"] == 12
    assert told["interval"][0] <= told["accuracy"] <= told["interval"][1]
    assert told["difference"] == pytest.approx(told["accuracy"] - told["baseline_accuracy"])
    assert sorted(path.name for path in Path("run").rglob("*")) == before, "nothing is written"


@pytest.mark.parametrize(
    ("method", "budget", "folds", "words"),
    [
        ("mme", "1", "3", ("two target labels of every class", "got 1 of “blob 0”", "--label-budget 2")),
        ("mcc", "0", "3", ("two target labels of every class", "got 0 of")),
        ("mme", "2", "1", ("folds must be at least 2", "got 1")),
    ],
)
def test_too_few_labels_or_parts_are_refused(
    acclimate: Command, sides: list[str | Path], method: str, budget: str, folds: str, words: tuple[str, ...]
) -> None:
    assert acclimate("adapt", *sides, "-m", method, "--label-budget", budget, "--out", "run", *QUICK).code == 0
    said = acclimate("cross-validate", "run", "--folds", folds)
    assert said.code == 2
    for word in words:
        assert word in said.err
