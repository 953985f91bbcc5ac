"""`acclimate adapt --model`: going on from a run, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

from commands import Command


def test_another_batch_is_compared_with_the_model_it_began_with(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    may, june = tmp_path / "may", tmp_path / "june"
    source, target = tables["source"], tables["target"]
    asked = ["--label-column", "kind", "--method", "dann", "--epochs", "2", "--out", may]
    assert acclimate("adapt", "--source", source, "--target", target, *asked).code == 0
    said = acclimate("adapt", "--model", may, "--target", target, "--epochs", "1", "--out", june)
    assert said.code == 0, said.err
    assert "DANN on" in said.out
    said = acclimate("adapt", "--model", may, "--target", target, "--epochs", "1", "--dry-run")
    assert said.code == 0, said.err
    assert "dann" in said.out
    said = acclimate("adapt", "--model", may, "--target", target, "--method", "mcd", "--out", tmp_path / "other")
    assert said.code == 2
    assert "method must be the model's own, 'dann'" in " ".join(said.err.split())
    assert not (tmp_path / "other").exists()


def test_a_model_that_agrees_with_the_one_it_began_with_is_not_the_surer_for_it(
    acclimate: Command, tables: dict[str, Path], tmp_path: Path
) -> None:
    """What is computed in closed form anew on the same target answers as before: there is no second opinion."""
    may, june = tmp_path / "may", tmp_path / "june"
    asked = ["--source", tables["source"], "--target", tables["target"], "--label-column", "kind"]
    assert acclimate("adapt", *asked, "--method", "tca", "--no-baseline", "--out", may).code == 0
    said = acclimate("adapt", "--model", may, "--target", tables["target"], "--out", june, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert "0.0\u00a0% of answers differ from those of the model begun with" in told["verdict"]
    before = json.loads((may / "summary.json").read_text())["estimate"]
    assert told["estimate"].items() >= before.items()
    answered = [
        json.loads(acclimate("predict", run, tables["test"], "--out", tmp_path / f"{run.name}.csv", "--json").out)
        for run in (may, june)
    ]
    assert answered[0]["estimate"] == answered[1]["estimate"]
    said = acclimate("choose", june)
    assert said.code == 2
    assert "runs must have one among them that does not adapt" in " ".join(said.err.split())
