"""How regression is told: errors in the user's units, beside those on held-out source examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from acclimate.reports.answers import Answers
from acclimate.reports.number_figures import numbers_section
from acclimate.reports.numbers import Numbers, judged, read_numbers
from acclimate.reports.told import Tile, Verdict
from acclimate.reports.views.base import ROLES_SCORED, Scores, View, beside
from acclimate.reports.wording import number, percent
from acclimate.runs.record import Run

_TOLD = (("mae", "mean absolute error"), ("rmse", "root mean squared error"), ("r2", "R²"))
_CANNOT_TELL = (
    "No score or estimate without labels is known to hold for numbers, so how wrong the answers on the target are "
    "cannot be told; thirty labelled target examples tell (acclimate evaluate)."
)


class RegressionView(View):
    """Numbers asked for."""

    name: ClassVar[str] = "regression"
    names_classes: ClassVar[bool] = False

    def verdict(self, run: Run) -> Verdict | None:
        """Errors on the target where its numbers are known, and on held-out source examples."""
        found = read_numbers(run)
        return number_verdict(judged(found), found.get("source_test"))

    def by_class(self, run: Run) -> Answers | None:
        """Nothing: there are no classes."""
        return None

    def scores(self, run: Run) -> Scores | None:
        """MAE, RMSE and R² by role."""
        after = (run.summary or {})["scores"]
        scores = {**beside(run), run.config["method"]["title"]: after}
        roles = zip((*ROLES_SCORED, "source_test"), (self.seen(run.config), *_HELD_OUT), strict=True)
        rows = [
            (f"{its_name}, {words}", tuple(score.get(f"{role}_{name}") for score in scores.values()))
            for role, words in roles
            for name, its_name in _TOLD
            if f"{role}_{name}" in after
        ]
        return Scores("error", tuple(scores), tuple(rows), number) if rows else None

    def facts(self, run: Run) -> dict[str, Any]:
        """The interval around every answer."""
        margins = judged(read_numbers(run)).margins
        return {"margins": margins and {"low": margins[0], "high": margins[1], "level": 0.9}}

    def page(self, run: Run, classes: Sequence[str]) -> dict[str, object]:
        """Answers against truth, and errors on the source, in place of all that is told of classes."""
        return {"numbers": numbers_section(read_numbers(run), run.config["method"]["title"])}


_HELD_OUT = ("target, held out", "source, held out")


def number_verdict(target: Numbers, source: Numbers | None) -> Verdict:
    """What answers that are numbers show.

    Args:
        target: the answers on it.
        source: those on held-out source examples, if there are any.
    """
    own = {} if source is None else source.scores
    sentences, tiles = [*_interval_in_words(target)], []
    if own:
        tiles.append(Tile("Held-out source", number(own["mae"]), "mean absolute error, no step trained on it"))
    if not (after := target.scores):
        headline = "Whether adaptation helped cannot be told: no number of the target is known"
        return Verdict(headline, (_CANNOT_TELL, *sentences), tuple(tiles))
    before = target.scores_before
    without = f"{number(before['mae'])} without adaptation" if before else f"{target.known.sum():,} examples"
    tiles = [
        Tile("Target", number(after["mae"]), f"mean absolute error, {without}"),
        *([Tile("R² on the target", number(after["r2"]), "1 is best, 0 is its mean")] if "r2" in after else []),
        *tiles,
    ]
    return Verdict(_headline(target, after, before), (*_compared(target), *sentences), tuple(tiles))


def _headline(target: Numbers, after: Mapping[str, float], before: Mapping[str, float]) -> str:
    told = f"mean absolute error {number(after['mae'])} on the target"
    if not before:
        return told[0].upper() + told[1:]
    told = f"{told}, {number(before['mae'])} without it"
    _, low, high = target.gain()
    if low <= 0 <= high:
        return f"Adaptation made no clear difference: {told}"
    return f"Adaptation {'helped' if low > 0 else 'hurt'}: {told}"


def _compared(target: Numbers) -> list[str]:
    if target.before is None:
        return []
    gain, low, high = target.gain()
    return [
        f"On {target.known.sum():,} labelled target examples the mean absolute error is {number(abs(gain))} "
        f"{'smaller' if gain >= 0 else 'larger'} than without adaptation (95 % interval of what is gained: "
        f"{number(low)} to {number(high)}, by resampling the examples)."
    ]


def _interval_in_words(target: Numbers) -> list[str]:
    if target.margins is None:
        return ["Too few source examples were held out to give each answer an interval."]
    low, high = target.margins
    made = (
        f"Each answer has an interval, from {number(low)} to {number(high)} around it, which holds 90 % of "
        "such source examples as were held out."
    )
    if not target.known.any():
        return [f"{made} Whether it holds as many of the target cannot be told."]
    return [f"{made} On the target it holds {percent(target.covered)}."]
