"""`audits/<code>/` in a run folder: what was asked about its answers, so that labels are held against what was asked.

asked.json      which examples, the probability with which each was taken, the seed; of which runs and which answers
to_label.csv    the same examples for a spreadsheet, unless it was wanted elsewhere
pictures/       those of the examples that are no files of their own
found.json      what the labels told
manifest.json   checksums of the JSON files
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from acclimate.errors import RequestError, WorkError
from acclimate.runs.files import as_json
from acclimate.runs.manifest import Manifest
from acclimate.runs.record import Run
from acclimate.selection.audit import Audit
from acclimate.selection.design import Sample

FOLDER, ASKED, FOUND = "audits", "asked.json", "found.json"
# A code is no word, no date and no number to any spreadsheet.
_LETTERS, _LENGTH = "bcdfghjklmnpqrstvwxz", 4


class _Record(BaseModel):
    """A file of an audit."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_R = TypeVar("_R", bound=_Record)


class Item(_Record):
    """An example that is asked about.

    Attributes:
        name: by which the answer is told, such as `"bkzt-07"`.
        row: in the split of the target.
        id: as in `predictions.parquet`.
        stratum: in which it was drawn.
        probability: with which it was drawn.
        kind: what there is to look at.
        shown: the text, or the path of a picture, or the values; empty where there is nothing but the id.
    """

    name: str
    row: int
    id: str
    stratum: int
    probability: float
    kind: Literal["text", "file", "values", "nothing"] = "nothing"
    shown: str = ""


class Answered(_Record):
    """A model whose answers are audited.

    Attributes:
        title: how to call it.
        sha256: of its answers.
    """

    title: str
    sha256: str


class Asked(_Record):
    """An audit as it was asked.

    Attributes:
        format: of this file.
        created: when, in ISO 8601.
        seed: of the draw.
        split: role of the examples, `"target_test"` or `"target"`.
        examples: how many there are to draw from.
        sizes: how many examples each stratum has.
        agreed: whether all models answer alike throughout a stratum.
        classes: the names that an answer may have.
        items: in the order in which to ask.
        models: the one to keep when in doubt comes first.
    """

    format: Literal[1] = 1
    created: str
    seed: int
    split: str
    examples: int
    sizes: tuple[int, ...]
    agreed: tuple[bool, ...]
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    models: tuple[Answered, ...]

    @property
    def code(self) -> str:
        """What its items' names begin with."""
        return self.items[0].name.partition("-")[0]

    @property
    def sample(self) -> Sample:
        """The examples as a stratified sample; rows are those of the split."""
        rows, strata = ([getattr(item, name) for item in self.items] for name in ("row", "stratum"))
        return Sample(np.array(rows), np.array(strata), np.array(self.sizes), np.array(self.agreed))


class Found(_Record):
    """What the labels of an audit told of one run.

    Attributes:
        answered: when, in ISO 8601.
        labels: how many.
        examples: for how many they speak.
        split: role of these examples.
        model: title of the run's model, as in `Answered`.
        first: title of the model to keep when in doubt.
        accuracy: value, lower and upper end.
        before: the same of the first model, where the run's is another.
        gain: accuracy above that of the first model, likewise.
        choice: title of the model to take.
    """

    answered: str
    labels: int
    examples: int
    split: str
    model: str
    first: str
    accuracy: tuple[float, float, float]
    before: tuple[float, float, float] | None = None
    gain: tuple[float, float, float] | None = None
    choice: str


def code_of(seed: int, rows: Sequence[int], hashes: Sequence[str]) -> str:
    """The code of an audit: the same one asks the same of the same answers."""
    number = int(hashlib.sha256(json.dumps([seed, list(rows), sorted(hashes)]).encode()).hexdigest(), 16)
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_LETTERS))
        digits.append(_LETTERS[digit])
    return "".join(digits)


def folder_of(run: Run, code: str) -> Path:
    """Where an audit of a run is kept."""
    return run.folder / FOLDER / code


