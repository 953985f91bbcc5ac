"""What an exported model weighs, how often it is right and how fast it answers, beside the run that it comes from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.class_names import places_in, together
from acclimate.data.domain import Domain
from acclimate.errors import RequestError
from acclimate.export.exits import Exit, exits
from acclimate.export.forms import FORMS
from acclimate.export.names import PRETRAINED
from acclimate.export.pretrained import WEIGHTS, read_pretrained
from acclimate.problems.answers import in_answers
from acclimate.running.adaptation import load
from acclimate.running.requests import task_of_run
from acclimate.runs import checkpoint_files
from acclimate.runs.record import Run
from acclimate.training.fitted import Fitted
from acclimate.types import UNLABELLED

_SINGLE, _SECONDS = 200, 1.0
_AT_ONCE = 64


@dataclass(frozen=True)
class Row:
    """One form of a model, or the run itself.

    Attributes:
        form: its name, `"run"` for the run.
        bytes: of its file.
        examples: that it answered.
        accuracy: on those of them whose label is known; None where none is.
        agreement: share of examples on which it answers as the run does.
        ms_alone: milliseconds for an example that comes alone, the median.
        ms_together: likewise for one of 64.
    """

    form: str
    bytes: int
    examples: int
    accuracy: float | None
    agreement: float
    ms_alone: float
    ms_together: float

    def as_dict(self) -> dict[str, Any]:
        """By name."""
        return asdict(self)


def benchmark(out: Path, run: Path, data: Domain | None = None) -> list[Row]:
    """The run, then each form that a folder holds.

    Args:
        out: as `acclimate export` writes it.
        run: that it was exported from.
        data: target examples, labelled or not; by default the run's own, those held out if there are any.

    Raises:
        RequestError: if the folder holds no exported model, or it is one that finds things.
        WorkError: if a file is damaged.
    """
    record, fitted = Run(run), load(run)
    if fitted.plan.method.problem == "retrieval":
        fix = "Search with both: acclimate search, and predict.py in the folder."
        raise RequestError("run", "must be of a method that tells classes apart", fitted.plan.method.name, fix)
    found = {name: path for name, form in FORMS.items() if (path := out / f"model{form.suffix}").is_file()}
    bare = read_pretrained(out) if (out / WEIGHTS).is_file() else None
    if not found and bare is None:
        fix = f"Write one with: acclimate export {run} {out}"
        raise RequestError("out", "must be a folder that acclimate export wrote", repr(str(out)), fix)
    domain, labels = _own(record) if data is None else (data, _known(data, fitted))
    leaving = exits(fitted, {"target": domain})[0]
    judged = _Judge(leaving, labels)
    weights = checkpoint_files.checkpoints(record.checkpoints_path)[-1].stat().st_size
    read = list(_parts(domain.take(slice(_SINGLE)), 1)), list(_parts(domain, _AT_ONCE))
    rows = [judged("run", weights, _answering(fitted), *read)]
    for name, path in found.items():
        rows.append(judged(name, path.stat().st_size, FORMS[name].runner(path), *_raw(leaving)))
    if bare is not None:
        size = (out / WEIGHTS).stat().st_size
        rows.append(judged(PRETRAINED, size, _answering(bare), *read))
    return rows


class _Judge:
    """Runs a form over the same examples as all others."""

    def __init__(self, leaving: Exit, labels: np.ndarray) -> None:
        self.expected, self.labels = leaving.expected.argmax(axis=1), labels

    def __call__(
        self, name: str, size: int, answer: Callable[[Any], np.ndarray], singles: list[Any], batches: list[Any]
    ) -> Row:
        given = np.concatenate([answer(batch) for batch in batches]).argmax(axis=1)
        known = self.labels != UNLABELLED
        right = float((given[known] == self.labels[known]).mean()) if known.any() else None
        return Row(
            name,
            size,
            len(given),
            right,
            float((given == self.expected).mean()),
            1000 * _median_seconds(answer, singles),
            1000 * _median_seconds(answer, batches) / len(batches[0]),
        )


def _median_seconds(answer: Callable[[Any], np.ndarray], inputs: list[Any]) -> float:
    """Of one call, over as many inputs as a second or so allows."""
    answer(inputs[0])
    taken: list[float] = []
    begun = time.perf_counter()
    for one in inputs:
        start = time.perf_counter()
        answer(one)
        taken.append(time.perf_counter() - start)
        if time.perf_counter() - begun > _SECONDS and len(taken) > 2:
            break
    return float(np.median(taken))


def _answering(fitted: Fitted) -> Callable[[Domain], np.ndarray]:
    """What `acclimate predict` does with examples that have been read, sizes of pictures included."""
    return lambda domain: fitted.outputs(domain, keep_features=False).logits


def _parts(domain: Domain, size: int) -> Iterator[Domain]:
    for start in range(0, len(domain), size):
        yield domain.take(slice(start, start + size))


def _raw(leaving: Exit) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Examples as a form takes them: one by one, and in batches."""
    batches = list(leaving.examples())
    return [row[None] for batch in batches for row in batch][:_SINGLE], batches


def _own(run: Run) -> tuple[Domain, np.ndarray]:
    """The run's target and the answers that its labels give, those held out where there are any."""
    task = task_of_run(run)
    role = "target" if task.target_test is None else "target_test"
    domain = task.domains()[role]
    answers = None if task.hidden is None else getattr(task.hidden, role)
    return domain, np.full(len(domain), UNLABELLED) if answers is None else answers


def _known(data: Domain, fitted: Fitted) -> np.ndarray:
    """Labels as the model numbers them; what it does not know is no answer of its."""
    if not data.num_labelled:
        return np.full(len(data), UNLABELLED)
    data = in_answers(fitted.plan, data)
    names = together(fitted.plan.classes, data.classes)
    return np.asarray(places_in(names, data.classes)[data.labels])
