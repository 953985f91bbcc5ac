"""Held-out labels reach no score, no choice and no estimate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.synthetic import shifted_blobs
from acclimate.estimators import estimator
from acclimate.selection.estimates import estimate
from acclimate.selection.evidence import Candidate, Evidence
from acclimate.selection.rule import choose


def shown(source: Domain, held: Domain, target: Domain, method: str, seed: int) -> Evidence:
    """What a short training shows."""
    model = estimator(discovery.methods()[method].load())(steps=15, seed=seed).fit(source, target)
    own, other = model._fitted.outputs(held, "source"), model._fitted.outputs(target)
    return Evidence(held.labels, own.logits, other.logits, own.features, other.features, seed=seed)


def chosen_of(target: Domain) -> tuple[str, list[bytes]]:
    """Everything that is said, and every number that it is said by."""
    task = shifted_blobs(60)
    assert task.source_test is not None
    seen = [
        Candidate(name, tuple(shown(task.source, task.source_test, target, name, seed) for seed in (0, 1)))
        for name in ("source-only", "mcc")
    ]
    told = repr((choose(seen, "source-only"), estimate(seen[1], seen[0]), estimate(seen[0])))
    return told, [copy.target_scores.tobytes() for candidate in seen for copy in candidate.copies]


def test_held_out_labels_change_no_bit_of_scores_choice_and_estimate() -> None:
    target = shifted_blobs(60).target
    labelled = replace(target, labels=np.arange(len(target)) % len(target.classes))
    shuffled = replace(target, labels=np.random.default_rng(0).permutation(labelled.labels))
    assert (labelled.labels != shuffled.labels).any()
    assert chosen_of(labelled) == chosen_of(shuffled)
