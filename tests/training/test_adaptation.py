"""From request to run folder, on real data where it is at hand and on small worlds elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import save_file

import acclimate as ac
from acclimate.data.synthetic import shifted_blobs, two_views
from acclimate.data.task import Task
from acclimate.errors import DataError, RequestError, WorkError
from acclimate.metrics.intervals import mean_ci95
from acclimate.reports.page import write_report
from acclimate.running import adaptation, shelf
from acclimate.running.adaptation import Callbacks, adapt, load, resume
from acclimate.running.cells import compare
from acclimate.running.comparison import Comparison, Published, Row, cell_folder, label_series
from acclimate.running.requests import task_of
from acclimate.running.results import narrowed
from acclimate.running.row_files import write_row
from acclimate.runs import checkpoint_files
from acclimate.runs.findings import Finding, checks_made, findings
from acclimate.runs.manifest import Manifest
from acclimate.runs.record import Run
from acclimate.runs.request import Request, split_options
from acclimate.training import checkpoints
from acclimate.training.trainer import Interrupted


@pytest.fixture
def request_on_disk(tmp_path: Path) -> Request:
    """The user's own arrays: a labelled source, a target and a labelled target test."""
    task = shifted_blobs(120, shift=1.0)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "target.npz", X=task.target.inputs)
    np.savez(tmp_path / "test.npz", X=task.target_test.inputs, y=task.hidden.target_test)
    return Request(
        source=str(tmp_path / "source.npz"),
        target=str(tmp_path / "target.npz"),
        target_test=str(tmp_path / "test.npz"),
        method="dann",
        training={"steps": 8, "batch_size": 16, "evaluations": 2},
    )


def test_a_run_folder_tells_everything(request_on_disk: Request, tmp_path: Path) -> None:
    run = adapt(request_on_disk, tmp_path / "run")
    config, summary = run.config, run.summary
    assert config["request"] == json.loads(request_on_disk.model_dump_json())
    assert config["task"]["sizes"] == {"source": 108, "target": 120, "source_test": 12, "target_test": 120}
    assert config["task"]["fingerprints"]["target"] == task_of(request_on_disk).target.content_hash
    assert config["method"]["options"] == {"ramp": 10.0, "max_reversal": 1.0, "domain_weight": 1.0}
    assert config["training"]["precision"] == "fp32"
    assert config["steps"] == summary["steps"] == 8
    assert summary["selection"] == "last"
    measures = ("accuracy", "balanced_accuracy", "macro_f1", "fowlkes_mallows")
    scored = {f"{role}_{measure}" for role in ("target_test", "source_test") for measure in measures}
    assert summary["scores"].keys() == scored
    evaluations = [row for row in run.metrics() if row["kind"] == "evaluation"]
    assert [row["step"] for row in evaluations] == [0, 4, 8]
    assert evaluations[-1]["target_test_accuracy"] == summary["scores"]["target_test_accuracy"]
    assert {"source_accuracy", "source_test_accuracy"} <= evaluations[0].keys()
    table = pl.read_parquet(run.predictions_path)
    assert table["split"].value_counts().sort("split").rows() == [("target", 120), ("target_test", 120)]
    probabilities = table["probabilities"].to_numpy()
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(table["confidence"].to_numpy(), probabilities.max(axis=1))
    assert run.baseline.summary["scores"].keys() == scored


def test_curves_over_a_part_are_of_its_examples_and_scores_of_all(request_on_disk: Request, tmp_path: Path) -> None:
    barely = {**request_on_disk.training, "lr": 4e-4}  # so that some answers are wrong
    whole = adapt(request_on_disk.model_copy(update={"training": barely}), tmp_path / "whole")
    thinned = {**barely, "evaluation_examples": 50}
    part = adapt(request_on_disk.model_copy(update={"training": thinned}), tmp_path / "part")
    assert part.summary["scores"] == whole.summary["scores"]
    *_, last = (row for row in part.metrics() if row["kind"] == "evaluation")
    table = pl.read_parquet(part.predictions_path).filter(split="target_test")
    right = (table["predicted"] == table["label"]).to_numpy()
    rows = np.random.default_rng(0).permutation(len(right))[:50]
    assert last["target_test_accuracy"] == pytest.approx(right[rows].mean())
    assert last["target_test_accuracy"] != pytest.approx(right.mean())
    assert last["source_test_accuracy"] == whole.summary["scores"]["source_test_accuracy"]  # of the 12 there are


