"""How partial adaptation is told: which classes seem absent, and what alignment that takes none for absent gives."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from acclimate.reports.answers import Answers
from acclimate.reports.told import Verdict
from acclimate.reports.views.base import View
from acclimate.reports.wording import counted, percent
from acclimate.runs.record import PLAIN, Run
from acclimate.runs.scores import scored_by

# Answered less than this share of what the source's would give, where so many answers were to be expected. The same
# marks tell of a collapse where all classes are to be there.
_ABSENT, _EXPECTED = 0.1, 8.0
_NAMED = 10


class PartialView(View):
    """Adaptation to a target that lacks classes of the source."""

    name: ClassVar[str] = "partial"

    def told(self, said: Verdict, run: Run, answers: Answers) -> Verdict:
        """With the classes that seem absent, and the plain method's score."""
        return replace(said, sentences=(*said.sentences, _absence(run, answers), *_plain(run)))


def seem_absent(answers: np.ndarray, source_counts: np.ndarray) -> np.ndarray:
    """Indices of the source's classes that a target seems to lack: hardly any answer is one of them.

    Args:
        answers: class indices `(n,)` on the target.
        source_counts: labelled examples of each class, `(k,)`.
    """
    expected = source_counts / max(1, source_counts.sum()) * len(answers)
    found = np.bincount(answers, minlength=len(source_counts))[: len(source_counts)]
    return np.flatnonzero((expected >= _EXPECTED) & (found < _ABSENT * expected))


def _absence(run: Run, answers: Answers) -> str:
    counts = np.array(run.config["task"]["source_counts"] or [0])
    absent = seem_absent(answers.after.predicted, counts)
    among = counted(len(counts), "class", "classes")
    if not len(absent):
        return (
            f"None of the {among} seems absent from the target: each is answered at least a tenth as often as its "
            "share of the source suggests, or is too rare there to tell."
        )
    named = ", ".join(f"“{answers.classes[c]}”" for c in absent[:_NAMED]) + ", …" * (len(absent) > _NAMED)
    return (
        f"{len(absent)} of {among} {'seems' if len(absent) == 1 else 'seem'} absent from the target: {named}. Each "
        "has less than a tenth of the answers that its share of the source would give. No label was asked; a class "
        "that is there and always taken for others looks the same."
    )


def _plain(run: Run) -> tuple[str, ...]:
    """What the method that takes no class for absent is right on."""
    beside, own = run.beside(PLAIN), (run.summary or {}).get("scores", {})
    scored = scored_by(own)
    if beside is None or beside.summary is None or scored not in beside.summary["scores"]:
        return ()
    title, share = beside.config["method"]["title"], beside.summary["scores"][scored]
    return (f"{title}, which takes the source's classes to be all there, is right on {percent(share)}.",)
