"""Tables of measured rows in the docs: what they say one method gains over others."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def class_sets(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DOCS))
    sys.modules.pop("class_sets", None)
    import class_sets

    return class_sets


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DOCS))
    sys.modules.pop("peers", None)
    import peers

    return peers


def row(method: str, *accuracies: float) -> dict[str, Any]:
    return {"method": method, "seeds": list(range(len(accuracies)))} | {
        "scores": [{"target_accuracy": accuracy} for accuracy in accuracies]
    }


def partial(ours: list[float]) -> dict[str, list[dict[str, Any]]]:
    baselines = [("a", 0.8, 0.5), ("b", 0.6, 0.65), ("c", 0.7, 0.6)]
    return {
        pair: [row("source-only", alone), row("dann", plain), row("ba3us", own)]
        for (pair, alone, plain), own in zip(baselines, ours, strict=True)
    }


def test_a_method_is_to_be_taken_where_its_gain_is_worth_it_on_every_task(class_sets: Any) -> None:
    told = class_sets.set_lines("partial", partial([0.85, 0.65, 0.75]))[-1]
    assert "`ba3us` +5.0 ± 0.0. So take `ba3us`." in told, "the better baseline is source-only, by its mean"
    assert class_sets.set_lines("partial", partial([0.82, 0.61, 0.71]))[-1].endswith("So take the plain one.")


def test_a_gain_that_one_task_makes_alone_is_no_gain_yet(class_sets: Any) -> None:
    told = class_sets.set_lines("partial", partial([0.98, 0.6, 0.7]))[-1]
    assert "`ba3us` +6.0 ± 25.8" in told
    assert told.endswith("More tasks have to tell whether that lasts.")


def test_scores_of_several_seeds_have_an_interval(class_sets: Any) -> None:
    lines = class_sets.set_lines("partial", {"a": [row("source-only", 0.5, 0.7), row("ba3us", 0.8)]})
    assert any("| 60.0 ± 127.1 | 80.0 |" in line for line in lines)


def test_the_best_of_each_library_is_compared_on_the_tasks_that_all_have(peers: Any, tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    theirs = {
        "office_surf-a": {"CORAL": {"accuracy": 0.5}, "OT": {"failed": "no"}},
        "office_surf-unfinished": {"CORAL": {"accuracy": 0.1}},
    } | {f"office_surf-{pair}": {"CORAL": {"accuracy": 0.5}, "OT": {"accuracy": 0.9}} for pair in ("b", "unknown")}
    told = json.dumps({"version": "1.0", "tasks": theirs})
    (tmp_path / "checks" / "peers-skada.json").write_text(told, encoding="utf-8")
    own = {"source-only": 0.4, "mcc": 0.6, "dann": 0.5}
    pairs = {
        pair: [{"method": m, "mean": mean} for m, mean in own.items()]
        for pair in ("a", "b", "unmeasured", "unfinished")
    }
    lines = peers.peer_lines({"office_surf": pairs}, tmp_path)
    assert "| `office_surf` | 2 | 40.0 | `mcc` 60.0 (+20.0) | `CORAL` 50.0 (+10.0) | 2.0 |" in lines
    assert any("`OT` (skada)" in line for line in lines)


def test_nothing_is_said_of_libraries_that_were_not_measured(peers: Any, tmp_path: Path) -> None:
    assert peers.peer_lines({}, tmp_path) == []
