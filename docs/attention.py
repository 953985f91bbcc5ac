"""The page of words that carried answers: deletion curves and pivots by pair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cells import left_table, table

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


def pivots_page(results: Path) -> str:
    """Deletion curves and pivots of every pair of products, by method."""
    methods = measured(results)
    lines = ["# Words that carried answers", "", "Generated from `benchmarks/results/attention`; do not edit.", ""]
    if not methods:
        return "\n".join([*lines, "Not measured yet.", ""])
    lines += ["How to see those of your own texts: [texts](texts.md#which-words-carried-it).", ""]
    lines += ["## Does it matter what is attended to?", ""]
    first = next(iter(methods[0]["pairs"].values()))["deletion"]
    lines += [
        f"Accuracy in percent, mean over the pairs, once words of {first['texts']} held-out target texts of each"
        f" pair are deleted: those with the largest weights, or random ones ({first['draws']} draws). Weights are"
        " attention for `amn`, and the size of a word's share in the answer for the others.",
        "",
        *table(*deletion_rows(methods)),
        "",
    ]
    told = ["`{}` on {} of {}".format(found["method"], *faster(found)) for found in methods]
    lines += [f"Pairs on which the weightiest words matter more at every number deleted: {', '.join(told)}.", ""]
    lines += ["![Accuracy by words deleted](pictures/deletion.svg)", ""]
    for found in methods:
        lines += _pivot_lines(found)
    return "\n".join(lines)


def _pivot_lines(found: dict[str, Any]) -> list[str]:
    """One method's section of the page of pivots."""
    headings = ["pair", "answer", "on both sides, source/target", "on the target only"]
    return [
        f"## Pivots of `{found['method']}`",
        "",
        f"The word with the largest weight ({WEIGHTS[found['method']]}) in each text that the model is"
        " surest of and right about: how many texts of the source, and of the target, have it so. Stop words and"
        " negations are left out, and words that lead fewer than five texts.",
        "",
        *left_table(headings, pivot_rows(found)),
        "",
        f"Replay: `{found['command']}`, after the comparison that it reads.",
        "",
    ]
