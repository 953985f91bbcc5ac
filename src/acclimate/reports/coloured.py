"""Texts whose words are shaded by their weight: what a template needs to show them to everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from acclimate.reports.drawing import shortened
from acclimate.reports.wording import capital, counted, percent
from acclimate.runs.words import WordsOfText

GROUPS = {
    "right certain": "Right and most certain",
    "wrong certain": "Wrong and most certain",
    "right uncertain": "Right and least certain",
    "wrong uncertain": "Wrong and least certain",
    "certain": "Most certain",
    "uncertain": "Least certain",
}
# From these shares of a text's largest weight on, a word is shaded one level deeper.
_LEVELS = (0.1, 0.25, 0.5, 0.75)
_LONGEST_WORD, _LONGEST_NAME = 40, 60
_TOP = 3
# Around a word in a sentence of ours, so that one written from right to left does not turn its neighbours round.
_FIRST_STRONG, _POP = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True)
class Word:
    """One word.

    Attributes:
        text: cut where it is longer than any word.
        level: 0 for no shade to 4 for the deepest.
        sign: `"for"` the answer, `"against"` it, or `"either"` where nobody can tell.
        known: whether it is in the vocabulary.
        title: its weight and sign in words; empty at level 0.
    """

    text: str
    level: int
    sign: str
    known: bool
    title: str


@dataclass(frozen=True, slots=True)
class Coloured:
    """One text to show.

    Attributes:
        name: of the example.
        predicted: the answer.
        confidence: its probability.
        label: the right answer; None where nobody knows.
        right: whether both agree; None where nobody knows.
        words: those that are shown.
        carried: the words of the largest weight, in a sentence.
        cut: what is not shown or was not read, in a sentence; empty where nothing is missing.
    """

    name: str
    predicted: str
    confidence: float
    label: str | None
    right: bool | None
    words: list[Word]
    carried: str
    cut: str


def coloured(text: WordsOfText, most: int) -> Coloured:
    """A text ready to be shown, with its first `most` words."""
    largest = max(text.weights, default=0.0)
    words = [_word(text, i, largest) for i in range(min(most, len(text.tokens)))]
    return Coloured(
        shortened(text.id, _LONGEST_NAME),
        shortened(text.predicted, _LONGEST_NAME),
        text.confidence,
        None if text.label is None else shortened(text.label, _LONGEST_NAME),
        text.right,
        words,
        _carried(text),
        _cut(text, most),
    )


def _word(text: WordsOfText, i: int, largest: float) -> Word:
    share = text.weights[i] / largest if largest > 0 else 0.0
    level = sum(share >= least for least in _LEVELS)
    sign = _sign(text, i)
    title = f"weight {percent(text.weights[i])}{_spoken(sign)}" if level else ""
    return Word(shortened(text.tokens[i], _LONGEST_WORD), level, sign, text.known[i], title)


def _sign(text: WordsOfText, i: int) -> str:
    if text.contributions is None:
        return "either"
    return "against" if text.contributions[i] < 0 else "for"


def _spoken(sign: str) -> str:
    return {"for": " for the answer", "against": " against the answer"}.get(sign, "")


def _carried(text: WordsOfText) -> str:
    """The words of the largest weight, for those who cannot see colours, or the page."""
    if not text.tokens:
        return "A text without words: this is what the model answers to nothing."
    together: dict[str, list[int]] = {}
    for i, token in enumerate(text.tokens):
        together.setdefault(token, []).append(i)
    heaviest = sorted(together.values(), key=lambda places: -sum(text.weights[i] for i in places))[:_TOP]
    named = ", ".join(_share(text, places) for places in heaviest)
    return f"Most weight: {named}; {counted(len(text.tokens), 'word')} read."


def _share(text: WordsOfText, places: Sequence[int]) -> str:
    """A word with the weight of all its places."""
    weight = percent(sum(text.weights[i] for i in places))
    times = f" ({len(places)} times)" if len(places) > 1 else ""
    against = text.contributions is not None and sum(text.contributions[i] for i in places) < 0
    word = shortened(text.tokens[places[0]], _LONGEST_WORD)
    return f"“{_FIRST_STRONG}{word}{_POP}”{times} {weight}{_spoken('against') if against else ''}"


def _cut(text: WordsOfText, most: int) -> str:
    read, shown = len(text.tokens), min(most, len(text.tokens))
    parts = []
    if shown < read:
        parts.append(f"{read - shown:,} more were read")
    if read < text.length:
        parts.append(f"{text.length - read:,} more were not read")
    return f"The first {counted(shown, 'word')} of {text.length:,}; {' and '.join(parts)}." if parts else ""


def signed(texts: Sequence[WordsOfText]) -> bool:
    """Whether colours can tell words for an answer from words against it."""
    return any(text.contributions is not None for text in texts)


def group_title(name: str) -> str:
    """What a group of texts is called."""
    return GROUPS.get(name, capital(name))
