"""Row files of comparisons by what their runs are scored by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from acclimate.running import row_files
from acclimate.running.comparison import Comparison, Row
from acclimate.runs.request import Request


def cell(seed: int, accuracy: float, h_score: float) -> dict[str, Any]:
    """A finished run of a target with unknown classes, as `row_files` reads one."""
    scores = {"target_accuracy": accuracy, "target_h_score": h_score}
    about = {"selection": "last", "steps": 3, "commit": "0", "hardware": {}, "options": {"seed": seed}}
    told = {"oracle_best_step": None, "validation_best_step": None, "seconds_to_published": None}
    return {
        "seed": seed,
        "target_accuracy": h_score,
        "scores": scores,
        "wall_s": 1.0,
        "examples": {},
        "data": "d",
    } | (about | told)


def test_a_row_kept_by_accuracy_goes_on_by_h_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row(name="threshold", request=Request(source="a.csv", target="b.csv", method="threshold"))
    whole = Comparison(id="things-open", seeds=2, rows=(row,))
    path = tmp_path / "things-open" / "threshold.json"

    def written(*cells: dict[str, Any]) -> dict[str, Any]:
        by_seed = {one["seed"]: one for one in cells}
        monkeypatch.setattr(row_files, "_cell", lambda folder, row, seed: by_seed.get(seed))
        row_files.write_row(whole, row, tmp_path / "cells", tmp_path, "acclimate compare")
        return json.loads(path.read_text(encoding="utf-8"))

    first = written(cell(0, 0.8, 0.5))
    assert first["h_score"] == [0.5]
    older = {name: value for name, value in first.items() if name != "h_score"}
    path.write_text(json.dumps(older | {"target_accuracy": [0.8], "mean": 0.8}), encoding="utf-8")
    both = written(cell(1, 0.9, 0.7))
    assert both["h_score"] == [0.5, 0.7]
    assert both["mean"] == pytest.approx(0.6)
    assert "target_accuracy" not in both