def write_record(folder: Path, name: str, record: Asked | Found) -> None:
    """Write `asked.json` or `found.json` with its checksum; what is there already is replaced.

    Raises:
        WorkError: if the system will not write it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"{folder} cannot be made: {error.strerror}. Check the path and the disk.") from None
    text = as_json(record.model_dump(mode="json"))
    Manifest(folder).write(folder / name, lambda path: _write_text(path, text))


def asked_of(run: Run, code: str) -> Asked:
    """What an audit of a run asked.

    Raises:
        RequestError: if the run has no such audit.
        WorkError: if the file has changed since it was written.
    """
    folder = folder_of(run, code)
    if not (folder / ASKED).is_file():
        known = ", ".join(codes(run)) or "none"
        fix = f"Known: {known}. Give the runs that were audited."
        raise RequestError("answers", f"must be of an audit of {run.folder}", f"those of audit {code!r}", fix)
    if (fault := Manifest(folder).fault(folder / ASKED)) is not None:
        raise WorkError(f"{folder / ASKED} {fault}. Restore it from a copy, or audit again.")
    return _read(Asked, folder / ASKED)


def codes(run: Run) -> list[str]:
    """The codes of a run's audits, the latest last."""
    found = sorted((run.folder / FOLDER).glob(f"*/{ASKED}"), key=lambda path: (path.stat().st_mtime_ns, path))
    return [path.parent.name for path in found]


def latest_found(run: Run) -> Found | None:
    """What the audit of a run that was answered last told; None if none was.

    Raises:
        WorkError: if a file has changed since it was written.
    """
    found = []
    for path in (run.folder / FOLDER).glob(f"*/{FOUND}"):
        if (fault := Manifest(path.parent).fault(path)) is not None:
            raise WorkError(f"{path} {fault}. Restore it from a copy, or give the answers again.")
        found.append(_read(Found, path))
    return max(found, key=lambda one: one.answered, default=None)


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's answers to a split of the target, without any true label.

    Attributes:
        run: whose they are.
        title: how to call the model.
        split: role of the examples.
        classes: names of the classes it tells apart.
    """

    run: Run
    title: str
    split: str
    classes: tuple[str, ...]

    @cached_property
    def sha256(self) -> str:
        """Of the answers, by example; not of the file, where true labels may stand beside them."""
        digest = hashlib.sha256(json.dumps([self.table[name].to_list() for name in ("id", "predicted")]).encode())
        digest.update(self.confidence.astype("<f4").tobytes())
        return digest.hexdigest()

    @cached_property
    def table(self) -> pl.DataFrame:
        """Columns `id`, `predicted` and `confidence`, by row. The true labels beside them are not read.

        Raises:
            WorkError: if the file is damaged.
        """
        path = self.run.predictions_path
        columns = ["split", "row", "id", "predicted", "confidence"]
        self.run.check(path)
        try:
            table = pl.read_parquet(path, columns=columns)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise WorkError(f"{path} cannot be read: {error}") from None
        return table.filter(pl.col("split") == self.split).sort("row").drop("split", "row")

    @property
    def predicted(self) -> np.ndarray:
        """`(n,)` class indices."""
        places = {name: i for i, name in enumerate(self.classes)}
        return np.array([places[name] for name in self.table["predicted"]], dtype=np.int64)

    @property
    def confidence(self) -> np.ndarray:
        """`(n,)` in [0, 1]."""
        return self.table["confidence"].to_numpy()


def audit_of(asked: Asked, models: Sequence[Answers]) -> Audit:
    """An audit as it was asked, over these models; the first is the one to keep when in doubt."""
    return Audit(np.stack([model.predicted for model in models]), asked.sample)


def _read(kind: type[_R], path: Path) -> _R:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:  # pydantic's is a ValueError
        reason = str(error).replace("\n", " ")
        raise WorkError(f"{path} is not as acclimate writes it: {reason:.300}. Audit again.") from None


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
