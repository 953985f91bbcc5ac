"""An estimated accuracy in words, where no label scored the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from acclimate.errors import WorkError
from acclimate.reports.outcome import outcome
from acclimate.runs.record import Run

MakeRun = Callable[..., Run]
ONE = {"value": 0.5, "low": 0.25, "high": 0.75}
TOLD = {"value": 0.87, "low": 0.79, "high": 0.93, "confidence": 0.9, "by_class": [None, ONE, None]}


def with_estimate_of(run: Run, told: Any) -> Run:
    """The run as though its summary had told that."""
    summary = json.loads(run.summary_path.read_text(encoding="utf-8")) | {"estimate": told}
    run.write(run.summary_path, lambda path: path.write_text(json.dumps(summary), encoding="utf-8"))
    return run


def test_it_stands_before_everything_else_where_no_label_is_known(make_run: MakeRun) -> None:
    run = make_run(labels=[-1] * 60)
    before = outcome(run)
    said = outcome(with_estimate_of(run, TOLD))
    assert said.sentences[0].startswith("About 87\u00a0% (79 to 93) of its answers are likely to be right")
    assert said.sentences[1:-1] == before.sentences[:-1]
    assert before.sentences[-1].startswith("What would labels buy?")
    assert "Were 87.0\u00a0% right now" in said.sentences[-1]
    assert said.headline == before.headline
    assert before.tiles[0].value == "unknown"
    assert (said.tiles[0].name, said.tiles[0].value) == ("Target accuracy, estimated", "87\u00a0% (79 to 93)")


def test_what_cannot_be_told_is_said_with_its_reason_and_no_number(make_run: MakeRun) -> None:
    run = with_estimate_of(make_run(labels=[-1] * 60), {"cannot_tell": "only 12 target examples"})
    said = outcome(run)
    assert said.sentences[0] == "How often its answers are right cannot be told: only 12 target examples."
    assert said.tiles[0].value == "unknown"


def test_known_labels_tell_better_and_old_runs_tell_nothing(make_run: MakeRun) -> None:
    run = make_run()
    scored = outcome(run)
    assert outcome(with_estimate_of(run, TOLD)) == scored
    assert "likely" not in "".join(scored.sentences)


@pytest.mark.parametrize(
    "told", [{"value": 1.5, "low": 0.1, "high": 0.2}, {"value": "much"}, [0.8], {"by_class": [1]}]
)
def test_a_damaged_one_is_refused(make_run: MakeRun, told: Any) -> None:
    run = with_estimate_of(make_run(labels=[-1] * 60), told)
    with pytest.raises(WorkError, match="is not as acclimate writes it"):
        outcome(run)