def test_a_loaded_run_answers_as_it_did(request_on_disk: Request, tmp_path: Path) -> None:
    run = adapt(request_on_disk, tmp_path / "run")
    fitted = load(run.folder)
    predicted = fitted.outputs(task_of(request_on_disk).target_test).logits.argmax(axis=1)
    table = pl.read_parquet(run.predictions_path).filter(split="target_test")
    assert [fitted.plan.classes[i] for i in predicted] == table["predicted"].to_list()


def test_a_stopped_run_cannot_be_loaded_but_resumed(request_on_disk: Request, tmp_path: Path) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 12  # inside the method's own training, after the baseline's eight steps

    with pytest.raises(Interrupted):
        adapt(request_on_disk, tmp_path / "run", Callbacks(stop=stop))
    run = Run(tmp_path / "run")
    assert run.baseline.summary is not None
    assert checkpoints.load(checkpoint_files.latest(run.checkpoints_path)).step == 4
    with pytest.raises(RequestError, match="run must be finished; .* acclimate resume"):
        load(run.folder)
    resume(run.folder)
    whole = adapt(request_on_disk, tmp_path / "whole")
    assert run.metrics() == whole.metrics()
    assert pl.read_parquet(run.predictions_path).equals(pl.read_parquet(whole.predictions_path))


def test_a_run_stopped_in_its_baseline_goes_on_there(request_on_disk: Request, tmp_path: Path) -> None:
    asked = iter(range(100))
    with pytest.raises(Interrupted):
        adapt(request_on_disk, tmp_path / "run", Callbacks(stop=lambda: next(asked) == 3))
    run = Run(tmp_path / "run")
    assert run.baseline.summary is None
    resume(run.folder)
    whole = adapt(request_on_disk, tmp_path / "whole")
    assert run.baseline.metrics() == whole.baseline.metrics()
    assert run.metrics() == whole.metrics()


