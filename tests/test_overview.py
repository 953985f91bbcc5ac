"""The table of all methods: what it is written from fits the methods that there are."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from acclimate import discovery

DOCS = Path(__file__).parents[1] / "docs"
METHODS = discovery.methods()


@pytest.fixture
def overview(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DOCS))
    sys.modules.pop("overview", None)
    import overview

    return overview


def test_what_methods_are_for_is_said_of_methods() -> None:
    when = tomllib.loads((DOCS / "when.toml").read_text(encoding="utf-8"))
    assert set(when) <= set(METHODS)
    assert all(set(said) == {"take", "leave"} for said in when.values())


def test_gains_are_points_over_the_baseline_of_each_task_and_number_of_labels(overview: Any) -> None:
    measured = {
        "one": [{"method": "source-only", "mean": 0.5}, {"method": "mcd", "mean": 0.75}],
        "other": [{"method": "source-only", "mean": 0.5}, {"method": "mcd", "mean": 0.25}],
        "apart": [
            {"method": f"{m}-{n}", "mean": v + n / 100} for m, v in (("nnt", 0.1), ("cgt", 0.4)) for n in (1, 3)
        ],
        "without": [{"method": "dann", "mean": 0.9}],
    }
    unknown = [("threshold", 0.5), ("osbp", 0.75)]
    measured["open"] = [
        {"method": m, "mean": 0.9, "scores": [{"target_accuracy": 0.9, "target_h_score": h}]} for m, h in unknown
    ]
    gains = overview.gains(measured)
    assert gains["mcd"] == [25, -25]
    assert gains["osbp"] == [25], "the H-score, whatever the row was kept by"
    assert gains["cgt"] == pytest.approx([30, 30])
    assert "dann" not in gains


def test_what_is_called_otherwise_here_is_linked_or_told_to_be_absent(overview: Any) -> None:
    page = overview.elsewhere_page({})
    assert "| `TransferComponentAnalysis` | [`tca`](tca.md) |" in page
    assert "| `EntropicOTMapping` | not here: " in page
