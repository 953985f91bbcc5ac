"""`acclimate adapt --model`: going on from a run, as a user types it."""

from __future__ import annotations

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
