"""What every method makes of every kind of input that it takes: configuration, first losses, weights and answers.

    python tests/contracts/pins.py            # write tests/contracts/pinned.json anew

The house may be rebuilt as long as none of it changes. A change that is meant writes the file anew, and its commit
says why.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from filelock import FileLock
from safetensors.torch import load_file

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.schema import TableSchema
from acclimate.data.synthetic import dimmed_bars, shifted_blobs, sketched_things, two_clinics, two_shops, two_views
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.methods import needs
from acclimate.running.adaptation import adapt
from acclimate.runs import checkpoint_files
from acclimate.runs.machine import machine
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import BASELINE, SHARED_COLUMNS, Run
from acclimate.runs.request import Request
from acclimate.types import UNLABELLED
from worlds import with_numbers

FILE = Path(__file__).parent / "pinned.json"
STEPS, _DIGITS, _LONGEST = 3, 6, 8
# Whatever tells of the moment, the place or the machine, and not of what is done.
_PASSING = {"acclimate", "command", "commit", "created", "format", "machine", "processes", "threads"}
_OF_TASK = {"name", "classes", "num_classes", "sizes", "labelled_target", "source_counts", "bins", "schema"}
# What is committed of 24 examples a side stands for any number of them.
_WORLDS: Mapping[str, Callable[[int], Task]] = {
    "images": dimmed_bars,
    "features": shifted_blobs,
    "text": two_shops,
    "own features": two_views,
    "own columns": two_clinics,
    "retrieval": sketched_things,
}


def cases() -> Iterator[tuple[str, str]]:
    """Every method with each kind of input that it takes."""
    for name, method in sorted(discovery.methods().items()):
        if method.fact("problem") == "retrieval":
            yield name, "retrieval"
        elif method.fact("problem") == "heterogeneous":
            yield from (
                (name, world) for world in ("own features", "own columns")[needs.takes_shared_columns(method) :]
            )
        else:
            yield from ((name, kind) for kind in needs.kinds(method))


def pin(method: str, world: str, folder: Path) -> dict[str, Any]:
    """A run of three steps as a user types it, from files, with its baselines; as `FILE` keeps it.

    Args:
        method: name of a method.
        world: one of `cases` for it.
        folder: where files may be written.

    Returns:
        What `of_run` tells, and of the baselines under `beside`; or what is `refused`, as AdaBN refuses a network
        without batch norm.
    """
    try:
        run = run_of(method, world, folder)
    except RequestError as error:
        return {"refused": error.argument}
    beside = {name: of_run(found, folder) for name in (BASELINE, SHARED_COLUMNS) if (found := run.beside(name))}
    return of_run(run, folder) | ({"beside": beside} if beside else {})


def run_of(method: str, world: str, folder: Path) -> Run:
    """The run that is pinned, made by whoever asks first for it in this folder.

    Raises:
        RequestError: if the method refuses that kind of input.
    """
    with FileLock(folder / "lock"):
        if not (folder / "done").exists():
            torch.set_num_threads(1)
            adapt(_request(method, world, folder), folder / "run")
            (folder / "done").touch()
    return Run(folder / "run")


def of_run(run: Run, folder: Path) -> dict[str, Any]:
    """What is pinned of one run folder; paths below `folder` are told from there."""
    config = {name: value for name, value in run.config.items() if name not in _PASSING}
    text = json.dumps(config, ensure_ascii=False).replace(f"{folder}{os.sep}", "")
    weights = load_file(checkpoint_files.latest(run.checkpoints_path))
    nets = {name: tensor for name, tensor in sorted(weights.items()) if name.startswith("nets/")}
    assert run.summary is not None
    return {
        "config": _told(json.loads(text)),
        "losses": [_rounded(row) for row in run.metrics() if row["kind"] == "losses"][:STEPS],
        "scores": _rounded(run.summary["scores"]),
        "shapes": _digest(*(np.array([*map(ord, name), *tensor.shape]) for name, tensor in nets.items())),
        "weights": _digest(*(tensor.contiguous().numpy() for tensor in nets.values())),
        "answers": _digest(_confidences(run)),
    }


def here() -> str:
    """What digests depend on: they are compared on such a machine alone."""
    facts = machine()
    return f"{facts['cpu']}, torch {facts['torch']}, numpy {facts['numpy']}, scikit-learn {facts['scikit-learn']}"


def _request(method: str, world: str, folder: Path) -> Request:
    component = discovery.methods()[method]
    task = _WORLDS[world](24)
    if needs.takes_few_labels(component) or world in ("own features", "own columns"):
        task = task.with_label_budget(2)
    all_given = needs.takes_target_labels(component) or world == "retrieval"
    assert task.hidden is not None
    given = task.hidden.target if all_given else task.target.labels
    sides = {
        "source": task.source,
        "target": replace(task.target, labels=given),
        "target_test": replace(task.target_test, labels=task.hidden.target_test),
    }
    if component.fact("problem") == "regression":
        sides = _of_numbers(with_numbers(task))
    if world == "retrieval":
        del sides["target_test"]
    paths: dict[str, Any] = {role: written(folder / role, domain, task.classes) for role, domain in sides.items()}
    if component.fact("problem") == "several-sources":
        halves = {"source": task.source.take(slice(12)), "further": task.source.take(slice(12, None))}
        first, *others = (written(folder / role, domain, task.classes) for role, domain in halves.items())
        paths |= {"source": first, "more_sources": (*others,)}
    narrow = {name: 2 for name in ("maps", "critic_maps") if name in component.options}
    training = {"steps": STEPS, "batch_size": 8, "precision": "fp32", "device": "cpu", "evaluations": 1}
    column = "label" if world == "own columns" else None
    return Request(
        **paths, method=method, method_options=narrow, label_column=column, baseline=True, training=training
    )


def _of_numbers(task: Task) -> dict[str, Domain]:
    assert task.hidden is not None
    test = replace(task.target_test, numbers=task.hidden.numbers["target_test"])
    return {"source": task.source, "target": task.target, "target_test": test}


def written(stem: Path, domain: Domain, classes: tuple[str, ...]) -> str:
    """A domain as a file: arrays as .npz, tables as .csv, texts as .jsonl; labels where the domain has any."""
    names = [classes[y] if y != UNLABELLED else None for y in domain.labels.tolist()]
    if isinstance(domain.schema, TableSchema):
        columns = dict(zip(domain.schema.names, domain.array.T, strict=True))
        labels = pl.Series(names, dtype=pl.String)
        pl.DataFrame({**columns, "label": labels}).write_csv(path := stem.with_suffix(".csv"))
    elif domain.kind == "text":
        texts = to_texts(domain.rows)
        rows = [{"text": t} | ({} if name is None else {"label": name}) for t, name in zip(texts, names, strict=True)]
        (path := stem.with_suffix(".jsonl")).write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        known = {"y": domain.answers} if domain.num_labelled else {}
        np.savez(path := stem.with_suffix(".npz"), X=domain.inputs, **known)
    return str(path)


def _told(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration without sentences, data and what is as usual; with floats rounded and long lists digested."""
    usual = TrainingOptions().model_dump(mode="json")
    config["training"] = {name: value for name, value in config["training"].items() if value != usual.get(name)}
    config["request"] = {name: value for name, value in config["request"].items() if value not in (None, [], {})}
    config["task"] = {name: value for name, value in config["task"].items() if name in _OF_TASK}
    return _short(_rounded(config))


def _short(value: Any) -> Any:
    if isinstance(value, list):
        whole = [_short(part) for part in value]
        if len(whole) <= _LONGEST:
            return whole
        return f"{len(whole)} values, {hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:16]}"
    return {name: _short(part) for name, part in value.items()} if isinstance(value, dict) else value


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list) else value


def _confidences(run: Run) -> np.ndarray:
    if not run.predictions_path.exists():
        return np.zeros(0)
    table = pl.read_parquet(run.predictions_path)
    return table.select(pl.selectors.numeric().exclude("label")).fill_null(-1).to_numpy()


def _digest(*arrays: np.ndarray) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def _write() -> None:
    pins = {}
    for method, world in cases():
        with tempfile.TemporaryDirectory() as folder:
            pins[f"{method} on {world}"] = pin(method, world, Path(folder))
        print(method, world, file=sys.stderr)
    usual = TrainingOptions().model_dump(mode="json")
    lines = ",\n".join(f'"{name}": {json.dumps(found, ensure_ascii=False)}' for name, found in pins.items())
    head = f'"digests are of": {json.dumps(here())},\n"usual training": {json.dumps(usual)}'
    FILE.write_text(f'{{\n{head},\n"pins": {{\n{lines}\n}}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    _write()
