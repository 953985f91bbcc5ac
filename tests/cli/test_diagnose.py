"""`acclimate diagnose` as a user types it, on every kind of data, before anything is trained."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import shifted_blobs, two_vocabularies
from commands import Command, Said, write_table

DOCS = Path(__file__).parents[2] / "docs"
LABEL = ("--label-column", "kind")


def said_of(acclimate: Command, *words: str | Path) -> dict[str, Any]:
    said = acclimate("diagnose", *words, "--json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def refused(said: Said, *parts: str) -> None:
    assert said.code == 2
    for part in parts:
        assert part in " ".join(said.err.split())
    assert said.out == ""


def test_the_verdict_stands_first_and_the_last_line_can_be_typed(acclimate: Command, tables: dict[str, Path]) -> None:
    said = acclimate("diagnose", tables["source"], tables["target"], *LABEL)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "A shift: inputs that look different (p < 0.001)."
    assert any(line.startswith("x ") for line in lines)
    command = lines[-1].strip()
    assert command.startswith(f"acclimate adapt --source {tables['source']} --target {tables['target']}")
    planned = acclimate(*shlex.split(command)[1:], "--dry-run", "--json")
    assert planned.code == 0, planned.err
    assert json.loads(planned.out)["method"] == "linear-monge"
    assert not Path("runs").exists()


def test_two_paths_and_two_options_are_the_same(acclimate: Command, tables: dict[str, Path]) -> None:
    one = said_of(acclimate, tables["source"], tables["target"], *LABEL)
    assert one == said_of(acclimate, "--source", tables["source"], "--target", tables["target"], *LABEL)
    recipe = f'source = "{tables["source"]}"\ntarget = "{tables["target"]}"\nlabel_column = "kind"\nmethod = "dann"\n'
    Path("recipe.toml").write_text(recipe)
    assert one == said_of(acclimate, "--config", "recipe.toml")
    assert one["shift"] is True
    assert one["causes"] == ["inputs"]


def test_target_labels_change_no_bit_whether_true_shuffled_or_gone(acclimate: Command) -> None:
    task = shifted_blobs(100, shift=0.5)
    truth = task.hidden.target
    write_table(task.source, Path("source.csv"), task.source.labels)
    target, shuffled = (
        Domain(task.target.inputs, truth, task.source.classes),
        np.random.default_rng(0).permutation(truth),
    )
    heard = set()
    for labels in (None, truth, shuffled):
        write_table(target, Path("target.csv"), labels)
        heard.add(json.dumps(said_of(acclimate, "source.csv", "target.csv", *LABEL)))
    assert len(heard) == 1


def table(rows: int, seed: int, **columns: Any) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    kind = np.arange(rows) % 2
    made = {"weight": rng.normal(70, 9, rows) + 9 * kind, "height": rng.normal(170, 8, rows), "kind": kind}
    return pl.DataFrame({**made, **columns}).with_columns(kind=pl.format("k{}", "kind"))


def test_a_table_with_everything_that_goes_wrong(acclimate: Command) -> None:
    colours = np.random.default_rng(0).choice(["red", "blue"], 200)
    table(200, 0, colour=colours, room=["a"] * 200, old=range(200)).write_csv("source.csv")
    target = table(150, 1, colour=["red", "green", "green"] * 50, room=["a", "b"] * 75, new=range(150))
    gaps = pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise(pl.col("height")).alias("height")
    target.with_columns(gaps, weight=pl.col("weight") * 1000).drop("kind").write_csv("target.csv")
    found = said_of(acclimate, "source.csv", "target.csv", *LABEL)
    assert (found["only_source"], found["only_target"]) == (["old"], ["new"])
    assert found["causes"][:2] == ["scale", "missing"]
    by_name = {column["name"]: column for column in found["columns"]}
    assert by_name["weight"]["factor"] == pytest.approx(1000, rel=0.15)
    assert by_name["height"]["missing_target"] == pytest.approx(1 / 3)
    assert by_name["colour"]["told"] == "share of values that the source lacks"
    # What comes next is the same command without these columns; it goes on from there.
    following = shlex.split(found["next"])
    assert following[:2] == ["acclimate", "diagnose"]
    assert following[-2:] == ["--leave-out", "old,weight,height"]
    again = said_of(acclimate, *following[2:])
    assert "scale" not in again["causes"]
    assert again["causes"]


def test_tables_without_a_common_column_are_refused_with_the_next_move(acclimate: Command) -> None:
    table(60, 0).write_csv("source.csv")
    pl.DataFrame({"a": range(60), "b": range(60)}).write_csv("target.csv")
    said = acclimate("diagnose", "source.csv", "target.csv", *LABEL)
    refused(said, "must have a column in common by name", "weight, height", "--method cgt")


@pytest.mark.parametrize("rows", [2, 29])
def test_fewer_than_30_target_examples_are_refused(acclimate: Command, rows: int) -> None:
    table(60, 0).write_csv("source.csv")
    table(rows, 1).write_csv("target.csv")
    said = acclimate("diagnose", "source.csv", "target.csv", *LABEL)
    refused(said, "target must have at least 30 examples to diagnose", f"got {rows}")


def test_one_class_is_refused(acclimate: Command) -> None:
    table(60, 0).with_columns(kind=pl.lit("one")).write_csv("source.csv")
    table(60, 1).write_csv("target.csv")
    refused(acclimate("diagnose", "source.csv", "target.csv", *LABEL), "must have at least two classes")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("a.csv",), "source and target must be two paths; got 'a.csv'"),
        (("a.csv", "b.csv", "c.csv"), "c.csv"),
        (("a.csv", "b.csv", "--source", "c.csv"), "--source must not stand beside the two paths"),
        (("a.csv", "b.csv", "--task", "demo"), "--task must not stand beside the two paths"),
        ((), "source must be given"),
        (("--source", "a.csv"), "target must be given"),
        (("--task", "dmo"), "Did you mean 'demo'?"),
        (("a.csv", "b.csv"), "'a.csv'"),
    ],
)
def test_what_cannot_be_meant_is_refused(acclimate: Command, words: tuple[str, ...], part: str) -> None:
    refused(acclimate("diagnose", *words), part)


def test_pictures_are_compared_and_named(acclimate: Command, pictures: dict[str, Path]) -> None:
    found = said_of(acclimate, pictures["source"], pictures["target"], "--out", "page.html")
    assert found["kind"] == "images"
    assert found["causes"] == ["inputs"]
    assert {column["name"] for column in found["columns"]} <= {"brightness", "contrast", "sharpness"}
    named = found["least_like_the_other_side"]
    assert all(Path(pictures["source"], name).is_file() for name in named["source"])
    assert all(Path(pictures["target"], name).is_file() for name in named["target"])
    page = Path(found["page"]).read_text()
    assert f"<h1>{found['verdict'].replace('<', '&lt;')}</h1>" in page
    assert page.count('<img src="data:image/png;base64,') == len(named["source"]) + len(named["target"])
    assert all(f'alt="{name}"' in page for name in (*named["source"], *named["target"]))
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_page_is_not_written_over_and_is_told_beforehand(acclimate: Command, tables: dict[str, Path]) -> None:
    sides = (tables["source"], tables["target"], *LABEL)
    refused(acclimate("diagnose", *sides, "--out", "page.txt"), "out must end in .html")
    said = acclimate("diagnose", *sides, "-o", "page.html")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "Page: page.html"
    assert '<th scope="row">x</th>' in Path("page.html").read_text()
    refused(acclimate("diagnose", *sides, "--out", "page.html"), "out must not exist yet")


def test_texts_are_compared_by_words(acclimate: Command) -> None:
    task = two_vocabularies(80)
    for side, labels in ((task.source, task.source.labels), (task.target, None)):
        rows = [{"text": text} for text in to_texts(side.rows)]
        for row, label in zip(rows, labels if labels is not None else (), strict=False):
            row["label"] = side.classes[label]
        Path(f"{side.name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    said = acclimate("diagnose", f"{task.source.name}.jsonl", f"{task.target.name}.jsonl")
    assert said.code == 0, said.err
    assert "word that differs" in said.out
    assert "--method ngram-memory" in said.out.splitlines()[-1]


def test_sides_of_different_kinds_are_refused(
    acclimate: Command, pictures: dict[str, Path], tables: dict[str, Path]
) -> None:
    refused(acclimate("diagnose", pictures["source"], tables["target"]), "must hold the same kind of input")


def test_the_example_of_the_page_is_what_it_says(acclimate: Command) -> None:
    page = (DOCS / "diagnose.md").read_text(encoding="utf-8")
    command, told = re.findall(r"(?s)```\n(acclimate diagnose --task[^\n]*)\n```\n+```text\n(.*?)```", page)[0]
    said = acclimate(*shlex.split(command)[1:])
    assert said.code == 0, said.err
    ours, theirs = (re.sub(r"[<=] \d[\d.]*|\d+(\.\d+)?", "#", text).split() for text in (said.out, told))
    assert ours == theirs  # but for numbers, which another machine may round otherwise
