"""Sides with different columns, as a user types it; and everything that can be wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import acclimate as ac
from acclimate.data.synthetic import two_views
from acclimate.runs.record import Run
from commands import Command

ADAPT = ("adapt", "--source", "a.csv", "--target", "b.csv", "--label-column", "kind", "--method", "ssan")
QUICK = ("--steps", "5", "--out", "run")


def frame(inputs: np.ndarray, labels: list[str | None], letter: str) -> pl.DataFrame:
    columns = {f"{letter}{i}": inputs[:, i] for i in range(inputs.shape[1])}
    return pl.DataFrame({**columns, "kind": pl.Series(labels, dtype=pl.String)})


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, pl.DataFrame]:
    """a.csv with 6 columns and all labels, b.csv with 20 others and labels for 9 of 60 rows, c.csv to predict."""
    task = two_views(60, noise=0.2)
    given = task.with_label_budget(3).target.labels
    names = [*task.classes, None]
    found = {
        "a": frame(task.source.inputs, [names[y] for y in task.source.labels], "a"),
        "b": frame(task.target.inputs, [names[y] for y in given], "b"),
        "c": frame(task.target_test.inputs, [names[y] for y in task.hidden.target_test], "b"),
    }
    for name, table in found.items():
        table.write_csv(tmp_path / f"{name}.csv")
    return found


def test_from_two_tables_to_predictions(acclimate: Command, tables: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    words = ("--target-test", "c.csv", "--set", "optimizer=adam", "--lr", "0.001", "--steps", "200", "--out", "run")
    said = acclimate(*ADAPT, *words)
    assert said.code == 0, said.err
    assert "SSAN on" in said.out
    assert "target labels alone" in said.out
    run = Run(tmp_path / "run")
    assert run.config["task"]["labelled_target"] == 9
    assert run.baseline.config["method"]["name"] == "nnt"
    assert run.summary["scores"]["target_test_accuracy"] > 0.9
    assert "target labels alone" in run.report_path.read_text().lower()

    said = acclimate("predict", "run", "c.csv", "--label-column", "kind", "--out", "answers.csv")
    assert said.code == 0, said.err
    answers = pl.read_csv("answers.csv")["predicted"].to_list()
    assert (np.array(answers) == np.array(tables["c"]["kind"].to_list())).mean() == pytest.approx(
        run.summary["scores"]["target_test_accuracy"]
    )
    said = acclimate("evaluate", "run", "--data", "c.csv", "--label-column", "kind", "--json")
    assert json.loads(said.out)["accuracy"] == pytest.approx(run.summary["scores"]["target_test_accuracy"])


def test_labels_that_are_all_given_leave_nothing_to_score(
    acclimate: Command, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    said = acclimate(*ADAPT, *QUICK)
    assert said.code == 0, said.err
    assert said.out.startswith("Target accuracy is unknown, as no target label is known")
    assert "target_accuracy" not in Run(tmp_path / "run").summary["scores"]


def test_a_dry_run_shows_both_widths(acclimate: Command, tables: dict[str, pl.DataFrame]) -> None:
    said = acclimate(*ADAPT, "--dry-run")
    assert said.code == 0, said.err
    assert "6 and 20 features" in said.out


def test_in_python_both_sides_reach_one_space() -> None:
    task = two_views(90, noise=0.2)
    given = task.with_label_budget(3).target.labels
    model = ac.SSAN(steps=200, optimizer="adam", lr=1e-3)
    model.fit((task.source.inputs, task.source.labels), (task.target.inputs, given))
    assert model.transform(task.source.inputs, side="source").shape == (90, 256)
    assert model.transform(task.target.inputs).shape == (90, 256)
    assert model.score(task.target_test.inputs, task.hidden.target_test) > 0.9
    assert (model.predict(task.source.inputs, side="source") == task.source.labels).mean() > 0.9
    with pytest.raises(ac.RequestError, match="side must be 'source' or 'target'; got 'left'"):
        model.predict(task.source.inputs, side="left")


def test_labels_given_do_not_count_in_the_score(
    acclimate: Command, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    tables["c"].write_csv(tmp_path / "b.csv")
    said = acclimate(*ADAPT, *QUICK, "--label-budget", "4", "--json")
    assert said.code == 0, said.err
    predictions = pl.read_parquet(tmp_path / "run/predictions.parquet")
    assert predictions["label"].null_count() == 12


Change = Callable[[dict[str, pl.DataFrame]], dict[str, pl.DataFrame]]


def with_kinds(of: str, change: Callable[[pl.Expr], pl.Expr]) -> Change:
    return lambda tables: {of: tables[of].with_columns(change(pl.col("kind")).alias("kind"))}


def at_row_7(column: str, value: float | None) -> pl.Expr:
    return pl.when(pl.int_range(60) == 7).then(value).otherwise(pl.col(column)).alias(column)


WRONG: list[tuple[str, Change, tuple[str, ...], tuple[str, ...]]] = [
    (
        "no labelled target example",
        with_kinds("b", lambda kind: pl.lit(None, pl.String)),
        (),
        ("target must have some labelled examples", "got none", "--label-budget 3"),
    ),
    (
        "a class without a labelled target example",
        with_kinds("b", lambda kind: pl.when(kind == "kind 1").then(None).otherwise(kind)),
        (),
        ("target must have a labelled example of every class", "got none of 'kind 1'", "Label a few"),
    ),
    (
        "a target that is labelled throughout",
        lambda tables: {"b": tables["c"]},
        (),
        ("target must have some labelled examples", "--label-budget 3"),
    ),
    (
        "other names of the classes",
        with_kinds("b", lambda kind: kind.replace_strict({f"kind {i}": f"sort {i}" for i in range(3)}, default=None)),
        (),
        ("label_budget needs target labels of the source's classes", "same names on both"),
    ),
    (
        "a row of zeros",
        lambda tables: {"b": tables["b"].with_columns(at_row_7(f"b{i}", 0.0) for i in range(20))},
        ("--set", "normalisation=rows"),
        ("target must have no row of zeros", "the first of them row 7", "--normalisation standard"),
    ),
    (
        "a missing number",
        lambda tables: {"b": tables["b"].with_columns(at_row_7("b3", None))},
        ("--set", "missing=refuse"),
        ("b3",),
    ),
    (
        "one target row",
        lambda tables: {"b": tables["b"].head(1)},
        (),
        ("target",),
    ),
    (
        "the logarithm of a negative number",
        lambda tables: {},
        ("--set", "normalisation=log-rows"),
        ("must have no negative feature", "Choose --normalisation rows"),
    ),
    (
        "a network for shared features",
        lambda tables: {},
        ("--network", "mlp"),
        ("network must be 'projectors'", "Leave network out"),
    ),
    (
        "a method that needs the same features",
        lambda tables: {},
        ("--method", "dann"),
        ("b.csv must have the 6 feature columns of the source", "--method cgt needs no others"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words", "said_so"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_is_wrong_gets_a_sentence(
    acclimate: Command,
    tables: dict[str, pl.DataFrame],
    tmp_path: Path,
    change: Change,
    words: tuple[str, ...],
    said_so: tuple[str, ...],
) -> None:
    for name, table in change(tables).items():
        table.write_csv(tmp_path / f"{name}.csv")
    said = acclimate(*ADAPT, *QUICK, *words)
    assert said.code == 2, (said.out, said.err)
    for part in said_so:
        assert part in said.err
    assert not (tmp_path / "run").exists()


def test_a_class_that_only_the_target_has_is_told(
    acclimate: Command, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    kinds = tables["b"]["kind"].to_list()
    at = kinds.index(None)
    tables["b"].with_columns(pl.Series("kind", [*kinds[:at], "kind 9", *kinds[at + 1 :]])).write_csv(
        tmp_path / "b.csv"
    )
    said = acclimate(*ADAPT, *QUICK)
    assert said.code == 0, said.err
    assert "Only the target has the class 'kind 9'" in said.out


def test_images_are_refused() -> None:
    pictures = np.zeros((20, 8, 8), np.uint8)
    labels = np.arange(20) % 2
    with pytest.raises(ac.RequestError, match="must hold features for the method 'ssan'"):
        ac.SSAN().fit((pictures, labels), (pictures, np.where(np.arange(20) < 8, labels, -1)))
