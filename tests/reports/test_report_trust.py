"""“Can you trust it?”: the first section of a run that was chosen without target labels."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from acclimate.errors import WorkError
from acclimate.reports.page import write_report
from acclimate.reports.trust import columns, evidence, headline, trust_section
from acclimate.runs.chosen import CHOICE, Chosen
from acclimate.runs.files import as_json
from acclimate.runs.record import Run

MakeRun = Callable[..., Run]


def weighed(name: str, title: str, value: float | None = 0.8, **more: Any) -> dict[str, Any]:
    estimate = None if value is None else {"value": value, "low": value - 0.1, "high": value + 0.05}
    why = "" if estimate else "only 12 target examples"
    return {"name": name, "title": title, "runs": [f"candidates/{name}-seed0"], "estimate": estimate,
            "cannot_tell": why, **more}  # fmt: skip


def choice(**differing: Any) -> Chosen:
    facts = {
        "name": "mcc",
        "run": "candidates/mcc-seed0",
        "baseline": "source-only",
        "guarded": False,
        "reasons": ["mcc is used: it is better."],
        "examples": 60,
        "candidates": [
            weighed("source-only", "Source only", 0.7, scores={"seed agreement": 0.9, "confidence": 0.8},
                    source_accuracy=0.95),
            weighed("mcc", "MCC", 0.8, scores={"seed agreement": 0.97, "confidence": 0.75}, source_accuracy=0.95),
            weighed("dann", "DANN", 0.75, scores={"seed agreement": None}),
        ],
        "doubtful": [{"id": "row 7", "answer": "cat", "second": "dog", "confidence": 0.4, "shown": "whiskers: 1"}],
        **differing,
    }  # fmt: skip
    return Chosen.model_validate(facts)


def test_a_choice_is_read_that_an_older_version_wrote() -> None:
    facts = choice().model_dump()
    facts["floor"] = facts.pop("baseline")
    assert Chosen.model_validate(facts) == choice()


def chosen_run(make_run: MakeRun, made: Chosen) -> Run:
    run = make_run()
    text = as_json(made.model_dump(mode="json"))
    run.write(run.folder / CHOICE, lambda path: path.write_text(text, encoding="utf-8"))
    return run


def test_it_comes_first_and_says_what_is_used_and_how_sure_that_is(make_run: MakeRun) -> None:
    run = chosen_run(make_run, choice())
    page = write_report(run).read_text(encoding="utf-8")
    first = re.search(r"<h2[^>]*>([^<]*)</h2>", page)
    assert first is not None
    assert first[1] == "MCC is used; about 80\u00a0% of its answers are likely to be right (70 to 85)"
    assert "mcc is used: it is better." in page
    assert f"acclimate audit {run.folder} {run.folder}/candidates/dann-seed0" in page
    assert "whiskers: 1" in page
    for name in ("source-only", "mcc (used)", "dann"):
        assert f">{name}</text>" in page.replace("\n", "")


def test_where_the_guard_fired_the_first_line_says_that_nothing_was_adapted() -> None:
    guarded = choice(name="source-only", run="candidates/source-only-seed0", guarded=True)
    assert headline(guarded).startswith("Source only, without adaptation, is used; ")


def test_what_cannot_be_told_is_said_and_no_number_stands_for_it(make_run: MakeRun) -> None:
    three = [weighed("source-only", "Source only", None), weighed("mcc", "MCC", None)]
    made = choice(candidates=three)
    assert headline(made) == "MCC is used; how often it is right cannot be told: only 12 target examples"
    assert columns(made)["estimated accuracy"] == ["cannot be told"] * 2
    section = trust_section(chosen_run(make_run, made))
    assert section is not None
    assert section.figure is None


def test_evidence_speaks_for_or_against_by_the_number_beside_it() -> None:
    favour, against = evidence(choice())
    assert favour == ["Answers that two seeds give alike: 97.0\u00a0%; Source only: 90.0\u00a0%."]
    assert against == ["Mean confidence on the target: 75.0\u00a0%; Source only: 80.0\u00a0%."]


def test_the_baseline_is_held_against_the_best_of_the_others() -> None:
    _, against = evidence(choice(name="source-only", run="candidates/source-only-seed0"))
    assert against == ["Answers that two seeds give alike: 90.0\u00a0%; MCC: 97.0\u00a0%."]


def test_what_strangers_wrote_is_text(make_run: MakeRun) -> None:
    evil = "<script>alert(1)</script>"
    doubt = {"id": evil, "answer": evil, "second": evil, "confidence": 0.4, "shown": evil}
    run = chosen_run(make_run, choice(doubtful=[doubt], failed={evil: evil}, left_out={evil: evil}))
    assert evil not in write_report(run).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("differing", "words"),
    [
        ({"name": "nobody"}, "chose what it does not list"),
        ({"candidates": []}, "at least"),
        ({"candidates": [weighed("source-only", "S"), weighed("mcc", "M", 1.2)]}, "at most 1"),
    ],
)
def test_a_choice_that_is_not_as_written_is_refused(make_run: MakeRun, differing: dict[str, Any], words: str) -> None:
    run = make_run()
    text = as_json({**choice().model_dump(mode="json"), **differing})
    run.write(run.folder / CHOICE, lambda path: path.write_text(text, encoding="utf-8"))
    with pytest.raises(WorkError, match=words):
        trust_section(run)


def test_a_choice_that_changed_since_is_refused(make_run: MakeRun) -> None:
    run = chosen_run(make_run, choice())
    path = run.folder / CHOICE
    path.write_text(path.read_text(encoding="utf-8").replace("0.97", "0.99"), encoding="utf-8")
    with pytest.raises(WorkError, match="does not have the content that was written"):
        trust_section(run)


def test_other_runs_have_no_such_section(make_run: MakeRun) -> None:
    run = make_run()
    assert trust_section(run) is None
    assert "Can you trust it?" not in write_report(run).read_text(encoding="utf-8")
