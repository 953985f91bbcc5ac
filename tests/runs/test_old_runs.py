"""Run folders that earlier versions wrote still load, answer, report and go on; see `old/`.

`old/format-N.zip` holds runs of three steps on synthetic data, with these data beside them, written by the last
version before the house was rebuilt (format 2) and by one that kept no checksums (format 1). `stopped` is the run
beside it, stopped before its last step.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from acclimate.errors import WorkError
from acclimate.reports.page import write_report
from acclimate.running.adaptation import load, resume
from acclimate.running.requests import task_of_run
from acclimate.runs.record import Run
from acclimate.training import checkpoints
from acclimate.training.fitted import softmax

HERE = Path(__file__).parent / "old"
RUNS = [("format-1", "sa"), *(("format-2", name) for name in ("cgt", "sa", "shared-prototypes", "tfidf", "unit"))]


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one method's old runs, which is also where their data are looked for."""
    version, method = request.param
    with zipfile.ZipFile(HERE / f"{version}.zip") as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path / method)
    return tmp_path / method


@pytest.mark.parametrize("old", RUNS, indirect=True, ids="/".join)
def test_an_old_model_answers_as_it_did(old: Path) -> None:
    run = Run(old / "run")
    fitted, task = load(run.folder), task_of_run(run)
    table = pl.read_parquet(run.predictions_path)
    assert len(table)
    for (role,), rows in table.group_by("split", maintain_order=True):
        probabilities = softmax(fitted.outputs(task.domains()[str(role)]).logits)
        np.testing.assert_allclose(probabilities.max(axis=1), rows["confidence"].to_numpy(), atol=1e-4)


@pytest.mark.parametrize("old", RUNS, indirect=True, ids="/".join)
def test_an_old_run_is_reported_on(old: Path) -> None:
    run = Run(old / "run")
    path = write_report(run)
    assert run.config["method"]["title"] in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("old", [("format-2", "sa"), ("format-2", "unit")], indirect=True, ids="/".join)
def test_an_old_run_goes_on_to_the_weights_that_it_would_have_had(old: Path) -> None:
    torch.set_num_threads(1)
    finished = resume(old / "stopped")
    one, two = (load_file(checkpoints.of_run(run)) for run in (Run(old / "run"), finished))
    nets = [name for name in one if name.startswith("nets/")]
    assert nets
    for name in nets:
        torch.testing.assert_close(one[name], two[name], atol=1e-5, rtol=1e-4)
    assert Run(old / "run").summary["scores"] == finished.summary["scores"]  # type: ignore[index]


@pytest.mark.parametrize("old", [("format-1", "sa")], indirect=True, ids="/".join)
def test_what_has_no_checksum_is_believed_of_format_1_alone(old: Path) -> None:
    run = Run(old / "run")
    assert not run.has_checksums
    text = run.config_path.read_text(encoding="utf-8")
    run.config_path.write_text(text.replace('"format": 1', '"format": 2'), encoding="utf-8")
    with pytest.raises(WorkError, match="is not listed"):
        load(run.folder)
