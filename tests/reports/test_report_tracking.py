"""A run in MLflow: what is logged, by the names that it allows, and refusals in a sentence."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from acclimate.errors import MissingExtraError, WorkError
from acclimate.reports.tracking import log_to_mlflow, measurements, parameters
from acclimate.runs.files import write_json
from acclimate.runs.record import Run

_ALLOWED = re.compile(r"[\w.\- /]+")


def test_every_number_of_a_run_is_a_measurement(make_run: Callable[..., Run]) -> None:
    made = make_run()
    scores, told = {"target_test_accuracy": 0.9}, {"value": 0.8, "low": 0.7, "high": 0.9}
    write_json(made.folder / "summary.json", {**(made.summary or {}), "scores": scores, "estimate": told})
    run = Run(made.folder)
    found = list(measurements(run))
    losses = [(value, step) for name, value, step in found if name == "losses/label_loss"]
    assert [value for value, _ in losses] == [0.5**k for k in range(3)]
    assert [step for _, step in losses] == sorted({step for _, step in losses})
    last = {name: value for name, value, _ in found}
    assert (last["target_test_accuracy"], last["estimate/low"]) == (0.9, 0.7)
    assert last["evaluation/target_test_accuracy"] == 0.9


def test_names_and_values_are_those_that_mlflow_takes(make_run: Callable[..., Run]) -> None:
    run = make_run()
    named = dict(parameters(run.config))
    assert named["method"] == "mcd"
    assert all(len(value) <= 500 and value != "None" for value in named.values())
    names = [*named, *(name for name, _, _ in measurements(run))]
    assert all(_ALLOWED.fullmatch(name) for name in names)


def test_without_mlflow_the_extra_is_named(make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'acclimate\[mlflow\]'"):
        log_to_mlflow(make_run())


@pytest.mark.filterwarnings("ignore")
def test_a_store_of_files_has_it(
    make_run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="no MLflow here: pip install mlflow-skinny")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    run = make_run()
    ids = {log_to_mlflow(run, experiment="pets"), log_to_mlflow(run.folder, experiment="pets")}
    assert len(ids) == 2
    for made in ids:
        found = mlflow.MlflowClient().get_run(made)
        assert found.info.status == "FINISHED"
        assert found.data.params["method"] == "mcd"
        assert found.data.metrics["losses/label_loss"] == 0.25
        assert {file.path for file in mlflow.MlflowClient().list_artifacts(made)} >= {"config.json", "summary.json"}


@pytest.mark.filterwarnings("ignore")
def test_a_server_that_is_not_there_is_told(make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow", reason="no MLflow here: pip install mlflow-skinny")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(WorkError, match="MLFLOW_TRACKING_URI"):
        log_to_mlflow(make_run())
