"""Counts of words of the user's own get the network that is made for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import acclimate as ac
from acclimate.data.tasks import task_specs
from acclimate.runs.record import Run
from commands import Command

QUICK = ("--set", "steps=3", "--batch-size", 16, "--no-baseline")


@pytest.fixture
def files(acclimate: Command) -> None:
    rng = np.random.default_rng(0)
    for name in ("source", "target"):
        y = np.arange(40) % 2
        X = rng.poisson(0.05, (40, 150))
        X[:, :2] = 1 + np.eye(2, dtype=int)[y]
        np.savez(f"{name}.npz", X=X, **({"y": y} if name == "source" else {}))


def test_counts_are_told_and_read_as_such(acclimate: Command, files: None) -> None:
    said = acclimate(
        "adapt", "--source", "source.npz", "--target", "target.npz", "-m", "dann", "--out", "run", *QUICK
    )
    assert said.code == 0, said.err
    assert "The columns are taken for counts, as of words" in " ".join(said.out.split())
    assert Run("run").config["network"] == "bag-of-words"
    assert Run("run").config["preprocess"]["rows"] == "log-rows"


def test_named_a_network_is_kept(acclimate: Command, files: None) -> None:
    words = ("--network", "mlp", "--out", "run", *QUICK)
    said = acclimate("adapt", "--source", "source.npz", "--target", "target.npz", "-m", "dann", *words)
    assert "taken for counts" not in said.out
    assert Run("run").config["network"] == "mlp"
    assert Run("run").config["preprocess"]["rows"] == ""


def test_in_python_as_well(files: None) -> None:
    source, target = ac.read_arrays(Path("source.npz")), ac.read_arrays(Path("target.npz"))
    assert ac.MCC(steps=2, batch_size=16).fit(source, target)._fitted.plan.network == "bag-of-words"


def test_public_tasks_of_features_name_their_network() -> None:
    """Their rows do not depend on what is taken for counts."""
    named = {spec.name.partition(":")[0]: spec.network for spec in task_specs()}
    assert (named["office_features"], named["amazon_bow"]) == ("mlp", "bag-of-words")
