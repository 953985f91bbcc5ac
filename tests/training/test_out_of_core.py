"""Training on tables that stay on disk: what it learns, that nothing is lost, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.torch import load_file

from acclimate.data import on_disk
from acclimate.data.readers import sizes
from acclimate.errors import DataError, RequestError, WorkError
from acclimate.running import parts
from acclimate.running.adaptation import Callbacks, adapt, resume
from acclimate.runs import checkpoint_files
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.streams import windows
from acclimate.training.trainer import Interrupted

PROGRAM = Path(__file__).with_name("kill_runs.py")
FILES, ROWS = 3, 120
TRAINING = {
    "steps": 24, "batch_size": 8, "lr": 0.003, "evaluations": 3, "precision": "fp32", "checkpoint_seconds": 0,
    "device": "cpu",
}  # fmt: skip


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module, name, value in (
        (windows, "BLOCK", 512), (windows, "WINDOW", 2048), (on_disk, "_SMALL", 8_600), (parts, "_SCORED", 50),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    monkeypatch.setenv("ACCLIMATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Folders `source` and `target` of Parquet files: two classes, a gap here and there, and a shift."""
    for seed, side in enumerate(("source", "target")):
        (tmp_path / side).mkdir()
        rng = np.random.default_rng(seed)
        for number in range(FILES):
            y = rng.integers(0, 2, ROWS)
            columns = {f"x{i}": rng.normal(size=ROWS) + 2 * y + seed / 2 for i in range(5)}
            columns["x0"][rng.random(ROWS) < 0.1] = np.nan
            columns["ward"] = rng.choice(["north", "south"], ROWS)
            frame = pl.DataFrame(columns | {"kind": np.array(["a", "b"])[y]})
            frame.write_parquet(tmp_path / side / f"{number}.parquet")
    return tmp_path


def asked(tables: Path, memory: str | None = "1kB", **others: object) -> Request:
    sides = {"source": str(tables / "source"), "target": f"{tables}/target/*.parquet", "label_column": "kind"}
    own = {"method": "dann", "training": TRAINING, "baseline": False, "memory": memory}
    return Request(**{**sides, **own, **others})  # type: ignore[arg-type]


def found(run: Run) -> dict[str, object]:
    """All that a run has found out, but for times."""
    assert run.summary is not None
    assert not run.failed
    weights = load_file(checkpoint_files.latest(run.checkpoints_path))
    return {
        **{name: value.numpy().tobytes() for name, value in weights.items()},
        "metrics": run.metrics_path.read_bytes(),
        "predictions": pl.read_parquet(run.predictions_path).write_json(),
        "scores": run.summary["scores"],
    }


def test_it_learns_with_a_baseline_and_tells_of_a_part(tables: Path) -> None:
    told: list[str] = []
    run = adapt(asked(tables, baseline=True), tables / "run", Callbacks(notice=told.append))
    assert ["stay on disk" in sentence for sentence in told[:2]] == [True, True]
    config, table = run.config, pl.read_parquet(run.predictions_path)
    assert config["task"]["sizes"] == {"source": 324, "target": 360, "source_test": 36}
    assert len(table) == 50  # of the 360, with the labels that belong to them
    kinds = np.concatenate([pl.read_parquet(tables / "target" / f"{i}.parquet")["kind"] for i in range(FILES)])
    assert table["label"].to_list() == kinds[table["id"].cast(int).to_numpy()].tolist()
    assert run.summary is not None
    assert run.summary["scores"]["target_accuracy"] > 0.85
    assert run.summary["estimate"]["value"] > 0.5
    assert run.baseline is not None
    assert run.baseline.summary is not None
    held = adapt(asked(tables, memory="1GB"), tables / "held").config
    assert config["task"]["fingerprints"] == held["task"]["fingerprints"]  # the same examples on the same sides
    means = [np.array(c["preprocess"]["mean"]) for c in (config, held)]
    np.testing.assert_allclose(*means, rtol=1e-12)
    assert config["preprocess"]["gaps"] == held["preprocess"]["gaps"]


def test_hidden_labels_reach_nothing(tables: Path) -> None:
    one = found(adapt(asked(tables), tables / "one"))
    for path in (tables / "target").iterdir():
        frame = pl.read_parquet(path)
        frame.with_columns(pl.lit("a").alias("kind")).write_parquet(path)
    two = found(adapt(asked(tables), tables / "two"))
    assert [name for name in one if "/" in name and one[name] != two[name]] == []


