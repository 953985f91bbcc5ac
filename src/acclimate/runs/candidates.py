"""The models that run folders offer to an audit, and that they answer the same question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acclimate.errors import RequestError
from acclimate.runs.audits import Answers
from acclimate.runs.learning import learning
from acclimate.runs.record import Run

_FEWEST_CLASSES = 2


def candidates(runs: Sequence[Run]) -> list[Answers]:
    """The models to audit, first the one to keep when in doubt: a baseline among the runs or beside the first.

    Raises:
        RequestError: if a run is unfinished, finds photos, knows one class, or is of another task than the first.
    """
    split, classes = common(runs, "Audit each by itself: their answers are not to the same question.")
    titles = _titles(runs)
    found = [Answers(run, title, split, classes) for run, title in zip(runs, titles, strict=True)]
    baselines = [model for model in found if not adapts(model.run)]
    beside = next((run.baseline for run in runs if run.baseline is not None and run.baseline.summary), None)
    if baselines:
        return [baselines[0], *(model for model in found if model is not baselines[0])]
    if beside is None:
        return found
    return [Answers(beside, beside.config["method"]["title"], split, classes), *found]


def common(runs: Sequence[Run], fix: str) -> tuple[str, tuple[str, ...]]:
    """The split whose answers are audited and the classes, the same for all runs.

    Args:
        runs: at least one.
        fix: what to do with runs that have nothing in common.

    Raises:
        RequestError: if a run is unfinished, finds photos, knows one class, or is of another task than the first.
    """
    for run in runs:
        _check_answers(run)
    first = runs[0].config["task"]
    classes, split = _classes(runs[0]), _split(runs[0])
    for run in runs[1:]:
        theirs = run.config["task"]
        for what, ours, other in (
            ("tasks", (first["name"], first["sizes"].get(split)), (theirs["name"], theirs["sizes"].get(split))),
            ("classes", classes, _classes(run)),
        ):
            if ours != other:
                got = f"{runs[0].folder} of {_brief(ours)} and {run.folder} of {_brief(other)}"
                raise RequestError("runs", f"must not be of different {what}", got, fix)
    return split, classes


def _check_answers(run: Run) -> None:
    config = run.config
    if run.summary is None:
        fix = f"Go on with: acclimate resume {run.folder}"
        raise RequestError("run", "must be finished", repr(str(run.folder)), fix)
    if config["problem"] == "retrieval":
        method = config["method"]["name"]
        fix = "What it finds for a sketch is scored by held-out photos; see its report."
        raise RequestError("run", "must be of a method that tells classes apart", f"one of {method!r}", fix)
    if config["task"].get("bins") == []:
        fix = "No score without labels is known to hold for numbers; thirty labels tell: acclimate evaluate"
        raise RequestError(
            "run", "must be of a method that tells classes apart", f"{run.folder}, which predicts numbers", fix
        )
    if config["task"]["num_classes"] < _FEWEST_CLASSES:
        fix = "With one class accuracy cannot be told from how frequent it is."
        raise RequestError("run", "must tell two classes apart at least", config["task"]["classes"], fix)
    if not run.predictions_path.is_file():
        fix = "Train it again with acclimate adapt, or restore the file."
        raise RequestError("run", f"must have its {run.predictions_path.name}", repr(str(run.folder)), fix)


def _classes(run: Run) -> tuple[str, ...]:
    """What a model can answer. The names after these stem from the target's labels."""
    task = run.config["task"]
    return tuple(task["classes"][: task["num_classes"]])


def _split(run: Run) -> str:
    """Examples that no training saw, where there are any."""
    return "target_test" if "target_test" in run.config["task"]["sizes"] else "target"


def _titles(runs: Sequence[Run]) -> list[str]:
    """The method's title where it is one of a kind, and the folder with it where it is not."""
    titles = [run.config["method"]["title"] for run in runs]
    return [t if titles.count(t) == 1 else f"{t} ({run.folder})" for t, run in zip(titles, runs, strict=True)]


def adapts(run: Run) -> bool:
    """Whether its method learns from the target's examples."""
    return learning(run.config).from_target


def _brief(value: tuple[Any, ...]) -> str:
    text = ", ".join(map(str, value))
    return text if len(text) <= 200 else f"{text[:200]} …"
