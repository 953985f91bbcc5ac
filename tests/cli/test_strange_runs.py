"""A run folder from a stranger, who wrote its checksums too: read if it makes sense, else refused in a sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import acclimate as ac
from acclimate.errors import WorkError
from acclimate.running.adaptation import adapt
from acclimate.runs.manifest import file_hash
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from commands import Command


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest") / "run"
    training = {"steps": 4, "evaluations": 1, "device": "cpu"}
    adapt(Request(task="demo", method="mcc", training=training, baseline=False), folder)
    return folder


@pytest.fixture
def run(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "run"))


def seal(path: Path) -> None:
    manifest = path.parent / "manifest.json"
    entries = json.loads(manifest.read_text())
    entries[path.name] = {"bytes": path.stat().st_size, "sha256": file_hash(path)}
    manifest.write_text(json.dumps(entries))


def rewrite(run: Path, change: Callable[[dict[str, Any]], None], file: str = "config.json") -> None:
    content = json.loads((run / file).read_text())
    change(content)
    (run / file).write_text(json.dumps(content))
    seal(run / file)


def set_to(*keys_and_value: Any) -> Callable[[dict[str, Any]], None]:
    *keys, last, value = keys_and_value

    def change(content: dict[str, Any]) -> None:
        for key in keys:
            content = content[key]
        content[last] = value

    return change


CONFIGS = {
    "classes a million times": (set_to("task", "classes", ["a"] * 10**6), "task.classes"),
    "classes twice": (set_to("task", "classes", ["a", "a", *"bcdefghi"]), "must name each class once"),
    "more classes than names": (set_to("task", "num_classes", 11), "must name the 11 classes"),
    "network as an object": (set_to("network", {"name": "tiny"}), "network must be text; got {'name': 'tiny'}"),
    "method as text": (set_to("method", "mcc"), "method must be a table; got 'mcc'"),
    "options as a list": (set_to("method", "options", []), "method.options must be a table; got []"),
    "no target": (set_to("task", "sizes", {"source": 3}), "must give size and name of the target"),
    "steps as text": (set_to("steps", "4"), "steps must be a whole number; got '4'"),
    "a size below zero": (set_to("task", "sizes", "target", -1), "task.sizes.target must be at least 0; got -1"),
    "no notes": (lambda content: content["task"].pop("notes"), "task.notes must be given; got nothing"),
}
# Whoever reads a run: what is typed, or called.
READERS = {
    "report": ("report", "run"),
    "evaluate": ("evaluate", "run", "--data", "x.npz"),
    "predict": ("predict", "run", "x.npz"),
    "serve": ("serve", "run", "--port", "0"),
    "resume": ("resume", "run"),
    "translate": ("translate", "run", "x.npz"),
    "index": ("index", "run", "."),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_that_makes_no_sense_is_refused_by_every_reader(
    acclimate: Command, run: Path, name: str
) -> None:
    change, sentence = CONFIGS[name]
    rewrite(run, change)
    for words in READERS.values():
        said = acclimate(*words)
        assert said.code == 1, (words, said)
        assert "Error: run/config.json is not as acclimate writes it: " in said.err
        assert sentence in said.err
        assert "Traceback" not in said.err
        assert not said.out
    with pytest.raises(WorkError, match="is not as acclimate writes it"):
        ac.load(run)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (set_to("preprocess", "size", "eight"), "size must be a whole number; got 'eight'"),
        (set_to("preprocess", "mean", [0.5, 0.5]), "with a mean and a deviation for each"),
        (set_to("preprocess", "std", [0.0]), "deviations that are not 0"),
        (set_to("training", "lr", "fast"), "lr must be a number; got 'fast'"),
        (set_to("preprocess", {}), "describes no model that can be built"),
        (set_to("preprocess", "rank", 10**9), "must not span the space of rows"),
        (set_to("preprocess", "size", 1), "describes no model that can be built: RuntimeError"),
        (set_to("network", "mlp"), ""),
    ],
)
def test_a_model_that_cannot_be_built_is_refused(
    acclimate: Command, run: Path, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    rewrite(run, change)
    np.savez("x.npz", X=np.zeros((2, 8, 8), np.uint8), y=[0, 1])
    said = acclimate("evaluate", "run", "--data", "x.npz")
    assert said.code == 1, said.err
    assert sentence in said.err
    assert "Traceback" not in said.err


def more_classes(content: dict[str, Any]) -> None:
    content["task"]["classes"] += [f"class {i}" for i in range(3990)]
    content["task"]["num_classes"] = 4000
    content["task"]["source_counts"] = None


def fewer_classes(content: dict[str, Any]) -> None:
    content["task"]["num_classes"] = 4


@pytest.mark.parametrize(("change", "named"), [(more_classes, "4,000"), (fewer_classes, "4")])
def test_classes_are_held_against_the_weights_by_every_reader(
    acclimate: Command, run: Path, change: Callable[[dict[str, Any]], None], named: str
) -> None:
    """Other numbers of names on a model of ten outputs, told by the weights' header, without a model of that size."""
    rewrite(run, change)
    for words in (*READERS.values(), ("audit", "run"), ("adapt", "--model", "run", "--target", "x.npz")):
        said = acclimate(*words)
        assert said.code == 1, (words, said)
        assert f"task.num_classes must be 10, as in the weights; got {named}." in said.err, words
    with pytest.raises(WorkError, match="as in the weights"):
        ac.load(run)


