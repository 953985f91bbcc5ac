"""Comparisons spread over the workers of a real local cluster find what one process finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acclimate.data.synthetic import shifted_blobs
from acclimate.errors import RequestError
from acclimate.running.cells import compare
from acclimate.running.cluster import cluster
from acclimate.running.comparison import Comparison, Row, cell_folder
from acclimate.runs.record import Run
from acclimate.runs.request import Request


@pytest.fixture
def wanted(tmp_path: Path) -> Comparison:
    task = shifted_blobs(60, shift=1.0)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "target.npz", X=task.target.inputs, y=task.hidden.target)
    request = Request(
        source=str(tmp_path / "source.npz"),
        target=str(tmp_path / "target.npz"),
        training={"steps": 5, "batch_size": 16, "precision": "fp32", "device": "cpu"},
    )
    methods = ("source-only", "dann")
    rows = tuple(Row(name=name, request=request.model_copy(update={"method": name})) for name in methods)
    return Comparison(id="blobs", seeds=2, rows=rows)


@pytest.mark.filterwarnings("ignore:Creating scratch directories")  # takes long, Dask warns, where a disk is busy
@pytest.mark.parametrize("backend", ["ray", "dask"])
def test_a_cluster_finds_what_one_process_finds(
    wanted: Comparison,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    backend: str,
) -> None:
    pytest.importorskip({"ray": "ray", "dask": "distributed"}[backend])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    here = {(row.name, seed): score for row, seed, score in compare(wanted, Path("here"))}
    # A comparison that was stopped: one cell is done, its row must not be made anew.
    done = cell_folder(Path("there"), wanted.rows[0], 0)
    done.parent.mkdir()
    cell_folder(Path("here"), wanted.rows[0], 0).rename(done)
    finished = Run(done).summary["finished"]
    found = compare(wanted, Path("there"), results=Path("results"), jobs=2, backend=backend)  # type: ignore[arg-type]
    assert {(row.name, seed): score for row, seed, score in found} == here
    assert Run(done).summary["finished"] == finished
    assert len(list(Path("results").rglob("*.json"))) == 2
    assert not capfd.readouterr().err  # Dask warns of each worker that has to be killed


def test_an_address_needs_a_backend_that_has_clusters() -> None:
    with pytest.raises(RequestError, match="cluster must come with a backend that has clusters; got 'auto'"):
        cluster("loky", "auto", 1).__enter__()


def test_a_cluster_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(RequestError, match="cluster must be the address of a running cluster; got 'nowhere"):
        cluster("dask", "nowhere:1:2", 1).__enter__()
