"""A model in closed form as plain arrays: steps that NumPy takes one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Step = Sequence[Any]
_TINY = 1e-12


def arrays_runner(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Examples `(b, …)` to answers `(b, …)` by the steps and arrays of an .npz file."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    steps = json.loads(arrays.pop("steps").tobytes())
    return lambda examples: taken(steps, arrays, examples).astype(np.float32)


def taken(steps: Sequence[Step], arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """What becomes of x `(b, …)`.

    Args:
        steps: each the name of one of `STEPS` and what it is told: numbers, names of arrays, or further steps.
        arrays: by name.
        x: what goes into the first step.
    """
    for name, *told in steps:
        x = STEPS[name](arrays, x, *told)
    return x


def _linear(arrays: Mapping[str, np.ndarray], x: np.ndarray, weight: str, bias: str) -> np.ndarray:
    return np.asarray(x @ arrays[weight].T + arrays[bias])


def _scaled(arrays: Mapping[str, np.ndarray], x: np.ndarray, mean: str, std: str) -> np.ndarray:
    return np.asarray((x - arrays[mean]) / arrays[std])


def _filled(arrays: Mapping[str, np.ndarray], x: np.ndarray, fill: str, kept: str, marked: str) -> np.ndarray:
    missing = np.isnan(x)
    whole = np.where(missing, arrays[fill], x)[:, arrays[kept]]
    return np.concatenate([whole, missing[:, arrays[marked]].astype(x.dtype)], axis=1)


def _unit(_: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), _TINY))


def _columns(arrays: Mapping[str, np.ndarray], x: np.ndarray, inputs: str, places: str, width: int) -> np.ndarray:
    made = np.zeros((len(x), width), dtype=x.dtype)
    made[:, arrays[places]] = x[:, arrays[inputs]]
    return made


def _beside(arrays: Mapping[str, np.ndarray], x: np.ndarray, *ways: Sequence[Step]) -> np.ndarray:
    return np.concatenate([taken(steps, arrays, x) for steps in ways], axis=1)


def _product(
    arrays: Mapping[str, np.ndarray], x: np.ndarray, width: int, one: Sequence[Step], other: Sequence[Step], w: float
) -> np.ndarray:
    return _log_softmax(taken(one, arrays, x[:, :width])) + w * _log_softmax(taken(other, arrays, x[:, width:]))


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _neighbours(arrays: Mapping[str, np.ndarray], x: np.ndarray, rows: str, known: str, k: int) -> np.ndarray:
    alike = _unit(arrays, x) @ arrays[rows].T
    near = np.argsort(-alike, axis=1, kind="stable")[:, :k]
    same = np.take_along_axis(alike, near[:, :1], axis=1) > 1 - 1e-6
    of_near = arrays[known][near]
    return np.asarray(np.log(np.maximum(np.where(same, of_near[:, 0], of_near.mean(axis=1)), _TINY)))


def _largest_of_class(arrays: Mapping[str, np.ndarray], scores: np.ndarray, labels: str, unseen: str) -> np.ndarray:
    made = np.tile(arrays[unseen], (len(scores), 1))
    for label in np.unique(arrays[labels]):
        made[:, label] = scores[:, arrays[labels] == label].max(axis=1)
    return made


def _votes(arrays: Mapping[str, np.ndarray], margins: np.ndarray, voters: str, handicap: str) -> np.ndarray:
    first, of = (margins > 0).astype(np.float32), arrays[voters]
    return np.asarray(first @ (of > 0).T + (1 - first) @ (of < 0).T + arrays[handicap])


def _ngrams(numbers: np.ndarray, vocabulary: int, longest: int) -> list[np.ndarray]:
    """Keys of the n-grams of each row of numbers of words."""
    rows = []
    for row in numbers:
        known, keys = row > 1, row
        parts = [keys[known]]
        for length in range(2, longest + 1):
            last = row[length - 1 :]
            known, keys = known[:-1] & (last > 1), keys[:-1] * vocabulary + last
            parts.append(keys[known])
        rows.append(np.concatenate(parts))
    return rows


def _counted(
    arrays: Mapping[str, np.ndarray], numbers: np.ndarray, keys: str, vocabulary: int, longest: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Columns of the known n-grams that each row has, and how often."""
    table, found = arrays[keys], []
    for own in _ngrams(numbers, vocabulary, longest):
        places = np.searchsorted(table, own)
        there = places < len(table)
        there[there] = table[places[there]] == own[there]
        found.append(np.unique(places[there], return_counts=True))
    return found


