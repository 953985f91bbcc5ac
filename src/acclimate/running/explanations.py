"""Which words carried a fitted model's answers: texts to look at, pivots, and what deleting those words does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.ragged import Ragged, to_texts
from acclimate.data.task import Task
from acclimate.data.text import UNKNOWN, TextPreprocess
from acclimate.data.words import words
from acclimate.metrics.deletion import deletion_curve
from acclimate.metrics.pivots import LEAST, pivots, surest_half
from acclimate.runs.files import write_atomically
from acclimate.runs.words import WordsOfText, groups, rounded
from acclimate.training.fitted import Fitted, softmax
from acclimate.training.inference import Explanations
from acclimate.types import UNLABELLED, Side

_CHUNK = 2_048
_PER_GROUP, _PER_GROUP_ALONE = 5, 12
_CURVE, _PIVOTS = 500, 10_000


def can_explain(fitted: Fitted, domain: Domain) -> bool:
    """Whether the model can tell which words carried its answers to such examples."""
    return domain.kind == "text" and fitted.explain(domain.take(slice(1))) is not None


def words_of_texts(
    fitted: Fitted,
    domain: Domain,
    labels: np.ndarray | None,
    classes: Sequence[str],
    side: Side = "target",
) -> Iterator[WordsOfText]:
    """Every text with the words that carried its answer, in order and a few at a time.

    Args:
        fitted: a model that `can_explain`.
        domain: texts in their raw form.
        labels: `(n,)` indices into `classes`, −1 where unknown; None if nobody knows any.
        classes: names of the model's classes, and of any further ones that labels use.
        side: whose texts they are.
    """
    known = np.full(len(domain), UNLABELLED) if labels is None else labels
    for start in range(0, len(domain), _CHUNK):
        part = slice(start, start + _CHUNK)
        ids = domain.ids[part] or tuple(str(row) for row in range(start, min(start + _CHUNK, len(domain))))
        chunk = replace(domain.take(part), ids=ids)
        yield from _words(fitted, chunk, known[part], classes, side)


def _words(
    fitted: Fitted, domain: Domain, labels: np.ndarray, classes: Sequence[str], side: Side
) -> Iterator[WordsOfText]:
    preprocess = fitted.plan.preprocess.of(side)
    assert isinstance(preprocess, TextPreprocess)
    stored = preprocess.fit(domain)
    logits = fitted.outputs(stored, side, keep_features=False).logits
    found = _explained(fitted, stored, side)
    for i, (text, numbers, p) in enumerate(zip(to_texts(domain.rows), stored.rows, softmax(logits), strict=True)):
        answer = int(p.argmax())
        contributions, offset = (None, None) if found.contributions is None else _for_answer(logits[i], found, i)
        spoken = words(text, preprocess.signs)
        yield WordsOfText(
            domain.ids[i],
            classes[answer],
            round(float(p[answer]), 6),
            None if labels[i] == UNLABELLED else classes[labels[i]],
            len(spoken),
            spoken[: len(numbers)],
            (numbers != UNKNOWN).tolist(),
            rounded(found.weights[i]),
            contributions,
            offset,
        )


def _explained(fitted: Fitted, domain: Domain, side: Side) -> Explanations:
    found = fitted.explain(domain, side)
    assert found is not None
    return found


def _for_answer(logits: np.ndarray, found: Explanations, i: int) -> tuple[list[float], float]:
    """What each word of text i adds to the answer's lead over the next best, and what the lead is without words."""
    assert found.contributions is not None
    first = int(logits.argmax())
    second = int(np.where(np.arange(len(logits)) == first, -np.inf, logits).argmax())
    parts = (found.contributions[i][:, first] - found.contributions[i][:, second]).astype(np.float64)
    lead = float(logits[first]) - float(logits[second])
    return rounded(parts), float(f"{lead - parts.sum():.6g}")


