"""Which words carried the answers: the section of a run's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acclimate.errors import WorkError
from acclimate.reports import figures
from acclimate.reports.coloured import Coloured, coloured, group_title, signed
from acclimate.reports.drawing import svg
from acclimate.reports.sections import Shown
from acclimate.reports.wording import capital, counted, percent
from acclimate.runs.record import Run
from acclimate.runs.words import WordsOfText

_SHOWN = 100
_OPEN = ("right certain", "wrong certain", "certain")
_TOLD = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Texts of one kind; `open` if they are to be seen at once."""

    title: str
    texts: list[Coloured]
    open: bool


@dataclass(frozen=True, slots=True)
class SideOfWords:
    """One domain: which side, its name, and its groups of texts."""

    side: str
    name: str
    groups: list[Group]


@dataclass(frozen=True, slots=True)
class Pivot:
    """A word, how often it was the most attended one, and whether it is that on both sides."""

    word: str
    count: int
    shared: bool


@dataclass(frozen=True, slots=True)
class WordsSection:
    """Everything the section shows.

    Attributes:
        finding: what deleting words says about attention.
        curves: figures of it.
        sides: texts of the source, then the target.
        signed: whether colours tell words for an answer from words against it.
        pivots: for each class its name, then the pivots of source and target.
        pivots_of: how pivots were counted, in a sentence.
    """

    finding: str
    curves: list[Shown]
    sides: list[SideOfWords]
    signed: bool
    pivots: list[tuple[str, list[Pivot], list[Pivot]]]
    pivots_of: str


def words_section(run: Run) -> WordsSection | None:
    """The section of a run's page; None for models that cannot tell.

    Raises:
        WorkError: if `words.json` is damaged.
    """
    content = run.words
    if content is None:
        return None
    try:
        return _section(content)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise WorkError(f"{run.words_path} is not as acclimate writes it: {what}") from None


def _section(content: Mapping[str, Any]) -> WordsSection:
    groups = {side: _texts(content[side]["groups"]) for side in ("source", "target")}
    every = [text for side in groups.values() for texts in side.values() for text in texts]
    return WordsSection(
        deletion_finding(content["deletion"]),
        _curves(content["deletion"]),
        [_side(side, content[side]["name"], groups[side]) for side in groups],
        signed(every),
        _pivots(content),
        _pivots_of(content),
    )


def _texts(stored: Mapping[str, Any]) -> dict[str, list[WordsOfText]]:
    return {name: [WordsOfText.from_json(row) for row in rows] for name, rows in stored.items()}


def _side(side: str, name: str, groups: Mapping[str, Sequence[WordsOfText]]) -> SideOfWords:
    ordered = sorted(groups, key=lambda group: group not in _OPEN)
    return SideOfWords(
        capital(side),
        name,
        [
            Group(group_title(group), [coloured(text, _SHOWN) for text in groups[group]], group in _OPEN)
            for group in ordered
        ],
    )


def _pivots(content: Mapping[str, Any]) -> list[tuple[str, list[Pivot], list[Pivot]]]:
    rows = []
    for i, name in enumerate(content["classes"]):
        source, target = (content[side]["pivots"]["words"][i] for side in ("source", "target"))
        both = {word for word, _ in source} & {word for word, _ in target}
        rows.append((name, *([Pivot(w, n, w in both) for w, n in words] for words in (source, target))))
    return rows


def _pivots_of(content: Mapping[str, Any]) -> str:
    """How pivots were counted."""
    source, target = (content[side]["pivots"] for side in ("source", "target"))
    wrong = "wrong answers are left out" if target["scored"] else "wrong answers on the source are left out"
    return (
        f"The most attended word of each text, counted by answer where it comes up {source['least']} times or more, "
        f"over the half of each answer’s texts that the model is surest of; {wrong}. That is {source['texts']:,} of "
        f"{counted(source['of'], 'text')} of the source and {target['texts']:,} of {target['of']:,} of the target. "
        "Stop words, negations and signs do not count, and a word of several answers stands with the one that has it "
        "most often. No tagger is asked for adjectives, adverbs and verbs, so nouns stay."
    )


def deletion_finding(found: Mapping[str, Any]) -> str:
    """What deleting words says about attention, with its numbers."""
    at = found["deleted"].index(_TOLD) if _TOLD in found["deleted"] else len(found["deleted"]) // 2
    k, reach = found["deleted"][at], found["gap_ci95"][at]
    falls = [found[way]["confidence"][0] - found[way]["confidence"][at] for way in ("attended", "random")]
    numbers = (
        f"deleting the {counted(k, 'most attended word')} of a text {_changes(falls[0])} the confidence in its "
        f"answer by {100 * abs(falls[0]):.1f} points, deleting {k} random ones {_changes(falls[1])} it by "
        f"{100 * abs(falls[1]):.1f} (mean of {counted(found['texts'], 'text')} of the target; difference "
        f"{100 * found['gap'][at]:.1f} ± {100 * reach:.1f}, 95\u00a0% interval)".replace("-", "−")
    )
    if found["gap"][at] <= reach:
        return f"Attention did not matter more than chance: {numbers}."
    return f"The answers rest on the words that are attended: {numbers}.{_accuracy(found, at)}"


def _changes(fall: float) -> str:
    return "lowers" if fall >= 0 else "raises"


def _accuracy(found: Mapping[str, Any], at: int) -> str:
    attended, random = (found[way]["accuracy"] for way in ("attended", "random"))
    if attended is None:
        return ""
    return (
        f" Accuracy goes from {percent(attended[0])} to {percent(attended[at])}, with random words to "
        f"{percent(random[at])}."
    )


def _curves(found: Mapping[str, Any]) -> list[Shown]:
    panels = [("confidence", "Confidence in the first answer, %")]
    if found["attended"]["accuracy"] is not None:
        panels.append(("accuracy", "Accuracy, %"))
    shown = []
    for key, heading in panels:
        attended, random = found["attended"][key], found["random"][key]
        figure = figures.deletion_figure(found["deleted"], attended, random, heading)
        words = (
            f"{heading} over the number of deleted words: from {100 * attended[0]:.1f} to {100 * attended[-1]:.1f} "
            f"for the most attended, to {100 * random[-1]:.1f} for random ones."
        )
        shown.append(Shown(svg(figure, words)))
    return shown