def _tfidf(arrays: Mapping[str, np.ndarray], numbers: np.ndarray, keys: str, vocabulary: int, idf: str) -> np.ndarray:
    made = np.zeros((len(numbers), len(arrays[idf])), dtype=np.float32)
    for row, (columns, counts) in zip(made, _counted(arrays, numbers, keys, vocabulary, 2), strict=True):
        row[columns] = (1 + np.log(counts)) * arrays[idf][columns]
    return _unit(arrays, made)


def _present(
    arrays: Mapping[str, np.ndarray], numbers: np.ndarray, keys: str, vocabulary: int, width: int
) -> np.ndarray:
    made = np.zeros((len(numbers), width), dtype=np.float32)
    for row, (columns, _) in zip(made, _counted(arrays, numbers, keys, vocabulary, 2), strict=True):
        row[columns] = 1
    return made


def _layers(arrays: Mapping[str, np.ndarray], x: np.ndarray, *layers: Sequence[Step]) -> np.ndarray:
    """x, h_1, …, h_L side by side, each the tanh of a map of the one before."""
    parts = [x]
    for steps in layers:
        parts.append(np.tanh(taken(steps, arrays, parts[-1])))
    return np.concatenate(parts, axis=1)


def _said(
    arrays: Mapping[str, np.ndarray],
    numbers: np.ndarray,
    keys: str,
    vocabulary: int,
    longest: int,
    says: str,
    squares: str,
) -> np.ndarray:
    found = _counted(arrays, numbers, keys, vocabulary, longest)
    said = np.array([arrays[says][:, columns].sum(axis=1) for columns, _ in found])
    length = np.array([arrays[squares][:, columns].sum(axis=1) for columns, _ in found])
    return np.asarray(said / np.sqrt(np.where(length > 0, length, 1)))


def _opening(_: Mapping[str, np.ndarray], numbers: np.ndarray, longest: int, end: int) -> np.ndarray:
    head = numbers[:, :longest]
    return np.asarray(head * (np.cumsum(head == end, axis=1) == 0))


def _sum(arrays: Mapping[str, np.ndarray], x: np.ndarray, *ways: Sequence[Step]) -> np.ndarray:
    return np.asarray(sum(taken(steps, arrays, x) for steps in ways))


def _word_means(
    arrays: Mapping[str, np.ndarray], numbers: np.ndarray, words: str, start: int, end: int
) -> np.ndarray:
    sums = [arrays[words][row[row != 0], start:end].sum(axis=0) for row in numbers]
    return _unit(arrays, np.array(sums))


STEPS: dict[str, Callable[..., np.ndarray]] = {
    "linear": _linear,
    "scaled": _scaled,
    "filled": _filled,
    "stretched": lambda arrays, x, weight, bias: x * arrays[weight] + arrays[bias],
    "unit": _unit,
    "log1p": lambda arrays, x: np.log1p(x),
    "roots": lambda arrays, x: np.sqrt(np.maximum(x, 0)),
    "relu": lambda arrays, x, slope: np.where(x > 0, x, slope * x),
    "above 0": lambda arrays, x: (x > 0).astype(np.float32),
    "columns": _columns,
    "beside": _beside,
    "sum": _sum,
    "product": _product,
    "neighbours": _neighbours,
    "largest of class": _largest_of_class,
    "votes": _votes,
    "layers": _layers,
    "tfidf": _tfidf,
    "present": _present,
    "said": _said,
    "opening": _opening,
    "looked up": lambda arrays, x, name: arrays[name][x],
    "word means": _word_means,
}
