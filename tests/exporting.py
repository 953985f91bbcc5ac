"""What tests of exported models need: small runs of each kind from files, and answers without torch."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import dimmed_bars, shifted_blobs, sketched_things, two_clinics, two_shops, two_views
from acclimate.data.task import Task
from acclimate.export import exits
from acclimate.running.adaptation import adapt, load
from acclimate.running.requests import raw_task_of_run
from acclimate.runs.record import Run
from acclimate.runs.request import Request

# Refuses what an exported folder must do without, before it is looked for anywhere.
ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "acclimate", "polars", "pydantic", "regex", "sklearn", "scipy"}:
            raise ImportError(f"{name} must not be needed")
sys.meta_path.insert(0, Refuse())
import os.path, runpy
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))  # as python puts it for a script
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Kind:
    """A small run that a user could make from files.

    Attributes:
        method: its name.
        world: makes the task.
        network: if not the default one.
        training: options.
    """

    method: str
    world: Callable[[int], Task]
    network: str | None = None
    training: Mapping[str, Any] | None = None


KINDS = {
    "mlp": Kind("source-only", shifted_blobs),
    "digits": Kind("dann", lambda n: dimmed_bars(n, side=28), "mcd-usps"),
    "mobilenet": Kind("source-only", lambda n: dimmed_bars(n, side=64), "mobilenetv2-scratch", {"image_size": 32}),
    "ngram-memory": Kind("ngram-memory", two_shops),
    "cgt": Kind("cgt", two_clinics),
    "lrt": Kind("lrt", two_views),
    "shared-prototypes": Kind("shared-prototypes", sketched_things),
    "mcd": Kind("mcd", dimmed_bars),
    "amn": Kind("amn", two_shops),
    "tfidf": Kind("tfidf", two_shops),
}


def run_of(kind: Kind, folder: Path, n: int = 24) -> Run:
    """A run of three steps on files in a new folder: pictures, .csv, .jsonl or .npz."""
    folder.mkdir(parents=True)
    task = kind.world(n)
    needs_all = kind.method == "shared-prototypes"
    if kind.method in ("cgt", "lrt"):
        task = task.with_label_budget(2)
    assert task.hidden is not None
    given = task.hidden.target if needs_all else task.target.labels
    sides = {"source": task.source.labels, "target": given}
    paths = {
        side: written(folder / side, getattr(task, side), labels, task.classes) for side, labels in sides.items()
    }
    training = {"steps": 3, "batch_size": 8, "precision": "fp32", "device": "cpu", "evaluations": 1}
    column = "label" if Path(paths["source"]).suffix in (".csv", ".jsonl") else None
    request = Request(
        **paths,
        method=kind.method,
        network=kind.network,
        label_column=column,
        baseline=False,
        training=training | dict(kind.training or {}),
    )
    return adapt(request, folder / "run")


def written(path: Path, domain: Domain, labels: np.ndarray, classes: tuple[str, ...]) -> str:
    """A domain as a user has it; class folders, a column `label` or `y` where there are labels."""
    names = [classes[y] if y >= 0 else None for y in labels]
    if domain.kind == "images":
        for i, (picture, name) in enumerate(zip(domain.array, names, strict=True)):
            (place := path / (name or "")).mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture[..., 0]).save(place / f"{i:03d}.png")
        return str(path)
    if domain.kind == "text":
        rows = [{"text": t} | ({"label": n} if n else {}) for t, n in zip(to_texts(domain.rows), names, strict=True)]
        (path := path.with_suffix(".jsonl")).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    elif domain.schema is not None:
        columns = dict(zip(domain.schema.names, domain.array.T, strict=True))  # type: ignore[union-attr]
        pl.DataFrame(columns).with_columns(pl.Series("label", names)).write_csv(path := path.with_suffix(".csv"))
    else:
        known = {"y": labels} if (labels >= 0).any() else {}
        np.savez(path := path.with_suffix(".npz"), X=domain.array, **known)
    return str(path)


def answers_alone(folder: Path, *words: str) -> list[dict[str, str]]:
    """What `predict.py` of a folder says, in a Python that has neither torch nor acclimate."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(folder / "predict.py"), *words],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(done.stdout.splitlines()))


def same_answers(found: list[dict[str, str]], table: Path) -> None:
    """Hold answers against those that `acclimate predict` wrote: the same ids, classes and confidences."""
    expected = pl.read_csv(table, infer_schema=False)
    assert [row["id"] for row in found] == expected["id"].to_list()
    assert [row["predicted"] for row in found] == expected["predicted"].to_list()
    confidences = [float(row["confidence"]) for row in found]
    np.testing.assert_allclose(confidences, expected["confidence"].cast(pl.Float64), atol=2e-5)


def exits_of(run: Run) -> list[exits.Exit]:
    """What leaves of a run, with the run's own data."""
    fitted, task = load(run.folder), raw_task_of_run(run)
    both = {"target": task.target, "source": task.source}
    return exits.exits(fitted, both if fitted.plan.method.problem == "retrieval" else {"target": task.target})
