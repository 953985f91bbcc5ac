"""The page of words that carried answers: deletion curves and pivots by pair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

Found = dict[str, Any]
# Order of the methods, and what their weights are.
WEIGHTS = {
    "amn": "attention",
    "ngram-memory": "size of a word's share in the answer",
    "tfidf": "size of a word's share in the answer",
}
_SHARED, _NEW = 8, 5


def measured(results: Path) -> list[Found]:
    """What was found of each method that has been looked at, in the order of `WEIGHTS`."""
    paths = [results / "attention" / f"{name}.json" for name in WEIGHTS]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]


def mean_curve(found: Found, kind: str, score: str) -> np.ndarray:
    """A deletion curve's mean over the pairs, `(points,)`."""
    return np.mean([pair["deletion"][kind][score] for pair in found["pairs"].values()], axis=0)


def faster(found: Found) -> tuple[int, int]:
    """On how many pairs accuracy falls faster with the weightiest words, at every number of them; and of how many."""
    falls = [
        np.all(np.less(pair["deletion"]["attended"]["accuracy"][1:], pair["deletion"]["random"]["accuracy"][1:]))
        for pair in found["pairs"].values()
    ]
    return int(sum(falls)), len(falls)


def deletion_rows(methods: list[Found]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of what is left of accuracy, in percent, once words are deleted."""
    deleted = next(iter(methods[0]["pairs"].values()))["deletion"]["deleted"]
    kinds = {"attended": "weightiest", "random": "random"}
    body = [
        [f"`{found['method']}`, {words}", *(f"{100 * value:.1f}" for value in mean_curve(found, kind, "accuracy"))]
        for found in methods
        for kind, words in kinds.items()
    ]
    return ["words deleted", *map(str, deleted)], body


def pivot_rows(found: Found) -> list[list[str]]:
    """For each pair and class: pivots of both sides, and those that only the target has."""
    rows = []
    for pair, words in found["pairs"].items():
        for k, name in enumerate(words["classes"]):
            source, target = dict(words["source"]["words"][k]), dict(words["target"]["words"][k])
            shared = sorted(source.keys() & target.keys(), key=lambda word: (-min(source[word], target[word]), word))
            new = [word for word in target if word not in source]
            rows.append(
                [
                    f"`{pair}`" if k == 0 else "",
                    name,
                    ", ".join(f"{word} {source[word]}/{target[word]}" for word in shared[:_SHARED]) or "–",
                    ", ".join(f"{word} {target[word]}" for word in new[:_NEW]) or "–",
                ]
            )
    return rows
