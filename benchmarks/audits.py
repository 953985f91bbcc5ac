"""How well audits of 40 labels do: in simulated worlds of known accuracy, and on public features.

    python benchmarks/audits.py worlds     10,000 audits in each of 49 worlds
    python benchmarks/audits.py choices    20 audits on each of 54 tasks with six candidates

Writes benchmarks/results/audits/worlds.json and choices.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from acclimate.metrics.intervals import wilson_interval
from acclimate.runs.machine import machine
from acclimate.selection.audit import GUARD, Audit
from acclimate.selection.design import strata_of
from acclimate.selection.intervals import stratified_interval
from audits_bank import Candidates, bank

RESULTS = Path(__file__).parent / "results" / "audits"
ITEMS, AUDITS, EXAMPLES, CLASSES = 40, 10_000, 1_000, 10
ACCURACIES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
# How far logits of being right spread, and by what the model's own are larger.
MODELS = {
    "calibrated, sharp": (3.0, 1.0),
    "calibrated, vague": (1.5, 1.0),
    "calibrated, the same everywhere": (0.0, 1.0),
    "over-confident, sharp": (3.0, 3.0),
    "over-confident, vague": (1.5, 3.0),
    "surest where it is wrong": (1.5, -1.0),
    "one class surely wrong": (1.5, 1.0),
}
_SEEDS, _DIFFERENCES = 20, (-1.0, 0.0, 1.0)


def world(model: str, accuracy: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether a model is right `(n,)`, how sure it is and which class it answers."""
    spread, larger = MODELS[model]
    rng = np.random.default_rng([list(MODELS).index(model), round(1000 * accuracy)])
    logits, answers = rng.normal(size=EXAMPLES) * spread, rng.integers(CLASSES, size=EXAMPLES)
    logits += brentq(lambda shift: expit(logits + shift).mean() - accuracy, -30, 30)
    right = rng.random(EXAMPLES) < expit(logits)
    sure = expit(larger * logits + (2 if larger > 1 else 0))
    if model.startswith("one class"):
        right[answers == 0] = False
        sure[answers == 0] = 0.99
    return right, 1 / CLASSES + (1 - 1 / CLASSES) * sure, answers