def test_stopped_everywhere_and_resumed_is_as_if_never_stopped(tables: Path) -> None:
    whole = found(adapt(asked(tables), tables / "whole"))
    request, folder, stops = asked(tables), tables / "run", 0
    while not (folder / "summary.json").is_file():
        calls = iter(range(99))
        around = Callbacks(stop=lambda calls=calls: next(calls) == 5)  # type: ignore[misc]
        try:
            (adapt(request, folder, around) if not folder.exists() else resume(folder, around))
        except Interrupted:
            stops += 1
            shutil.rmtree(tables / "cache")  # what is kept there can go at any time
    assert stops >= 4
    assert found(Run(folder)) == whole


def test_killed_at_any_touch_of_the_disk_and_resumed_is_as_if_never_killed(tables: Path) -> None:
    request = asked(tables, training={**TRAINING, "steps": 4})
    described = tables / "request.json"
    described.write_text(request.model_dump_json())
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, PROGRAM, tables / "run", described, "every", "29"]
    killed = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=900, env=environment)
    assert killed.returncode == 0, killed.stderr
    assert json.loads(killed.stdout)["kills"] >= 3
    words[2], words[4:] = tables / "whole", ["every", "1000000"]
    subprocess.run([*map(str, words)], check=True, timeout=900, env=environment)
    assert found(Run(tables / "run")) == found(Run(tables / "whole"))
    assert not list((tables / "cache").rglob("*.part"))


def stopped(tables: Path) -> Path:
    calls = iter(range(99))
    with pytest.raises(Interrupted):
        adapt(asked(tables), tables / "run", Callbacks(stop=lambda: next(calls) == 5))
    return tables / "run"


def test_a_file_that_changed_is_named_and_nothing_is_lost(tables: Path) -> None:
    folder, shard = stopped(tables), tables / "source" / "1.parquet"
    before, content = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}, shard.read_bytes()
    for change, said in (
        (lambda: shard.unlink(), r"1\.parquet must be there, as when the run began"),
        (lambda: shard.write_bytes(content[:-9]), r"1\.parquet must hold what it held when the run began"),
    ):
        change()
        with pytest.raises(DataError, match=said):
            resume(folder)
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    shard.write_bytes(content)
    assert found(resume(folder)) == found(adapt(asked(tables), tables / "whole"))


def test_a_shard_that_is_cut_short_is_named_before_anything_is_written(tables: Path) -> None:
    shard = tables / "target" / "2.parquet"
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"2\.parquet must be a Parquet file; got a file that cannot be read"):
        adapt(asked(tables), tables / "run")
    assert not (tables / "run").exists()


def test_rows_that_vanish_under_a_training_end_it_with_a_checkpoint(tables: Path) -> None:
    def cut() -> bool:
        for path in (tables / "cache").rglob("rows.f32"):
            path.write_bytes(b"")
        return False

    calls = iter(range(99))
    with pytest.raises(WorkError, match=r"rows\.f32 is shorter than it was when the table was read"):
        adapt(asked(tables), tables / "run", Callbacks(stop=lambda: next(calls) == 7 and cut()))
    whole = adapt(asked(tables), tables / "whole")
    assert found(resume(tables / "run")) == found(whole)


def test_what_was_begun_in_memory_stays_there_where_less_is_free_later(
    tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = found(adapt(asked(tables, memory=None), tables / "whole")), iter(range(99))
    with pytest.raises(Interrupted):
        adapt(asked(tables, memory=None), tables / "run", Callbacks(stop=lambda: next(calls) == 5))
    monkeypatch.setattr(sizes, "_FOR_A_VALUE", 10**9)
    assert found(resume(tables / "run")) == whole
    later = adapt(asked(tables, memory=None), tables / "later")
    assert later.config["request"]["memory"].isdecimal()  # what was free is written down
    assert "stay on disk" in str(later.config["task"]["notes"])


@pytest.mark.parametrize("method", ["tca", "sa", "kmm"])
def test_methods_that_need_everything_at_once_are_refused_by_name(tables: Path, method: str) -> None:
    with pytest.raises(RequestError, match=f"'{method}', which needs something of every example at once"):
        adapt(asked(tables, method=method), tables / "run")
    assert not (tables / "run").exists()
