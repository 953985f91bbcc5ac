"""The contract of a view: what terminal and page say of a run that its problem decides. No view imports torch.

A run's `config.json` names its problem, and the problem's view is the class of that name in this folder. What a view
leaves out is as for adaptation, and a problem without a file here is told like that altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from acclimate import discovery
from acclimate.reports.answers import Answers, read_answers
from acclimate.reports.by_class import is_uneven
from acclimate.reports.told import Verdict
from acclimate.reports.wording import percent
from acclimate.runs.record import PLAIN, SHARED_COLUMNS, Run

ROLES_SCORED = ("target", "target_test")


@dataclass(frozen=True, slots=True)
class Scores:
    """A table of scores: what rows are of, the columns' names, each row's name and values, how values are written."""

    of: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    written: Callable[[float], str] = percent


class View:
    """Base of every view; it holds no state.

    Attributes:
        name: the problem's.
        baseline: what the baseline of a run learns from.
        others: what else may be trained beside a run learns from, by its folder.
        names_classes: whether a run's answers are classes, and not numbers.
    """

    name: ClassVar[str]
    baseline: ClassVar[str] = "source only"
    others: ClassVar[Mapping[str, str]] = {}
    names_classes: ClassVar[bool] = True

    def source(self, config: Mapping[str, Any]) -> str:
        """What was learnt from on the source's side."""
        return f"{config['task']['sizes']['source']:,} labelled examples of {called('source', config)}"

    def seen(self, config: Mapping[str, Any]) -> str:
        """How training saw the target's own examples."""
        given = config["task"]["labelled_target"]
        return f"target, {given:,} of its labels used in training" if given else "target, seen unlabelled in training"

    def verdict(self, run: Run) -> Verdict | None:
        """What the run shows; None where that is told by its answers, right and wrong."""
        return None

    def told(self, said: Verdict, run: Run, answers: Answers) -> Verdict:
        """The verdict by right and wrong answers, with what the problem has to add or to put first.

        Args:
            said: as for any problem.
            run: whose it is.
            answers: those that it is of.
        """
        return said

    def by_class(self, run: Run) -> Answers | None:
        """The answers, where classes differ so much in number that each is to be told; else None."""
        answers = read_answers(run)
        return answers if is_uneven(answers) else None

    def scores(self, run: Run) -> Scores | None:
        """The numbers to print, with those in which classes count alike where they differ in number; None if none."""
        after = (run.summary or {})["scores"]
        if not after:
            return None
        uneven = self.by_class(run) is not None
        scores = {**beside(run), run.config["method"]["title"]: after}
        rows = []
        for role, words in zip(ROLES_SCORED, (self.seen(run.config), "target, held out"), strict=True):
            if f"{role}_accuracy" not in after:
                continue
            called_by = {"accuracy": words}
            if uneven:
                called_by |= {"balanced_accuracy": "  mean recall of classes", "macro_f1": "  mean F1 of classes"}
            for name, its_name in called_by.items():
                if f"{role}_{name}" in after:
                    rows.append((its_name, tuple(score.get(f"{role}_{name}") for score in scores.values())))
        return Scores("accuracy on", tuple(scores), tuple(rows))

    def facts(self, run: Run) -> dict[str, Any]:
        """What `--json` has of such a run alone."""
        return {}

    def page(self, run: Run, classes: Sequence[str]) -> dict[str, object]:
        """What the page has of its own, or in another way."""
        return {}


def view_of(config: Mapping[str, Any]) -> View:
    """How a run with this `config.json` is told."""
    return _view(config["problem"])


@cache
def _view(problem: str) -> View:
    found = discovery.components("reports/views", "View").get(problem)
    view: View = View() if found is None else found.load()()
    return view


def baseline(config: Mapping[str, Any]) -> str:
    """What the baseline of a run with this `config.json` is trained on."""
    return "the model begun with" if config.get("begun_from") else view_of(config).baseline


def called(role: str, config: Mapping[str, Any]) -> str:
    """How to speak of a domain: the name it has, or the user's own path."""
    name = config["task"]["names"][role]
    path = config["request"].get(role)
    side = role.partition("_")[0]
    if name == role:
        return f"the {side} ({path})" if path else f"the {side}"
    return f"the {side} ({name})"


def beside(run: Run) -> dict[str, Mapping[str, float]]:
    """Scores of what was trained beside a run, by what it learnt from."""
    others = {baseline(run.config): run.baseline, "shared columns alone": run.beside(SHARED_COLUMNS)}
    others |= {words: run.beside(folder) for folder, words in view_of(run.config).others.items()}
    if (plain := run.beside(PLAIN)) is not None:
        others[plain.config["method"]["title"]] = plain
    return {name: other.summary["scores"] for name, other in others.items() if other and other.summary}
