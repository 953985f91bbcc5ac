"""Asking for an audit of run folders: which examples, and what there is to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.readers.cells import SUFFIXES, open_cells
from acclimate.data.task import Task
from acclimate.errors import RequestError
from acclimate.running.description import check_unchanged
from acclimate.running.parts import scored
from acclimate.running.requests import task_of_run
from acclimate.runs.audits import ASKED, Answered, Asked, Item, code_of, folder_of, write_record
from acclimate.runs.candidates import candidates
from acclimate.runs.record import Run
from acclimate.selection.audit import Audit
from acclimate.types import UNLABELLED

PICTURES = "pictures"


def ask(runs: Sequence[Run], items: int, seed: int) -> Asked:
    """Choose examples to label and record in every run's folder what is asked.

    The true labels play no part in it, known or not.

    Raises:
        RequestError: as `candidates` and `Audit.of_answers`.
        DataError: if the data of a run have changed.
    """
    models = candidates(runs)
    domain, open_ = _examples(models[0].split, runs, [_task(run) for run in runs])
    predicted, confidence = (np.stack([getattr(m, of)[open_] for m in models]) for of in ("predicted", "confidence"))
    audit = Audit.of_answers(predicted, confidence, items=items, seed=seed)
    rows = open_[audit.rows]
    code = code_of(seed, rows.tolist(), [model.sha256 for model in models])
    shown = _shown(runs[0], models[0].split, domain, rows, folder_of(runs[0], code))
    asked = Asked(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=seed,
        split=models[0].split,
        examples=len(open_),
        sizes=tuple(audit.sample.sizes.tolist()),
        agreed=tuple(audit.sample.agreed.tolist()),
        classes=models[0].classes,
        items=tuple(_items(code, rows, models[0].table["id"].gather(rows).to_list(), audit, shown)),
        models=tuple(Answered(title=model.title, sha256=model.sha256) for model in models),
    )
    for run in runs:
        write_record(folder_of(run, code), ASKED, asked)
    return asked


def _items(
    code: str, rows: np.ndarray, ids: Sequence[str], audit: Audit, shown: Sequence[Mapping[str, Any]]
) -> Iterator[Item]:
    """The examples in the order in which to ask, named by the audit's code and a number."""
    sample, digits = audit.sample, len(str(len(rows)))
    facts = zip(rows.tolist(), ids, sample.strata.tolist(), sample.probabilities.tolist(), shown, strict=True)
    for number, (row, id_, stratum, probability, look) in enumerate(facts, start=1):
        name = f"{code}-{number:0{digits}d}"
        yield Item(name=name, row=row, id=id_, stratum=stratum, probability=probability, **look)


def _task(run: Run) -> Task:
    """A run's data, read again, as far as its folder tells of them."""
    task = task_of_run(run)
    check_unchanged(run, task)
    return scored(task)


def _examples(split: str, runs: Sequence[Run], tasks: Sequence[Task]) -> tuple[Domain, np.ndarray]:
    """The examples of a split, and the rows of those whose label no run's training was given."""
    domains = [task.domains()[split] for task in tasks]
    if len({domain.unlabelled().content_hash for domain in domains}) > 1:
        got = f"other examples in {' and '.join(str(run.folder) for run in runs)}"
        fix = "Audit each by itself: their answers are not to the same question."
        raise RequestError("runs", "must not be of different tasks", got, fix)
    given = np.any([domain.labels != UNLABELLED for domain in domains], axis=0)
    return domains[0], np.flatnonzero(~given)


def _shown(run: Run, split: str, domain: Domain, rows: np.ndarray, folder: Path) -> list[dict[str, str]]:
    """What there is to look at of each row, as fields of `Item`."""
    request = run.config["request"]
    own = request.get("target_test" if split == "target_test" else "target")
    if domain.kind == "text":
        return [{"kind": "text", "shown": text} for text in to_texts(domain.rows[rows])]
    if domain.kind == "images":
        files = [Path(own) / domain.ids[row] for row in rows] if own and domain.ids else []
        if files and all(file.is_file() for file in files):
            return [{"kind": "file", "shown": str(file)} for file in files]
    pictures = domain.array if domain.kind == "images" else domain.pictures
    if pictures is not None:
        return [{"kind": "file", "shown": str(path)} for path in _written(pictures[rows], folder / PICTURES)]
    return values_of(domain, own, rows)


def _written(pictures: np.ndarray, folder: Path) -> list[Path]:
    """Small pictures as files, numbered in the order in which to ask."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    paths = [folder / f"{number:0{len(str(len(pictures)))}d}.png" for number in range(1, len(pictures) + 1)]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(path)
    return paths


def values_of(domain: Domain, own: str | None, rows: np.ndarray) -> list[dict[str, str]]:
    """The cells of a table's rows that the model sees; of other features, and of tables in parts, nothing."""
    columns = [column.name for column in getattr(domain.schema, "columns", ())]
    if own is None or domain.files or not columns or Path(own).suffix.lower() not in SUFFIXES:
        return [{"kind": "nothing", "shown": ""} for _ in rows]
    frame = open_cells(Path(own)).frame.select(columns)
    return [{"kind": "values", "shown": _joined(frame.row(int(row), named=True))} for row in rows]


def _joined(cells: Mapping[str, object]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in cells.items())
