"""A comparison where classes differ in size: beside accuracy stands the score in which they count alike."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from acclimate.cli import compare
from acclimate.runs.record import Run
from commands import Command

SIDES = ("--source", "old.csv", "--target", "new.csv", "--label-column", "kind")
QUICK = ("--methods", "coral", "--set", "steps=3", "--out", "table")


def tables(share: float) -> None:
    for name, shift in (("old", 0.0), ("new", 1.0)):
        rng = np.random.default_rng(0)
        y = (np.arange(60) < share * 60).astype(int)
        x = rng.normal(size=(60, 2)) + y[:, None] + shift
        pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "kind": [("well", "ill")[k] for k in y]}).write_csv(f"{name}.csv")


@pytest.mark.parametrize(("share", "told"), [(0.1, True), (0.45, False)])
def test_on_own_files(acclimate: Command, share: float, told: bool) -> None:
    tables(share)
    said = acclimate("compare", *SIDES, *QUICK)
    assert said.code == 0, said.err
    assert ("balanced accuracy" in said.out) == told
    assert ("Balanced accuracy" in Path("table/comparison.html").read_text()) == told
    facts = json.loads(acclimate("compare", *SIDES, *QUICK, "--json").out)["methods"]
    run = Run(facts[0]["runs"][0])
    expected = run.summary["scores"]["target_balanced_accuracy"] if told else None
    assert facts[0]["balanced_accuracy"] == expected
    assert compare._balanced([run]) == ((expected,) if told else ())


def test_runs_that_recorded_none_have_none(acclimate: Command) -> None:
    tables(0.1)
    assert acclimate("adapt", *SIDES, "-m", "source-only", "--set", "steps=3", "--out", "run").code == 0
    facts = json.loads(Path("run/summary.json").read_text())
    del facts["scores"]["target_balanced_accuracy"]
    Path("run/summary.json").write_text(json.dumps(facts))
    assert compare._balanced([Run("run")]) == ()
