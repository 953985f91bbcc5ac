"""How open-set adaptation is told: known classes told apart, and the unknown from them, as one H-score."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from acclimate.metrics.open_set import h_difference_interval, open_set_scores
from acclimate.reports.answers import Answers, Model
from acclimate.reports.told import Tile, Verdict
from acclimate.reports.views.base import ROLES_SCORED, Scores, View, beside
from acclimate.reports.wording import percent, points
from acclimate.runs.record import Run

_TOLD = (
    ("h_score", "H-score"),
    ("os_star", "known classes (OS*)"),
    ("unk", "unknown (UNK)"),
    ("accuracy", "accuracy"),
)


class OpenSetView(View):
    """Adaptation to a target with classes that the source does not know."""

    name: ClassVar[str] = "open-set"
    baseline: ClassVar[str] = "source only with a threshold"

    def told(self, said: Verdict, run: Run, answers: Answers) -> Verdict:
        """The H-score first, where labels tell it; else how much is called unknown."""
        if (scores := _scores(answers, answers.after)) is None:
            return replace(said, sentences=(*said.sentences, _called_unknown(answers)))
        before = None if answers.before is None else _scores(answers, answers.before)
        sentences = [_in_words(scores), *([] if before is None else _compared(answers, scores, before))]
        without = f"{percent(before['h_score'])} without adaptation" if before else ""
        tiles = (
            Tile("H-score", percent(scores["h_score"]), without),
            Tile("Known classes", percent(scores["os_star"]), "mean recall (OS*)"),
            Tile("Unknown", percent(scores["unk"]), "recall (UNK)"),
        )
        headline = _headline(answers, scores, before)
        return Verdict(headline, (*sentences, *said.sentences), (*tiles, *said.tiles))

    def scores(self, run: Run) -> Scores | None:
        """H-score and its two parts, then accuracy, by role."""
        after = (run.summary or {})["scores"]
        if not after:
            return None
        scores = {**beside(run), run.config["method"]["title"]: after}
        rows = [
            (f"{its_name}, {words}", tuple(score.get(f"{role}_{name}") for score in scores.values()))
            for role, words in zip(ROLES_SCORED, (self.seen(run.config), "target, held out"), strict=True)
            for name, its_name in _TOLD
            if f"{role}_{name}" in after
        ]
        return Scores("score", tuple(scores), tuple(rows))


def _scores(answers: Answers, model: Model) -> dict[str, float] | None:
    found = open_set_scores(model.predicted, answers.labels, len(answers.classes))
    return found or None


def _called_unknown(answers: Answers) -> str:
    share = float((answers.after.predicted == len(answers.classes) - 1).mean())
    return f"{percent(share)} of the answers are “{answers.classes[-1]}”: classes that the source does not have."


def _in_words(scores: dict[str, float]) -> str:
    return (
        f"Of an average known class {percent(scores['os_star'])} of the examples are found (OS*), of the unknown "
        f"{percent(scores['unk'])} are called so (UNK). Harmonic mean, the H-score: {percent(scores['h_score'])}."
    )


def _compared(answers: Answers, scores: dict[str, float], before: dict[str, float]) -> list[str]:
    low, high = _interval(answers)
    return [
        f"With a threshold upon the source alone it is {percent(before['h_score'])}: a difference of "
        f"{points(scores['h_score'] - before['h_score'])} points (95 % interval {points(low)} to {points(high)}, "
        "by resampling the examples of each class)."
    ]


def _interval(answers: Answers) -> tuple[float, float]:
    assert answers.before is not None, "compared with nothing"
    right = np.stack([answers.right(answers.before), answers.right(answers.after)])
    return h_difference_interval(right, answers.labels[answers.known])


def _headline(answers: Answers, scores: dict[str, float], before: dict[str, float] | None) -> str:
    if before is None:
        return f"H-score {percent(scores['h_score'])} on the target"
    numbers = f"H-score {percent(scores['h_score'])} on the target, {percent(before['h_score'])} without it"
    low, high = _interval(answers)
    if low <= 0 <= high:
        return f"Adaptation made no clear difference: {numbers}"
    return f"Adaptation {'helped' if low > 0 else 'hurt'}: {numbers}"
