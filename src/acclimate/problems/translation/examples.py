"""What a fitted translator shows: images of each side turned into the other's, and the space between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.runs.mosaic import mosaic
from acclimate.training.fitted import Fitted
from acclimate.training.inference import Translated
from acclimate.types import UNLABELLED, Side

PER_SIDE, PER_FRAME = 32, 8
_CODES, _PAIRS, _STEPS = 1_000, 6, 9
_ROLES: dict[Side, tuple[str, ...]] = {"source": ("source_test", "source"), "target": ("target_test", "target")}


def shown_roles(task: Task) -> dict[Side, str]:
    """Whose examples are shown, by side: held-out ones where there are such."""
    domains = task.domains()
    return {side: next(role for role in roles if role in domains) for side, roles in _ROLES.items()}


def chosen(domain: Domain, most: int) -> np.ndarray:
    """Rows of at most so many examples of a domain, always the same ones.

    Classes take turns where labels are known to training, which a target's hidden labels are not; then come examples
    without a label. They are sorted by class.
    """
    order = np.random.default_rng(0).permutation(len(domain))
    labels = domain.labels[order]
    turn = np.zeros(len(order), dtype=np.int64)  # how many of its class come before an example
    for label in np.unique(labels):
        turn[labels == label] = np.arange((labels == label).sum())
    unknown = labels == UNLABELLED
    first = order[np.lexsort((np.where(unknown, 0, labels), turn, unknown))[:most]]
    return first[np.argsort(domain.labels[first], kind="stable")]


def frame_examples(task: Task) -> dict[Side, Domain]:
    """The few examples of each side that are translated again and again while training."""
    shown = {side: task.domains()[role] for side, role in shown_roles(task).items()}
    return {side: domain.take(chosen(domain, PER_FRAME)) for side, domain in shown.items()}


def write_frame(path: Path, translations: Mapping[Side, Translated]) -> None:
    """A PNG of six rows: source input, its reconstruction, its translation; then the same of the target."""
    few = min(len(side.inputs) for side in translations.values())
    rows = [
        row[:few]
        for side in ("source", "target")
        for row in (translations[side].inputs, translations[side].reconstructed, translations[side].translated)
    ]
    mosaic(rows).save(path, format="png", optimize=True)


@dataclass(frozen=True, eq=False)
class _Seen:
    """Drawn examples of a side: inputs, labels for captions (−1 where nobody knows), answers, codes."""

    domain: Domain
    labels: np.ndarray
    predicted: np.ndarray
    codes: np.ndarray


def translations_of_run(fitted: Fitted, task: Task) -> dict[str, np.ndarray] | None:
    """The content of `translations.npz`; None for a method that does not translate.

    With n ≤ 32 examples a side, m ≤ 1,000 codes a side, p pairs and 9 steps:

        <side>_inputs, <side>_reconstructed, <side>_translated, <side>_returned    uint8 (n, h, w, c)
        <side>_label                                    (n,) for captions; −1 where nobody knows
        path_source_inputs, path_target_inputs          uint8 (p, h, w, c): the ends of each path
        path_source, path_target                        uint8 (p, 9, h, w, c): decoded to either side
        codes                                           float32 (2m, d)
        is_target, label, predicted                     (2m,)
        <side>_mean                                     uint8 (k, h, w, c): mean picture of each class
        <side>_mean_of                                  (k,) how many examples it is the mean of
        by_label                                        whether target examples were sorted by label, not by answer

    Examples are held-out ones where there are such, chosen without any hidden label. Those tell, after the fact,
    what the pictures show, and sort the target's mean pictures where every label is known.

    Args:
        fitted: the model.
        task: source and target.
    """
    if fitted.plan.method.problem != "translation":
        return None
    found: dict[str, np.ndarray] = {}
    roles = shown_roles(task)
    seen = {side: _seen(fitted, task, role, side) for side, role in roles.items()}
    for side, role in roles.items():
        domain = task.domains()[role]
        rows = chosen(domain, PER_SIDE)
        parts = fitted.translated(domain.take(rows), side)
        found |= {
            f"{side}_inputs": parts.inputs,
            f"{side}_reconstructed": parts.reconstructed,
            f"{side}_translated": parts.translated,
            f"{side}_returned": parts.returned,
            f"{side}_label": known_labels(task, role)[rows],
        }
    by_label = bool((seen["target"].labels != UNLABELLED).all())
    found |= _paths(fitted, seen) | _means(fitted, seen, by_label=by_label)
    both = [seen["source"], seen["target"]]
    return found | {
        "codes": np.concatenate([s.codes for s in both]),
        "is_target": np.repeat([False, True], [len(s.codes) for s in both]),
        "label": np.concatenate([s.labels for s in both]),
        "predicted": np.concatenate([s.predicted for s in both]),
        "by_label": np.array(by_label),
    }


def known_labels(task: Task, role: str) -> np.ndarray:
    """Labels for captions: those that training knew, and hidden ones where there are such; −1 elsewhere."""
    given = task.domains()[role].labels
    hidden = getattr(task.hidden, role, None)
    return given if hidden is None else np.where(given == UNLABELLED, hidden, given)


def _seen(fitted: Fitted, task: Task, role: str, side: Side) -> _Seen:
    domain = task.domains()[role]
    rows = np.sort(np.random.default_rng(1).permutation(len(domain))[:_CODES])
    drawn = domain.take(rows)
    said = fitted.outputs(drawn, side)
    return _Seen(drawn, known_labels(task, role)[rows], said.logits.argmax(axis=1), said.features)


def _paths(fitted: Fitted, seen: Mapping[Side, _Seen]) -> dict[str, np.ndarray]:
    """Straight lines in the latent space from a source example to the target example with the nearest code."""
    source, target = seen["source"], seen["target"]
    starts = chosen(source.domain, min(_PAIRS, len(source.domain)))
    distances = ((source.codes[starts, None] - target.codes[None]) ** 2).sum(axis=2)
    ends = distances.argmin(axis=1)
    shares = np.linspace(0, 1, _STEPS, dtype=np.float32)[None, :, None]
    line = (1 - shares) * source.codes[starts, None] + shares * target.codes[ends, None]
    flat = line.reshape(-1, line.shape[-1])
    found = {"path_source_inputs": (source, starts), "path_target_inputs": (target, ends)}
    pictures: dict[str, np.ndarray] = {
        name: _pictures(fitted, side.domain.take(rows), "target" if side is target else "source")
        for name, (side, rows) in found.items()
    }
    for side in seen:
        decoded = fitted.decoded(flat, side)
        pictures[f"path_{side}"] = decoded.reshape(len(starts), _STEPS, *decoded.shape[1:])
    return pictures


def _pictures(fitted: Fitted, domain: Domain, side: Side) -> np.ndarray:
    """The domain's images in the size that networks see."""
    preprocess: Any = fitted.plan.preprocess.of(side)
    return np.asarray(preprocess.pixels(preprocess.batch(preprocess.fit(domain).array, None)))


def _means(fitted: Fitted, seen: Mapping[Side, _Seen], *, by_label: bool) -> dict[str, np.ndarray]:
    """The mean picture of each class and side; black where a class has no example."""
    found: dict[str, np.ndarray] = {}
    k = len(fitted.plan.classes)
    for side, drawn in seen.items():
        labels = drawn.predicted if side == "target" and not by_label else drawn.labels
        pictures = _pictures(fitted, drawn.domain, side).astype(np.float64)
        counts = np.array([(labels == label).sum() for label in range(k)])
        sums = [pictures[labels == label].sum(axis=0) for label in range(k)]
        means = np.stack(sums) / np.maximum(counts, 1).reshape(-1, 1, 1, 1)
        found |= {f"{side}_mean": means.round().astype(np.uint8), f"{side}_mean_of": counts}
    return found