def test_classes_are_held_against_the_answers_where_the_weights_are_gone(acclimate: Command, run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    rewrite(run, more_classes)
    assert "probabilities of 10 classes, where the run tells 4,000 apart" in acclimate("report", "run").err


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"": {}}, "must say what its columns mean: columns must be given"),
        ({"columns": [{"name": "x", "kind": "odd"}]}, "columns.0.kind must be 'numeric', 'categorical' or 'date'"),
    ],
)
@pytest.mark.parametrize("side", ["schema", "source_schema"])
def test_columns_that_mean_nothing_are_refused_by_every_reader(
    acclimate: Command, run: Path, schema: dict[str, Any], sentence: str, side: str
) -> None:
    rewrite(run, set_to("task", side, schema))
    for words in READERS.values():
        said = acclimate(*words)
        assert said.code == 1, (words, said)
        assert sentence in said.err


def test_rows_that_are_no_whole_numbers(acclimate: Command, run: Path) -> None:
    table = pl.read_parquet(run / "predictions.parquet")
    table.with_columns(pl.lit(float("nan")).alias("row")).write_parquet(run / "predictions.parquet")
    seal(run / "predictions.parquet")
    assert "values of another type under row" in acclimate("report", "run").err


def test_half_a_letter_in_a_list_of_checksums_is_written_again_escaped(run: Path) -> None:
    entries = json.loads((run / "manifest.json").read_text())
    entries["config.json"]["\ud800"] = "\udfff"
    (run / "manifest.json").write_text(json.dumps(entries))
    Run(run).finish(Run(run).summary or {})
    assert json.loads((run / "manifest.json").read_text())["config.json"]["\ud800"] == "\udfff"


@pytest.mark.parametrize("told", ["%s", None, [], 0.5, {}])
def test_a_size_that_is_none_is_told_as_another_size(acclimate: Command, run: Path, told: Any) -> None:
    entries = json.loads((run / "manifest.json").read_text())
    entries["sample.npz"]["bytes"] = told
    (run / "manifest.json").write_text(json.dumps(entries))
    said = acclimate("report", "run")
    assert said.code == 1
    assert f"bytes instead of {told!r}." in said.err


class Unpickled:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("unpickled"),)


@pytest.mark.parametrize("array", [np.array([Unpickled()], object), np.array([], object), np.array(None, object)])
@pytest.mark.parametrize("name", ["features", "another"])
def test_pickled_arrays_are_refused_wherever_and_however_small(
    acclimate: Command, run: Path, array: np.ndarray, name: str
) -> None:
    with np.load(run / "sample.npz") as stored:
        arrays = dict(stored) | {name: array}
    np.savez(run / "sample.npz", **arrays)
    seal(run / "sample.npz")
    for words in (READERS["report"], READERS["serve"]):
        said = acclimate(*words)
        assert said.code == 1, said
        assert "run/sample.npz" in said.err
        assert "Traceback" not in said.err
    assert not Path("unpickled").exists()


@pytest.mark.parametrize(
    ("name", "array", "sentence"),
    [
        ("is_target", np.ones(3, bool), "features must be numbers (3, d)"),
        ("label", np.full(860, 10), "label must be 860 whole numbers from -1 to 9"),
        ("certain_images", np.zeros((4, 8, 8, 2), np.uint8), "certain_images must be bytes"),
        ("certain_predicted", np.zeros(4), "certain_predicted must be"),
        ("predicted", None, "predicted missing"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused(
    acclimate: Command, run: Path, name: str, array: np.ndarray | None, sentence: str
) -> None:
    with np.load(run / "sample.npz") as stored:
        arrays = {key: value for key, value in stored.items() if key != name}
    np.savez(run / "sample.npz", **arrays, **({} if array is None else {name: array}))
    seal(run / "sample.npz")
    said = acclimate("report", "run")
    assert (said.code, sentence in said.err) == (1, True), said.err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.with_columns(pl.lit("zebra").alias("predicted")), "such as 'zebra'"),
        (lambda t: t.drop("confidence"), "cannot be read"),
        (lambda t: t.head(0), "no answer"),
        (lambda t: t.with_columns(pl.lit(1).alias("label")), "values of another type under label"),
    ],
)
def test_answers_that_do_not_fit_are_refused(
    acclimate: Command, run: Path, change: Callable[[pl.DataFrame], pl.DataFrame], sentence: str
) -> None:
    path = run / "predictions.parquet"
    change(pl.read_parquet(path)).write_parquet(path)
    seal(path)
    said = acclimate("report", "run")
    assert (said.code, sentence in said.err) == (1, True), said.err


@pytest.mark.parametrize("row", [{"kind": "losses", "step": 2, "label_loss": "low"}, {"kind": "health", "step": 1}])
def test_rows_that_hold_something_else_are_refused(acclimate: Command, run: Path, row: dict[str, Any]) -> None:
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    seal(run / "metrics.jsonl")
    said = acclimate("report", "run")
    assert said.code == 1, said
    assert "run/metrics.jsonl is not as acclimate writes it: line" in said.err


@pytest.mark.parametrize("value", ["yesterday", 3, None])
def test_a_summary_is_checked_too(acclimate: Command, run: Path, value: Any) -> None:
    rewrite(run, set_to("finished", value), "summary.json")
    said = acclimate("report", "run")
    assert (said.code, "run/summary.json is not as acclimate writes it: finished" in said.err) == (1, True), said.err
