"""From request to run folder, on real data where it is at hand and on small worlds elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from acclimate.data.synthetic import shifted_blobs
from acclimate.errors import DataError, RequestError
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training import adaptation, checkpoints
from acclimate.training.adaptation import Surroundings, adapt, load, resume, split_options, task_of
from acclimate.training.comparison import Comparison, Row, cell_folder, compare, mean_ci95
from acclimate.training.trainer import Interrupted


@pytest.fixture
def request_on_disk(tmp_path: Path) -> Request:
    """The user's own arrays: a labelled source, a target and a labelled target test."""
    task = shifted_blobs(120, shift=1.0)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "target.npz", X=task.target.inputs)
    np.savez(tmp_path / "test.npz", X=task.target_test.inputs, y=task.answers.target_test)
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
    assert config["method"]["options"] == {"ramp": 10.0, "max_reversal": 1.0}
    assert config["training"]["precision"] == "fp32"
    assert config["steps"] == summary["steps"] == 8
    assert summary["selection"] == "last"
    assert summary["scores"].keys() == {"target_test_accuracy"}
    evaluations = [row for row in run.metrics() if row["kind"] == "evaluation"]
    assert [row["step"] for row in evaluations] == [0, 4, 8]
    assert evaluations[-1]["target_test_accuracy"] == summary["scores"]["target_test_accuracy"]
    assert {"source_accuracy", "source_test_accuracy"} <= evaluations[0].keys()
    table = pl.read_parquet(run.predictions_path)
    assert table["split"].value_counts().sort("split").rows() == [("target", 120), ("target_test", 120)]
    probabilities = table["probabilities"].to_numpy()
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(table["confidence"].to_numpy(), probabilities.max(axis=1))
    assert run.baseline.summary["scores"].keys() == {"target_test_accuracy"}


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
        adapt(request_on_disk, tmp_path / "run", Surroundings(stop=stop))
    run = Run(tmp_path / "run")
    assert run.baseline.summary is not None
    assert checkpoints.load(checkpoints.latest(run.checkpoints_path)).step == 4
    with pytest.raises(RequestError, match="run must be finished; .* acclimate resume"):
        load(run.folder)
    resume(run.folder)
    whole = adapt(request_on_disk, tmp_path / "whole")
    assert run.metrics() == whole.metrics()
    assert pl.read_parquet(run.predictions_path).equals(pl.read_parquet(whole.predictions_path))


def test_a_run_stopped_in_its_baseline_goes_on_there(request_on_disk: Request, tmp_path: Path) -> None:
    asked = iter(range(100))
    with pytest.raises(Interrupted):
        adapt(request_on_disk, tmp_path / "run", Surroundings(stop=lambda: next(asked) == 3))
    run = Run(tmp_path / "run")
    assert run.baseline.summary is None
    resume(run.folder)
    whole = adapt(request_on_disk, tmp_path / "whole")
    assert run.baseline.metrics() == whole.baseline.metrics()
    assert run.metrics() == whole.metrics()


def test_changed_data_are_noticed(request_on_disk: Request, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        adapt(request_on_disk, tmp_path / "run", Surroundings(stop=lambda: True))
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
    monkeypatch.setattr(adaptation, "adapt", lambda r, f: ran.append(Path(f).name) or original(r, f))
    scores = {(r.name, s): a for r, s, a in compare(wanted, folder, results=results, command="acclimate compare …")}
    assert scores["source-only", 0] == score
    assert sorted(ran) == ["mcc-seed0", "mcc-seed1", "source-only-seed1"]
    assert len(list(compare(wanted, folder))) == 4
    assert len(ran) == 3

    written = json.loads((results / "tiny" / "mcc.json").read_text())
    values = [scores["mcc", 0], scores["mcc", 1]]
    assert written["target_accuracy"] == pytest.approx(values, abs=1e-5)
    assert written["mean"] == pytest.approx(np.mean(values), abs=1e-5)
    assert written["ci95"] == pytest.approx(mean_ci95(values), abs=1e-5)
    assert written["selection"] == "last"
    assert written["command"] == "acclimate compare …"
    assert written["options"]["batch_size"] == 16
    assert Run(cell_folder(folder, wanted.rows[1], 1)).config["training"]["seed"] == 1
    assert Run(cell_folder(folder, wanted.rows[1], 1)).baseline is None


def test_a_real_task_end_to_end(imported_packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(imported_packs))
    request = Request(
        task="mnist-usps", method="adabn", training={"steps": 150, "precision": "fp32", "evaluations": 1}
    )
    run = adapt(request, tmp_path / "run")
    assert run.config["network"] == "mcd-usps"
    assert run.config["task"]["sizes"] == {
        "source": 2000, "target": 1800, "source_test": 10_000, "target_test": 2007,
    }  # fmt: skip
    before, after = (r.summary["scores"]["target_test_accuracy"] for r in (run.baseline, run))
    assert after > before + 0.05 > 0.3