@dataclass(frozen=True, eq=False)
class Read:
    """Texts of one side that a model has answered.

    Attributes:
        domain: the texts in their raw form.
        labels: `(n,)` right answers, −1 where unknown.
        probabilities: `(n, k)`.
        side: whose they are.
    """

    domain: Domain
    labels: np.ndarray
    probabilities: np.ndarray
    side: Side

    @property
    def predicted(self) -> np.ndarray:
        """`(n,)` answers."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def confidence(self) -> np.ndarray:
        """`(n,)` probability of each answer."""
        return np.asarray(self.probabilities.max(axis=1))

    @property
    def scored(self) -> bool:
        """Whether any right answer is known."""
        return bool((self.labels != UNLABELLED).any())

    @property
    def right(self) -> np.ndarray:
        """`(n,)` 1 for a right answer, 0 for a wrong one, −1 where nobody knows."""
        return np.where(self.labels == UNLABELLED, -1, self.predicted == self.labels)

    def take(self, rows: np.ndarray) -> Read:
        """Some of them."""
        return Read(self.domain.take(rows), self.labels[rows], self.probabilities[rows], self.side)

    def drawn(self, most: int) -> Read:
        """At most so many of them, always the same."""
        if len(self.domain) <= most:
            return self
        return self.take(np.sort(np.random.default_rng(0).permutation(len(self.domain))[:most]))


def write_words(path: Path, fitted: Fitted, read: Read, classes: Sequence[str]) -> dict[str, list[WordsOfText]]:
    """Write every text's words as JSON Lines, atomically.

    Args:
        path: where.
        fitted: a model that `can_explain`.
        read: texts that it has answered.
        classes: names of the model's classes, and of any further ones that labels use.

    Returns:
        Those to look at, by group.
    """
    chosen = groups(read.confidence, read.right, _PER_GROUP_ALONE)
    wanted = {row for rows in chosen.values() for row in rows}
    kept: dict[int, WordsOfText] = {}

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8") as file:
            for row, text in enumerate(words_of_texts(fitted, read.domain, read.labels, classes, read.side)):
                file.write(json.dumps(text.as_json(), ensure_ascii=False, allow_nan=False) + "\n")
                if row in wanted:
                    kept[row] = text

    write_atomically(path, write)
    return {name: [kept[row] for row in rows] for name, rows in chosen.items()}


def words_of_run(fitted: Fitted, task: Task, shown: str, logits: np.ndarray) -> dict[str, Any] | None:
    """The content of `words.json`; None if the model cannot tell which words carried its answers, or has no source.

    For each side: some texts, right and wrong ones, certain and uncertain ones, held out where there are such; and
    the pivots of up to 10,000 of its texts, on the source those that were trained on. Then the deletion curve of up
    to 500 drawn target texts. Hidden labels only tell, after the fact, which answers were right.

    Args:
        fitted: the model.
        task: source and target.
        shown: role of the target texts to look at, `"target_test"` or `"target"`.
        logits: `(n, k)`, the model's answers to them.
    """
    if not task.has_source or not can_explain(fitted, task.source):
        return None
    labels = getattr(task.hidden, shown)
    domain = task.domains()[shown]
    known = np.full(len(domain), UNLABELLED) if labels is None else labels
    target = Read(domain, known, softmax(logits), "target")
    source = _answered(fitted, task.source)
    held_out = source if task.source_test is None else _answered(fitted, task.source_test)
    return {
        "classes": list(fitted.plan.classes),
        "source": {
            "name": held_out.domain.name,
            "groups": _groups(fitted, held_out, task.classes),
            "pivots": _pivots(fitted, source.drawn(_PIVOTS)),
        },
        "target": {
            "name": domain.name,
            "groups": _groups(fitted, target, task.classes),
            "pivots": _pivots(fitted, target.drawn(_PIVOTS)),
        },
        "deletion": _deletion(fitted, target.drawn(_CURVE)),
    }


def _answered(fitted: Fitted, source: Domain) -> Read:
    logits = fitted.outputs(source, "source", keep_features=False).logits
    return Read(source, source.labels, softmax(logits), "source")


def _groups(fitted: Fitted, read: Read, classes: Sequence[str]) -> dict[str, Any]:
    """Texts to look at, by group."""
    found: dict[str, Any] = {}
    for name, rows in groups(read.confidence, read.right, _PER_GROUP).items():
        part = read.take(np.array(rows))
        found[name] = [t.as_json() for t in words_of_texts(fitted, part.domain, part.labels, classes, read.side)]
    return found


def _pivots(fitted: Fitted, read: Read) -> dict[str, Any]:
    """Pivots of the texts that the model is surest of and, where that is known, right about."""
    surest = surest_half(read.confidence, read.predicted)
    part = read.take(surest & (read.right == 1) if read.scored else surest)
    preprocess = fitted.plan.preprocess.of(read.side)
    assert isinstance(preprocess, TextPreprocess)
    stored = preprocess.fit(part.domain)
    weights = _explained(fitted, stored, read.side).weights
    top = [_most_attended(preprocess, numbers, w) for numbers, w in zip(stored.rows, weights, strict=True)]
    found = pivots(top, part.predicted.tolist(), len(fitted.plan.classes))
    return {
        "name": read.domain.name,
        "texts": len(part.domain),
        "of": len(read.domain),
        "scored": read.scored,
        "least": LEAST,
        "words": [[[word, n] for word, n in row] for row in found],
    }


def _most_attended(preprocess: TextPreprocess, numbers: np.ndarray, weights: np.ndarray) -> str | None:
    """The word of a text with the most weight; None where there is none, or it is not in the vocabulary."""
    if not len(weights) or (number := int(numbers[weights.argmax()])) == UNKNOWN:
        return None
    return preprocess.words[number - 2]


def _deletion(fitted: Fitted, read: Read) -> dict[str, Any]:
    stored = fitted.plan.preprocess.of(read.side).fit(read.domain)

    def answer(rows: Ragged) -> np.ndarray:
        return softmax(fitted.outputs(replace(stored, inputs=rows), read.side, keep_features=False).logits)

    weights = _explained(fitted, stored, read.side).weights
    curve = deletion_curve(stored.rows, weights, answer, read.labels)
    return {"name": read.domain.name, **curve.as_json()}
