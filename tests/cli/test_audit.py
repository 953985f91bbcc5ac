"""`acclimate audit` as a user types it: examples asked for, labels given back, accuracy told or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from acclimate.data.domain import Domain
from acclimate.data.synthetic import shifted_blobs
from acclimate.runs.audits import asked_of, codes
from acclimate.runs.record import Run
from commands import Command, write_table

QUICK = ("--steps", "30", "--batch-size", "16", "--set", "evaluations=1", "--precision", "fp32")
BLOBS = shifted_blobs(120, shift=1.0)
ANSWERS = [BLOBS.target.classes[y] for y in BLOBS.hidden.target]


@pytest.fixture
def blobs() -> None:
    """Tables in the current folder: a labelled source and targets without, with and with shuffled labels."""
    write_table(BLOBS.source, Path("source.csv"), BLOBS.source.labels)
    truth = BLOBS.hidden.target
    target = Domain(BLOBS.target.inputs, truth, BLOBS.source.classes)
    write_table(target, Path("target.csv"), None)
    write_table(target, Path("known.csv"), truth)
    write_table(target, Path("shuffled.csv"), np.random.default_rng(0).permutation(truth))


_RUNS: dict[tuple[str, ...], dict[Path, bytes]] = {}


def a_run(acclimate: Command, out: str, *words: str, target: str = "target.csv") -> Run:
    """What `adapt` makes, trained once for all tests that ask for the same and copied to each."""
    key = (target, *words)
    if key not in _RUNS:
        run = adapt(acclimate, out, *words, target=target)
        _RUNS[key] = {p.relative_to(run.folder): p.read_bytes() for p in run.folder.rglob("*") if p.is_file()}
    for path, content in _RUNS[key].items():
        (Path(out) / path).parent.mkdir(parents=True, exist_ok=True)
        (Path(out) / path).write_bytes(content)
    return Run(out)


def adapt(acclimate: Command, out: str, *words: str, target: str = "target.csv", method: str = "coral") -> Run:
    sides = ("--source", "source.csv", "--target", target, "--label-column", "kind")
    said = acclimate("adapt", *sides, "--method", method, *QUICK, "--out", out, *words)
    assert said.code == 0, said.err
    return Run(out)


def fill_in(path: str, code: str, run: Run, answers: list[str] = ANSWERS) -> pl.DataFrame:
    """A person who knows."""
    rows = {item.name: item.row for item in asked_of(run, code).items}
    table = pl.read_csv(path, infer_schema=False)
    return table.with_columns(pl.Series("label", [answers[rows[name]] for name in table["item"]]))


def ask(acclimate: Command, *runs: str, items: int = 40) -> str:
    said = acclimate("audit", *runs, "--items", str(items), "--out", "to_label.csv")
    assert said.code == 0, said.err
    return said.out


def test_an_audit_from_run_to_accuracy(acclimate: Command, blobs: None) -> None:
    run = a_run(acclimate, "run")
    said = ask(acclimate, "run")
    assert "Wrote 40 of 120 target examples to to_label.csv." in said
    assert "acclimate audit run --answers to_label.csv" in said
    (code,) = codes(run)
    sheet = pl.read_csv("to_label.csv", infer_schema=False)
    assert sheet.columns == ["item", "id", "values", "label", "one of"]
    assert sheet["label"].null_count() == 40
    assert sheet["one of"][0] == "blob 0 | blob 1 | blob 2 | none of these"
    # What there is to look at is the table's own row.
    line = int(sheet["id"][0].removeprefix("line "))
    x, y = Path("target.csv").read_text().splitlines()[line - 1].split(",")
    assert sheet["values"][0] == f"x: {x}; y: {y}"
    # What the model answered stands nowhere: it would be agreed with.
    assert "predicted" not in Path("to_label.csv").read_text()
    fill_in("to_label.csv", code, run).write_csv("to_label.csv")
    said = acclimate("audit", "run", "--answers", "to_label.csv")
    assert said.code == 0, said.err
    assert said.out.startswith("Accuracy about ")
    assert "by 40 audited labels" in said.out.splitlines()[0]
    page = run.report_path.read_text()
    assert "by 40 audited labels" in page
    assert "Target accuracy is unknown" not in page
    # The report keeps what was audited.
    assert acclimate("report", "run").code == 0
    assert "by 40 audited labels" in run.report_path.read_text()


def test_json_holds_the_estimates_and_they_hold_the_truth(acclimate: Command, blobs: None) -> None:
    run = a_run(acclimate, "run")
    asked = json.loads(acclimate("audit", "run", "--items", "60", "--out", "to_label.csv", "--json").out)
    assert len(asked["items"]) == 60
    assert sum(1 / item["probability"] for item in asked["items"]) == pytest.approx(120)
    code = asked["items"][0]["name"].partition("-")[0]
    fill_in("to_label.csv", code, run).write_csv("labelled.csv")
    found = json.loads(acclimate("audit", "run", "--answers", "labelled.csv", "--json").out)
    (row,) = found["runs"]
    table = pl.read_parquet(run.predictions_path)
    truth = float((table["predicted"] == pl.Series(ANSWERS)).mean())
    before = pl.read_parquet(run.baseline.predictions_path)
    gain = truth - float((before["predicted"] == pl.Series(ANSWERS)).mean())
    for (value, low, high), true in ((row["accuracy"], truth), (row["gain"], gain)):
        assert low <= true <= high
        assert low <= value <= high
        assert high - low < 0.2
    assert row["choice"] in (row["first"], row["model"])


def test_the_choice_of_items_is_the_same_whatever_the_hidden_labels(acclimate: Command, blobs: None) -> None:
    def chosen(name: str, target: str) -> list[dict[str, Any]]:
        run = a_run(acclimate, name, target=target)
        assert acclimate("audit", name, "--out", f"{name}.csv").code == 0
        (code,) = codes(run)
        return [item.model_dump() for item in asked_of(run, code).items]

    none, known, shuffled = (
        chosen(*pair) for pair in (("a", "target.csv"), ("b", "known.csv"), ("c", "shuffled.csv"))
    )
    assert none == known == shuffled
    # Nor do labels that are known show.
    assert "blob" not in " ".join(pl.read_csv("b.csv")["values"])


def test_several_runs_are_told_apart_by_the_same_labels(acclimate: Command, blobs: None) -> None:
    first, second = a_run(acclimate, "one"), adapt(acclimate, "two", "--seed", "1", method="dann")
    ask(acclimate, "one", "two")
    (code,) = codes(first)
    assert codes(second) == [code]
    fill_in("to_label.csv", code, first).write_csv("to_label.csv")
    said = acclimate("audit", "one", "two", "--answers", "to_label.csv")
    assert said.code == 0, said.err
    for title in ("Source only", "Deep CORAL", "DANN"):
        assert title in said.out
    assert "Take " in said.out
    # One of them alone can be asked about too.
    assert acclimate("audit", "two", "--answers", "to_label.csv").code == 0


def test_audited_labels_train_nothing(acclimate: Command, blobs: None) -> None:
    run = a_run(acclimate, "run")
    before = {path: path.read_bytes() for path in run.checkpoints_path.iterdir()}
    ask(acclimate, "run")
    (code,) = codes(run)
    fill_in("to_label.csv", code, run).write_csv("to_label.csv")
    assert acclimate("audit", "run", "--answers", "to_label.csv").code == 0
    again = adapt(acclimate, "again")
    assert {path: path.read_bytes() for path in run.checkpoints_path.iterdir()} == before
    answers = [pl.read_parquet(one.predictions_path) for one in (run, again)]
    assert answers[0].equals(answers[1])


def test_labels_that_training_was_given_are_not_asked_about(acclimate: Command, blobs: None) -> None:
    run = adapt(acclimate, "run", "--label-budget", "20", target="known.csv")
    said = ask(acclimate, "run")
    assert "40 of 60 target examples" in said
    from acclimate.running.requests import task_of
    from acclimate.runs.request import Request

    given = set(np.flatnonzero(task_of(Request(**run.config["request"])).target.labels >= 0).tolist())
    assert len(given) == 60
    assert not given & {item.row for item in asked_of(run, codes(run)[0]).items}


@pytest.mark.parametrize("saved", ["semicolons", "marked", "utf-16", "reordered", "other names"])
def test_however_a_spreadsheet_saves_it(acclimate: Command, blobs: None, saved: str) -> None:
    run = a_run(acclimate, "run", "--no-baseline")
    ask(acclimate, "run")
    table = fill_in("to_label.csv", codes(run)[0], run)
    text = table.write_csv()
    if saved == "semicolons":
        text = table.write_csv(separator=";", line_terminator="\r\n")
    elif saved == "reordered":
        text = table.select("one of", "label", "item").sample(fraction=1, shuffle=True, seed=1).write_csv() + ",,\n"
    elif saved == "other names":
        upper = pl.col("label").str.to_uppercase().str.replace("^", "  ")
        text = table.with_columns(upper).rename({"label": "Label", "item": "ITEM"}).write_csv()
    encoding = {"marked": "utf-8-sig", "utf-16": "utf-16"}.get(saved, "utf-8")
    Path("labelled.csv").write_bytes(text.encode(encoding))
    said = acclimate("audit", "run", "--answers", "labelled.csv", "--json")
    assert said.code == 0, said.err
    Path("plain.csv").write_text(table.write_csv())
    plain = json.loads(acclimate("audit", "run", "--answers", "plain.csv", "--json").out)
    assert json.loads(said.out)["runs"][0]["accuracy"] == plain["runs"][0]["accuracy"]


def test_answers_that_cannot_be_used_give_no_number(acclimate: Command, blobs: None) -> None:
    run = a_run(acclimate, "run", "--no-baseline")
    ask(acclimate, "run")
    (code,) = codes(run)
    good = fill_in("to_label.csv", code, run)
    first = good["item"][0]
    cases = {
        "accuracy cannot be told": good.with_columns(
            pl.when(pl.col("item") == first).then(pl.lit("")).otherwise(pl.col("label")).alias("label")
        ),
        "39; none for": good.filter(pl.col("item") != first),
        "more than once": pl.concat([good, good.head(1)]),
        "must be a known name": good.with_columns(pl.lit("blub 0").alias("label")),
        "must be items of audit": good.with_columns(pl.col("item").str.replace(first, f"{code}-99")),
        "must be of one audit": good.with_columns(pl.col("item").str.replace(first, "xxxx-01")),
        "those of audit 'xxxx'": good.with_columns(pl.col("item").str.replace(code, "xxxx")),
        "must be a column of": good.drop("label"),
        "must name the item of every label": good.with_columns(pl.col("item").str.replace(first, "")),
    }
    for words, table in cases.items():
        table.write_csv("bad.csv")
        said = acclimate("audit", "run", "--answers", "bad.csv")
        assert said.code == 2, words
        assert words in said.err
        assert "%" not in said.out
    assert acclimate("audit", "run", "--answers", "nothing.csv").code == 2
    assert "must be a .csv file" in acclimate("audit", "run", "--answers", "to_label.xlsx").err
    # Of one model there is nothing to choose.
    good.write_csv("good.csv")
    said = acclimate("audit", "run", "--answers", "good.csv")
    assert "Take " not in said.out
    assert len(said.out.splitlines()) == 2
    # “None of these” is an answer: no model is right about it.
    good.with_columns(pl.lit("None of these").alias("label")).write_csv("none.csv")
    found = json.loads(acclimate("audit", "run", "--answers", "none.csv", "--json").out)
    assert found["runs"][0]["accuracy"][0] == 0


def test_what_cannot_be_asked_is_said(acclimate: Command, blobs: None) -> None:
    run = a_run(acclimate, "run", "--no-baseline")
    few = Domain(BLOBS.target.inputs[:29], BLOBS.hidden.target[:29], BLOBS.source.classes)
    write_table(few, Path("few.csv"), None)
    adapt(acclimate, "few", "--no-baseline", target="few.csv")
    other = Domain(BLOBS.target.inputs[::-1].copy(), BLOBS.hidden.target, BLOBS.source.classes)
    write_table(other, Path("other.csv"), None)
    adapt(acclimate, "other", "--no-baseline", target="other.csv")
    Path("open").mkdir()
    (Path("open") / "config.json").write_text(run.config_path.read_text())
    for words, command in {
        "must have at least 30 examples": ("few",),
        "must not be of different tasks": ("run", "other"),
        "must be finished": ("open",),
        "must be from 10 to 120": ("run", "--items", "121"),
        "must be from 10 to 120, the examples there are; got 9": ("run", "--items", "9"),
        "must each be given once": ("run", "./run"),
        "must end in .csv": ("run", "--out", "a.txt"),
        "must not be given beside --answers": ("run", "--answers", "a.csv", "--items", "40"),
        "must be the folder of a run": ("nowhere",),
    }.items():
        said = acclimate("audit", *command)
        assert said.code == 2, command
        assert words in said.err
    assert codes(run) == []
    # Nothing is written over.
    assert acclimate("audit", "run").code == 0
    said = acclimate("audit", "run")
    assert said.code == 2
    assert "where the same was asked before" in said.err
    assert acclimate("audit", "run", "--seed", "1").code == 0
    assert len(codes(run)) == 2


def test_a_record_that_was_changed_and_answers_that_were_are_refused(acclimate: Command, blobs: None) -> None:
    run = a_run(acclimate, "run", "--no-baseline")
    ask(acclimate, "run")
    (code,) = codes(run)
    fill_in("to_label.csv", code, run).write_csv("to_label.csv")
    from acclimate.runs.audits import ASKED, folder_of
    from acclimate.runs.manifest import Manifest

    asked = run.folder / "audits" / code / "asked.json"
    content = asked.read_text()
    asked.write_text(content.replace('"stratum": 0', '"stratum": 1'))
    said = acclimate("audit", "run", "--answers", "to_label.csv")
    assert said.code == 1
    assert "SHA-256" in said.err
    Manifest(folder_of(run, code)).write(asked.parent / ASKED, lambda path: path.write_text('{"format": 1}'))
    said = acclimate("audit", "run", "--answers", "to_label.csv")
    assert said.code == 1
    assert "is not as acclimate writes it" in said.err
    Manifest(folder_of(run, code)).write(asked.parent / ASKED, lambda path: path.write_text(content))
    table = pl.read_parquet(run.predictions_path)
    run.write(run.predictions_path, table.with_columns(pl.lit("blob 0").alias("predicted")).write_parquet)
    said = acclimate("audit", "run", "--answers", "to_label.csv")
    assert said.code == 2
    assert "must have answers that audit" in said.err


def test_pictures_are_named_by_their_files(acclimate: Command, pictures: dict[str, Path]) -> None:
    sides = ("--source", pictures["source"], "--target", pictures["target"])
    said = acclimate("adapt", *sides, "--method", "coral", *QUICK, "--steps", "2", "--no-baseline", "--out", "run")
    assert said.code == 0, said.err
    ask(acclimate, "run", items=20)
    sheet = pl.read_csv("to_label.csv", infer_schema=False)
    assert all(Path(file).is_file() for file in sheet["file"])
    assert len(set(sheet["file"])) == 20


def test_pictures_that_are_no_files_are_written(acclimate: Command, pictures: dict[str, Path]) -> None:
    from acclimate.data.synthetic import dimmed_bars

    task = dimmed_bars(60)
    np.savez("source.npz", x=task.source.inputs, y=task.source.labels)
    np.savez("target.npz", x=task.target.inputs)
    sides = ("--source", "source.npz", "--target", "target.npz")
    said = acclimate("adapt", *sides, "--method", "coral", *QUICK, "--steps", "2", "--no-baseline", "--out", "run")
    assert said.code == 0, said.err
    ask(acclimate, "run", items=20)
    from PIL import Image

    run = Run("run")
    for item in asked_of(run, codes(run)[0]).items:
        with Image.open(item.shown) as picture:
            assert np.array_equal(np.asarray(picture), task.target.inputs[item.row, ..., 0])


def test_texts_come_as_they_are_and_no_spreadsheet_runs_them(acclimate: Command) -> None:
    words = {"bad": "awful poor waste", "good": "great lovely best"}
    lines = [{"text": f"{words[k]} =1+1 {i}" if i % 3 else f"=HYPERLINK({i}) {words[k]}", "label": k}
             for i, k in enumerate(["bad", "good"] * 30)]  # fmt: skip
    Path("source.jsonl").write_text("\n".join(map(json.dumps, lines)))
    Path("target.jsonl").write_text("\n".join(json.dumps({"text": f"{line['text']} there"}) for line in lines))
    sides = ("--source", "source.jsonl", "--target", "target.jsonl")
    said = acclimate("adapt", *sides, "--method", "tfidf", "--out", "run")
    assert said.code == 0, said.err
    ask(acclimate, "run", items=30)
    run = Run("run")
    texts = {item.name: item.shown for item in asked_of(run, codes(run)[0]).items}
    assert all(text.endswith(" there") for text in texts.values())
    sheet = pl.read_csv("to_label.csv", infer_schema=False)
    assert not any(str(cell).startswith("=") for cell in sheet["text"])


def test_one_class_cannot_be_audited(acclimate: Command, pictures: dict[str, Path]) -> None:
    from acclimate.runs.candidates import candidates

    class OneClass(Run):
        def __init__(self) -> None: ...

        folder = Path("run")
        summary = {"finished": "now"}  # noqa: RUF012
        config = {  # noqa: RUF012
            "problem": "adaptation",
            "method": {"name": "coral"},
            "task": {"num_classes": 1, "classes": ["cat"]},
        }

    with pytest.raises(ValueError, match="must tell two classes apart"):
        candidates([OneClass()])