def test_changed_data_are_noticed(request_on_disk: Request, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        adapt(request_on_disk, tmp_path / "run", Callbacks(stop=lambda: True))
    task = shifted_blobs(120, shift=2.0)
    np.savez(tmp_path / "target.npz", X=task.target.inputs)
    with pytest.raises(DataError, match="target must hold the same data as when the run began"):
        resume(tmp_path / "run")


@pytest.mark.parametrize(
    "change",
    [
        {"method": "mdc"},
        {"network": "mcd-usps"},
        {"training": {"steps": 0}},
        {"method_options": {"ramp": -1}},
        {"label_budget": "lots"},
        {"method": "train-on-target"},
        {"source": "nowhere.npz"},
    ],
)
def test_a_wrong_request_writes_nothing(request_on_disk: Request, tmp_path: Path, change: dict[str, object]) -> None:
    wrong = request_on_disk.model_copy(update=change)
    with pytest.raises(RequestError):
        adapt(wrong, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_ceilings_have_no_baseline_and_get_their_labels(request_on_disk: Request, tmp_path: Path) -> None:
    request = request_on_disk.model_copy(
        update={"target": str(tmp_path / "test.npz"), "method": "train-on-target", "target_test": None}
    )
    run = adapt(request, tmp_path / "run")
    assert run.baseline is None
    assert run.config["task"]["labelled_target"] == 120
    few = request.model_copy(update={"label_budget": "2"})
    labels = task_of(few).target.labels
    assert np.bincount(labels[labels >= 0]).tolist() == [2] * len(task_of(few).source.classes)


def test_duplicates_between_the_sides_are_told(request_on_disk: Request, tmp_path: Path) -> None:
    same = request_on_disk.model_copy(update={"target": request_on_disk.source})
    assert any("120 target examples stand in the source too" in note for note in task_of(same).notes)


def test_options_are_sorted_by_whom_they_belong_to() -> None:
    assert split_options("mcd", {"n": 2, "lr": 0.1}) == ({"n": 2}, {"lr": 0.1})


def comparison(request: Request, seeds: int = 2) -> Comparison:
    names = ("source-only", "mcc")
    return Comparison(
        id="tiny",
        protocol="blobs",
        seeds=seeds,
        rows=tuple(Row(name=n, request=request.model_copy(update={"method": n})) for n in names),
    )


def test_rows_that_differ_in_their_label_budget_alone_are_one_series() -> None:
    def row(name: str, method: str, budget: str, **method_options: object) -> Row:
        request = Request(task="t", method=method, label_budget=budget, method_options=method_options)
        return Row(name=name, request=request, seeds=int(budget) or None)

    rows = (
        row("cgt", "cgt", "0"),
        row("cgt-1", "cgt", "1"),
        row("cgt-10", "cgt", "10"),
        row("cgt-no-source", "cgt", "0", source_weight=0.0),
        row("cgt-no-source-10", "cgt", "10", source_weight=0.0),
        row("few", "svmt", "1"),
        row("many", "svmt", "10"),
        row("stn-5", "stn", "5"),
        row("lrt", "lrt", "3"),
        row("lrt-again", "lrt", "3"),
    )
    assert label_series(Comparison(id="c", rows=rows)) == {
        "cgt": "cgt", "cgt-1": "cgt", "cgt-10": "cgt",
        "cgt-no-source": "cgt-no-source", "cgt-no-source-10": "cgt-no-source",
        "few": "few", "many": "few",
    }  # fmt: skip


def test_a_comparison_goes_on_with_what_is_missing(
    request_on_disk: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, results = tmp_path / "cells", tmp_path / "results"
    wanted = comparison(request_on_disk)
    first = compare(wanted, folder, results=results, command="acclimate compare …")
    row, seed, score = next(first)
    first.close()
    assert (row.name, seed) == ("source-only", 0)
    written = json.loads((results / "tiny" / "source-only.json").read_text())
    assert written["seeds"] == [0]
    assert written["ci95"] is None

    ran: list[str] = []
    original = adaptation.adapt
    monkeypatch.setattr(adaptation, "adapt", lambda r, f, **k: ran.append(Path(f).name) or original(r, f, **k))
    scores = {(r.name, s): a for r, s, a in compare(wanted, folder, results=results, command="acclimate compare …")}
    assert scores["source-only", 0] == score
    assert sorted(ran) == ["mcc-seed0", "mcc-seed1", "source-only-seed1"]
    assert len(list(compare(wanted, folder))) == 4
    assert len(ran) == 3

    written = json.loads((results / "tiny" / "mcc.json").read_text())
    values = [scores["mcc", 0], scores["mcc", 1]]
    assert written["target_accuracy"] == pytest.approx(values, abs=1e-5)
    assert written["mean"] == pytest.approx(np.mean(written["target_accuracy"]), abs=1e-5)
    assert written["ci95"] == pytest.approx(mean_ci95(written["target_accuracy"]), abs=1e-5)
    assert written["selection"] == "last"
    assert written["command"] == "acclimate compare …"
    assert written["options"]["batch_size"] == 16
    assert Run(cell_folder(folder, wanted.rows[1], 1)).config["training"]["seed"] == 1
    assert Run(cell_folder(folder, wanted.rows[1], 1)).baseline is None


def test_a_real_task_end_to_end(imported_packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(imported_packs))
    request = Request(
        task="mnist-usps", method="adabn", training={"steps": 80, "precision": "fp32", "evaluations": 1}
    )
    run = adapt(request, tmp_path / "run")
    assert run.config["network"] == "mcd-usps"
    assert run.config["task"]["sizes"] == {
        "source": 2000, "target": 1800, "source_test": 10_000, "target_test": 2007,
    }  # fmt: skip
    before, after = (r.summary["scores"]["target_test_accuracy"] for r in (run.baseline, run))
    assert after > before + 0.05 > 0.3


def test_a_run_killed_before_its_summary_needs_no_more_training(request_on_disk: Request, tmp_path: Path) -> None:
    run = adapt(request_on_disk, tmp_path / "run")
    metrics, answers = run.metrics(), pl.read_parquet(run.predictions_path)
    run.summary_path.unlink()
    run.predictions_path.unlink()
    resume(run.folder)
    assert run.metrics() == metrics
    assert pl.read_parquet(run.predictions_path).equals(answers)


def test_a_run_killed_before_its_first_checkpoint_begins_its_metrics_anew(
    request_on_disk: Request, tmp_path: Path
) -> None:
    run = adapt(request_on_disk, tmp_path / "run")
    metrics = run.metrics()
    run.summary_path.unlink()
    for checkpoint in checkpoint_files.checkpoints(run.checkpoints_path):
        checkpoint.unlink()
    with run.metrics_path.open("a") as file:
        file.write('{"kind": "losses", "st')  # the line that the kill cut short
    resume(run.folder)
    assert run.metrics() == metrics


def test_time_spent_before_a_stop_counts(request_on_disk: Request, tmp_path: Path) -> None:
    asked = iter(range(100))
    with pytest.raises(Interrupted):
        adapt(request_on_disk, tmp_path / "run", Callbacks(stop=lambda: next(asked) == 12))
    (checkpoint,) = checkpoint_files.checkpoints(tmp_path / "run" / "checkpoints")
    snapshot = checkpoints.load(checkpoint)
    checkpoints.save(
        checkpoint.parent, checkpoints.Snapshot(snapshot.step, snapshot.tensors, {**snapshot.facts, "seconds": 500.0})
    )
    assert resume(tmp_path / "run").summary["wall_s"] >= 500


def test_a_cell_made_with_other_options_is_not_counted(request_on_disk: Request, tmp_path: Path) -> None:
    short = request_on_disk.model_copy(update={"training": {**request_on_disk.training, "steps": 2}})
    list(compare(comparison(short, seeds=1), tmp_path / "cells"))
    with pytest.raises(RequestError, match=r"seed0 must have been run with the same training.*'steps': 2"):
        list(compare(comparison(request_on_disk, seeds=1), tmp_path / "cells"))


def test_a_cell_made_when_a_default_was_another_is_not_counted(request_on_disk: Request, tmp_path: Path) -> None:
    wanted = comparison(request_on_disk, seeds=1)
    list(compare(wanted, tmp_path / "cells"))
    folder = cell_folder(tmp_path / "cells", wanted.rows[1], 0)
    config = json.loads((folder / "config.json").read_text())
    then = {**config, "training": {**config["training"], "lr": 0.5}}
    (folder / "config.json").write_text(json.dumps(then))
    with pytest.raises(RequestError, match=r"mcc-seed0 must have been run with the lr of today.*lr 0.5 instead of"):
        list(compare(wanted, tmp_path / "cells"))
    then = {**config, "method": {**config["method"], "options": {**config["method"]["options"], "temperature": 9.0}}}
    (folder / "config.json").write_text(json.dumps(then))
    with pytest.raises(RequestError, match=r"run with the temperature of today.*temperature 9.0 instead of 2.5"):
        list(compare(wanted, tmp_path / "cells"))
    # An option younger than the cell is at its default, which does nothing.
    then = {**config, "training": {k: v for k, v in config["training"].items() if k != "word_dropout"}}
    (folder / "config.json").write_text(json.dumps(then))
    assert len(list(compare(wanted, tmp_path / "cells"))) == 2


def test_a_cell_from_before_a_field_of_requests_is_counted(request_on_disk: Request, tmp_path: Path) -> None:
    wanted = comparison(request_on_disk, seeds=1)
    scores = [score for _, _, score in compare(wanted, tmp_path / "cells")]
    path = cell_folder(tmp_path / "cells", wanted.rows[1], 0) / "config.json"
    config = json.loads(path.read_text())
    older = {name: value for name, value in config["request"].items() if name != "text_column"}
    path.write_text(json.dumps({**config, "request": older}))
    assert [score for _, _, score in compare(wanted, tmp_path / "cells")] == scores
    path.write_text(json.dumps({**config, "request": {**older, "label_budget": "3"}}))
    with pytest.raises(RequestError, match="the same label_budget; got label_budget 3 instead of 0"):
        list(compare(wanted, tmp_path / "cells"))


def test_a_row_tells_the_best_step_apart_from_the_last(request_on_disk: Request, tmp_path: Path) -> None:
    asked = request_on_disk.model_copy(
        update={"training": {**request_on_disk.training, "steps": 24, "evaluations": 12}}
    )
    whole = comparison(asked, seeds=2)
    list(compare(whole, tmp_path / "cells"))
    for row in whole.rows:
        write_row(whole, row, tmp_path / "cells", tmp_path / "results", "acclimate compare")
    row = whole.rows[-1]
    found = json.loads((tmp_path / "results" / whole.id / f"{row.name}.json").read_text())
    runs = [Run(cell_folder(tmp_path / "cells", row, seed)) for seed in range(2)]
    curves = [[r["target_test_accuracy"] for r in run.metrics() if r["kind"] == "evaluation"] for run in runs]
    assert found["oracle_best_step"] == [round(max(curve), 5) for curve in curves]
    assert found["target_accuracy"] == [round(curve[-1], 5) for curve in curves]


def test_a_comparison_runs_where_the_system_knows_no_affinity(
    request_on_disk: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS and Windows do not."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    whole = comparison(request_on_disk, seeds=1)
    assert len(list(compare(whole, tmp_path / "cells"))) == len(whole.rows)


def test_a_row_tells_how_long_its_runs_took_to_the_published_accuracy(
    request_on_disk: Request, tmp_path: Path
) -> None:
    whole = comparison(request_on_disk, seeds=2)
    list(compare(whole, tmp_path / "cells"))
    row = whole.rows[-1]
    run = Run(cell_folder(tmp_path / "cells", row, 0))
    curve = [r for r in run.metrics() if r["kind"] == "evaluation"]
    middle = curve[len(curve) // 2]

    def told(value: float) -> object:
        published = row.model_copy(update={"published": Published(value=value, source="nobody")})
        write_row(whole, published, tmp_path / "cells", tmp_path / "results", "acclimate compare")
        return json.loads((tmp_path / "results" / whole.id / f"{row.name}.json").read_text())["seconds_to_published"]

    first = next(r for r in curve if r["target_test_accuracy"] >= middle["target_test_accuracy"])
    expected = first["step"] / run.summary["steps"] * run.summary["wall_s"]
    assert told(middle["target_test_accuracy"])[0] == pytest.approx(expected, abs=0.05)
    assert told(0.0) == [0.0, 0.0]
    assert told(1.1) == ["never", "never"]
    write_row(whole, row, tmp_path / "cells", tmp_path / "results", "acclimate compare")
    assert "seconds_to_published" not in (tmp_path / "results" / whole.id / f"{row.name}.json").read_text()


def test_a_comparison_begun_elsewhere_adds_its_seeds_to_the_row_file(
    request_on_disk: Request, tmp_path: Path
) -> None:
    whole, results = comparison(request_on_disk, seeds=3), tmp_path / "results"
    row = whole.rows[0]
    path = results / whole.id / f"{row.name}.json"
    list(compare(whole, tmp_path / "cells"))
    for part, seeds in (("early", (0, 2)), ("late", (1, 2))):
        for seed in seeds:
            shutil.copytree(cell_folder(tmp_path / "cells", row, seed), cell_folder(tmp_path / part, row, seed))
    write_row(whole, row, tmp_path / "cells", results, "acclimate compare")
    everything = json.loads(path.read_text())
    path.unlink()
    for part, seeds in (("early", [0, 2]), ("late", [0, 1, 2])):
        write_row(whole, row, tmp_path / part, results, "acclimate compare")
        assert json.loads(path.read_text())["seeds"] == seeds
    found = json.loads(path.read_text())
    assert found == everything
    assert found["examples"] == Run(cell_folder(tmp_path / "cells", row, 0)).config["task"]["sizes"]
    assert len(set(found["data"])) == 3  # each seed sets other examples aside


def test_a_row_file_of_other_options_or_data_is_replaced(request_on_disk: Request, tmp_path: Path) -> None:
    whole, results = comparison(request_on_disk, seeds=2), tmp_path / "results"
    row = whole.rows[0]
    path = results / whole.id / f"{row.name}.json"

    def seeds_after(found: str, part: str) -> list[int]:
        path.write_text(found)
        write_row(whole, row, tmp_path / part, results, "acclimate compare")
        return json.loads(path.read_text())["seeds"]

    list(compare(whole, tmp_path / "cells", results=results))
    before = json.loads(path.read_text())
    first = cell_folder(tmp_path / "cells", row, 0)
    shutil.copytree(first, cell_folder(tmp_path / "first", row, 0))
    assert seeds_after(json.dumps(before), "first") == [0, 1]
    older = {name: value for name, value in before["options"].items() if name != "lr_floor"}
    assert seeds_after(json.dumps({**before, "options": older}), "first") == [0, 1], (
        "from before there was a baseline"
    )
    assert seeds_after("{}", "cells") == [0, 1], "what is no row file is replaced"
    assert seeds_after("{", "cells") == [0, 1]
    for key, other in (
        ("options", {**before["options"], "steps": 9}),
        ("examples", {**before["examples"], "source": 1}),
        ("data", ["another", before["data"][1]]),
    ):
        assert seeds_after(json.dumps({**before, key: other}), "first") == [0], key


def test_a_row_tells_what_validation_labels_would_have_chosen(
    request_on_disk: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = adaptation.task_of

    def with_validation(request: Request, before: Run | None) -> Task:
        task = original(request, before)
        few = replace(task.target_test.take(slice(0, 9)), labels=task.hidden.target_test[:9])
        return Task(
            task.source,
            replace(task.target, labels=np.full(len(task.target), -1)),
            target_test=replace(task.target_test, labels=task.hidden.target_test),
            target_validation=few,
        )

    monkeypatch.setattr(shelf, "task_of", with_validation)
    asked = request_on_disk.model_copy(
        update={"training": {**request_on_disk.training, "steps": 24, "evaluations": 6}}
    )
    whole = comparison(asked, seeds=1)
    list(compare(whole, tmp_path / "cells", results=tmp_path / "results"))
    row = whole.rows[-1]
    found = json.loads((tmp_path / "results" / whole.id / f"{row.name}.json").read_text())
    points = [r for r in Run(cell_folder(tmp_path / "cells", row, 0)).metrics() if r["kind"] == "evaluation"]
    best = max(points, key=lambda point: point["target_validation_accuracy"])
    assert found["validation_best_step"] == [round(best["target_test_accuracy"], 5)]
    assert found["target_accuracy"] == [round(points[-1]["target_test_accuracy"], 5)]
    assert found["examples"]["target_validation"] == 9
    assert "oracle_best_step" not in found  # six points are too few for that


def test_a_curve_of_few_points_has_no_best_step(request_on_disk: Request, tmp_path: Path) -> None:
    whole = comparison(request_on_disk, seeds=1)
    list(compare(whole, tmp_path / "cells"))
    write_row(whole, whole.rows[0], tmp_path / "cells", tmp_path / "results", "acclimate compare")
    assert "oracle_best_step" not in (tmp_path / "results" / whole.id / f"{whole.rows[0].name}.json").read_text()


def test_a_target_test_that_does_not_fit_leaves_nothing(request_on_disk: Request, tmp_path: Path) -> None:
    np.savez(tmp_path / "wide.npz", X=np.zeros((4, 7), np.float32), y=np.arange(4) % 2)
    wrong = request_on_disk.model_copy(update={"target_test": str(tmp_path / "wide.npz")})
    with pytest.raises(DataError, match="target_test must have 2 features"):
        adapt(wrong, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_divergence_is_told_and_not_recorded(request_on_disk: Request, tmp_path: Path) -> None:
    training = {"steps": 20, "batch_size": 16, "optimizer": "sgd", "lr": 1e30}
    wild = request_on_disk.model_copy(update={"training": training, "baseline": False})
    with pytest.raises(WorkError, match=r"Training diverged: .* at step \d+ of 20. Try a lower learning rate"):
        adapt(wild, tmp_path / "run")
    assert "NaN" not in (tmp_path / "run" / "metrics.jsonl").read_text()


def test_findings_reach_the_record_the_caller_and_the_loaded_model(tmp_path: Path) -> None:
    """A source-only network on a target that was moved; the same as a baseline keeps its findings to itself."""
    task = shifted_blobs(200, shift=4.0)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "target.npz", X=task.target.inputs)
    training = {"steps": 200, "batch_size": 64, "lr": 1e-3, "normalisation": "standard"}
    request = Request(
        source=str(tmp_path / "source.npz"),
        target=str(tmp_path / "target.npz"),
        method="source-only",
        training=training,
    )
    told: list[Finding] = []
    run = adapt(request, tmp_path / "run", Callbacks(found=told.append))
    assert [finding.kind for finding in told] == ["foreign-statistics", "class-shares"]
    assert findings(run.metrics()) == told
    assert ac.load(run.folder).health_ == told

    told.clear()
    adapted = adapt(
        request.model_copy(update={"method": "adabn"}), tmp_path / "adapted", Callbacks(found=told.append)
    )
    assert told == []
    asked = findings(adapted.metrics())  # what only labels can tell: recorded, and no warning
    assert [(finding.kind, finding.severity) for finding in asked] == [("shares-restored", "question")]
    assert checks_made(adapted.metrics())
    kinds = [finding.kind for finding in findings(adapted.baseline.metrics())]
    assert kinds == ["foreign-statistics", "class-shares"]


def test_labels_of_classes_that_only_the_target_has_are_not_granted(request_on_disk: Request, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(90, 2)).astype(np.float32)
    np.savez(tmp_path / "more.npz", X=inputs, y=np.arange(90) % 4)
    np.savez(tmp_path / "few.npz", X=inputs, y=np.arange(90) % 3)
    request = Request(
        source=str(tmp_path / "few.npz"),
        target=str(tmp_path / "more.npz"),
        label_budget="2",
        method="mcc",
        baseline=False,
        training={"steps": 2},
    )
    assert adapt(request, tmp_path / "run").config["task"]["labelled_target"] == 6
    alien = request.model_copy(update={"method": "train-on-target", "label_budget": "all"})
    assert set(np.unique(task_of(alien).target.labels)) == {-1, 0, 1, 2}


@pytest.mark.parametrize("target_size", [2, 33, 65])
def test_batch_norm_statistics_of_any_number_of_examples(tmp_path: Path, target_size: int) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "s.npz", X=rng.normal(size=(64, 3)).astype(np.float32), y=np.arange(64) % 2)
    np.savez(tmp_path / "t.npz", X=rng.normal(size=(target_size, 3)).astype(np.float32))
    request = Request(
        source=str(tmp_path / "s.npz"),
        target=str(tmp_path / "t.npz"),
        method="adabn",
        baseline=False,
        training={"steps": 2, "batch_size": 32},
    )
    assert adapt(request, tmp_path / "run").summary is not None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", "{"),
        ("config.json", "{}"),
        ("config.json", "[]"),
        ("summary.json", "{"),
        ("summary.json", "{}"),
    ],
)
def test_damaged_files_of_a_run_are_named(request_on_disk: Request, tmp_path: Path, name: str, content: str) -> None:
    run = adapt(request_on_disk.model_copy(update={"baseline": False}), tmp_path / "run")
    (run.folder / name).write_text(content)
    with pytest.raises(WorkError, match=name):
        load(run.folder)
    with pytest.raises(WorkError, match=name):
        resume(run.folder)


@pytest.mark.parametrize("name", ["predictions.parquet", "sample.npz"])
def test_a_report_names_the_damaged_file(request_on_disk: Request, tmp_path: Path, name: str) -> None:
    run = adapt(request_on_disk.model_copy(update={"baseline": False}), tmp_path / "run")
    (run.folder / name).write_bytes(b"PK\\x03\\x04 damaged")
    with pytest.raises(WorkError, match=name):
        write_report(run)


def test_a_checkpoint_of_something_else_is_refused(request_on_disk: Request, tmp_path: Path) -> None:
    run = adapt(request_on_disk.model_copy(update={"baseline": False}), tmp_path / "run")
    (path,) = checkpoint_files.checkpoints(run.checkpoints_path)
    snapshot = checkpoints.load(path)
    cut = {k: v[:1] if v.ndim and "features" in k else v for k, v in snapshot.tensors.items()}
    checkpoints.save(path.parent, checkpoints.Snapshot(snapshot.step, cut, snapshot.facts))
    with pytest.raises(WorkError, match="does not fit the network"):
        load(run.folder)
    Manifest(path.parent).write(path, lambda p: save_file({"x": torch.zeros(2)}, p))
    with pytest.raises(WorkError, match="was not written by acclimate"):
        load(run.folder)
    path.unlink()
    with pytest.raises(RequestError, match="run must still have its weights"):
        load(run.folder)


def test_a_method_without_steps_is_compared_with_a_baseline_that_has_its_own(
    request_on_disk: Request, tmp_path: Path
) -> None:
    request = request_on_disk.model_copy(update={"method": "msda", "training": {"seed": 3}})
    run = adapt(request, tmp_path / "run")
    assert run.summary is not None
    assert run.summary["steps"] == 1
    assert run.baseline is not None
    assert run.baseline.summary is not None
    assert run.baseline.summary["steps"] > 1
    assert run.baseline.config["training"]["seed"] == 3
    assert run.baseline.config["preprocess"] == run.config["preprocess"]


@pytest.mark.parametrize(("shape", "kept"), [((8, 3), (8, 3)), ((8, 90), (8, 8))])
def test_a_sample_of_wide_features_keeps_its_distances(shape: tuple[int, int], kept: tuple[int, int]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    x[1] = x[0]
    narrow = narrowed(x)
    assert narrow.shape == kept
    distances = [np.linalg.norm(rows[:, None] - rows[None], axis=2) for rows in (x, narrow)]
    np.testing.assert_allclose(*distances, atol=1e-4)


@pytest.mark.parametrize("known", ["all", "tests", "given"])
def test_pseudo_labels_are_scored_where_the_answers_are_known(tmp_path: Path, known: str) -> None:
    task = two_views(60)
    given = task.with_label_budget(3)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    labels = given.target.labels if known == "given" else task.hidden.target
    np.savez(tmp_path / "target.npz", X=task.target.inputs, y=labels)
    np.savez(tmp_path / "test.npz", X=task.target_test.inputs, y=task.hidden.target_test)
    request = Request(
        source=str(tmp_path / "source.npz"),
        target=str(tmp_path / "target.npz"),
        target_test=str(tmp_path / "test.npz") if known == "tests" else None,
        label_budget="0" if known == "given" else "3",
        method="ssan",
        baseline=False,
        training={"steps": 4, "evaluations": 2, "precision": "fp32"},
    )
    rows = [row for row in adapt(request, tmp_path / "run").metrics() if row["kind"] == "evaluation"]
    assert [row["step"] for row in rows] == [0, 2, 4]
    if known == "given":
        assert not any("pseudo_label_accuracy" in row for row in rows)
        return
    accuracies = [row["pseudo_label_accuracy"] for row in rows]
    # A target test keeps the training target out of the curves; its pseudo-labels are scored all the same.
    assert [row.get("target_accuracy") for row in rows] == (
        pytest.approx(accuracies) if known == "all" else [None] * 3
    )


@pytest.mark.parametrize(("method", "told"), [("dann", True), ("msda", False)])
def test_only_what_draws_batches_is_told_of_too_few_examples(
    request_on_disk: Request, tmp_path: Path, method: str, told: bool
) -> None:
    asked = request_on_disk.model_copy(
        update={
            "method": method,
            "baseline": False,
            "training": {**request_on_disk.training, "batch_size": 5_000},
        }
    )
    notes = adapt(asked, tmp_path / "run").config["task"]["notes"]
    assert any("examples than a batch" in note for note in notes) == told