def audited(right: np.ndarray, sure: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """The intervals `(audits, 2)` that so many audits of a world come to.

    A systematic draw takes of every answered class a number that the start alone decides, and those at random; so the
    counts of right ones can be drawn for all audits at once.
    """
    rng = np.random.default_rng(0)
    groups, taken = strata_of(answers[None], sure[None], ITEMS, rng)
    found = np.stack([_systematic(right[g], answers[g], n, rng) for g, n in zip(groups, taken, strict=True)], axis=1)
    different, which = np.unique(found, axis=0, return_inverse=True)
    counts = np.stack([np.array(taken) - different, different], axis=-1)
    return stratified_interval(counts, np.array([len(group) for group in groups]))[which.ravel()]


def _systematic(right: np.ndarray, answers: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """How many right ones `(audits,)` are among n of a stratum."""
    sizes = np.bincount(answers, minlength=CLASSES)
    good = np.bincount(answers, weights=right, minlength=CLASSES).astype(int)
    turn = rng.permuted(np.tile(np.arange(CLASSES), (AUDITS, 1)), axis=1)
    ends = np.cumsum(sizes[turn], axis=1)
    start = rng.random((AUDITS, 1))
    met = np.ceil(ends * n / len(right) - start) - np.ceil((ends - sizes[turn]) * n / len(right) - start)
    return rng.hypergeometric(good[turn], (sizes - good)[turn], met.astype(int)).sum(axis=1)


def random_samples(right: np.ndarray, audits: int) -> np.ndarray:
    """Wilson's intervals `(audits, 2)` of simple random samples of the same size."""
    rng, n = np.random.default_rng(1), min(ITEMS, len(right))
    table = np.array([wilson_interval(successes, n) for successes in range(n + 1)])
    return table[rng.hypergeometric(int(right.sum()), int((~right).sum()), n, size=audits)]


def told(ends: np.ndarray, truth: float) -> dict[str, float]:
    """How often intervals hold the truth, and how wide they are."""
    holds = (ends[:, 0] <= truth + 1e-9) & (ends[:, 1] >= truth - 1e-9)
    return {"coverage": float(holds.mean()), "width": float(np.ptp(ends, axis=1).mean())}


def worlds() -> Iterator[dict[str, object]]:
    """Every world's figures."""
    for model in MODELS:
        for accuracy in ACCURACIES:
            right, sure, answers = world(model, accuracy)
            ours = told(audited(right, sure, answers), right.mean())
            theirs = told(random_samples(right, AUDITS), right.mean())
            row = {"model": model, "accuracy": float(right.mean()), "audit": ours, "random": theirs}
            print(f"{model:32s} {right.mean():.3f} {ours} {theirs}", flush=True)
            yield row


def choices() -> Iterator[dict[str, object]]:
    """Every task's figures."""
    for task in bank():
        row = chosen(task)
        print(json.dumps(row), flush=True)
        yield row


def chosen(task: Candidates) -> dict[str, object]:
    """What audits of a task's candidates choose, and how their intervals do."""
    names, probabilities = list(task.probabilities), list(task.probabilities.values())
    right = np.stack([p.argmax(axis=1) == task.labels for p in probabilities])
    truth, items = right.mean(axis=1), min(ITEMS, len(task.labels))
    audits = [Audit.choose(*probabilities, items=items, seed=seed) for seed in range(_SEEDS)]
    gains, sizes = _counts(audits, right.astype(int) - right[0], 3), audits[0].sample.sizes
    agreed = audits[0].sample.agreed
    gains[:, :, agreed] = np.outer(sizes[agreed], (0, 1, 0))
    low = stratified_interval(gains, sizes, _DIFFERENCES, GUARD)[..., 0]
    taken = np.where(low.max(axis=1) > 0, low.argmax(axis=1), 0)
    assert taken[0] == audits[0].best(task.labels[audits[0].rows])
    of_all = stratified_interval(_counts(audits, right.astype(int), 2), sizes)
    of_gains = stratified_interval(gains, sizes, _DIFFERENCES)
    alone = [Audit.choose(probabilities[0], items=items, seed=seed) for seed in range(_SEEDS)]
    of_one = stratified_interval(_counts(alone, right[:1].astype(int), 2)[:, 0], alone[0].sample.sizes)
    return {
        "task": task.task,
        "examples": len(task.labels),
        "accuracies": dict(zip(names, truth.tolist(), strict=True)),
        "taken": [names[k] for k in taken],
        "of_one": told(of_one, truth[0]),
        "of_all": [told(of_all[:, k], truth[k]) for k in range(len(names))],
        "of_gains": [told(of_gains[:, k], truth[k] - truth[0]) for k in range(1, len(names))],
        "random": told(random_samples(right[0], AUDITS), truth[0]),
    }


def _counts(audits: list[Audit], values: np.ndarray, kinds: int) -> np.ndarray:
    """How often `(audits, K, H, kinds)` each value, the largest of which is 1, was met in each stratum."""
    counts = np.zeros((len(audits), len(values), len(audits[0].sample.sizes), kinds))
    for number, audit in enumerate(audits):
        assert (audit.sample.sizes == audits[0].sample.sizes).all()
        for k, one in enumerate(values[:, audit.rows]):
            np.add.at(counts, (number, k, audit.sample.strata, one + kinds - 2), 1)
    return counts


def main() -> None:
    """Write the figures that are asked for."""
    what = {"worlds": worlds, "choices": choices}[sys.argv[1]]
    RESULTS.mkdir(exist_ok=True)
    content = {"items": ITEMS, "machine": machine(), "rows": list(what())}
    (RESULTS / f"{sys.argv[1]}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
