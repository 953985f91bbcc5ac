"""The scores that a choice and an estimate are made of, of every candidate, from what its copies showed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from acclimate.selection.evidence import Candidate, Evidence
from acclimate.selection.scores.agreement import consensus, seed_agreement
from acclimate.selection.scores.balance import black_box_proportions, class_balance, shares
from acclimate.selection.scores.confidence import average_confidence, probabilities
from acclimate.selection.scores.structure import shared_information, silhouettes, tighter

NAN = float("nan")


def scored(candidates: Sequence[Candidate], baseline: Candidate | None = None) -> dict[str, dict[str, float]]:
    """Scores of each candidate by its name; NaN where a copy, or a labelled source example, is wanting.

    `source validation`      accuracy on held-out source examples
    `seed agreement`         A_T, share of the target that copies answer alike
    `source agreement`       A_S, the same of the source
    `confidence`             mean confidence on the target, calibrated on the source
    `DoC`                    difference of confidences
    `expected accuracy`      min(1, A_T / A_S) · DoC: what copies agree on less than on the source is lost
    `moved proportions`      ½ Σ |q − p| of the source's class proportions p and the target's by BBSE, q
    `like the floor`         share of the target that is answered as by the baseline
    `consensus`              share of the target that is answered as by all candidates together
    `ClassAMI`               how far the answers follow the clusters of the candidate's own features (AMI)
    `clusters there`         the same for the clusters of the baseline's features
    `silhouette there`       mean silhouette of the answers in the baseline's features
    `tighter there`          by how many standard errors that lies above the baseline's own

    Numbers of single runs are averaged over copies; those that diverged are left out. The last three ask how the
    candidate's answers lie in a space that it had no part in.

    Args:
        candidates: of one task.
        baseline: the one without adaptation.
    """
    together = {c.name: mean_probabilities(c) for c in candidates if c.sound}
    agreed = dict(zip(together, consensus(list(together.values())), strict=True)) if together else {}
    basis = None if baseline is None or not baseline.sound else mean_probabilities(baseline).argmax(axis=1)
    found = {candidate.name: _alone(candidate) for candidate in candidates}
    featured = [copy for copy in (baseline.sound if baseline else ()) if len(copy.clusters)]
    there = [copy for copy in featured if np.array_equal(copy.rows, featured[0].rows)]
    usual = _silhouettes(there, there)
    for candidate in candidates:
        found[candidate.name] |= _structure(candidate, there, usual)
    for name, scores in found.items():
        p = together.get(name)
        scores["like the floor"] = NAN if p is None or basis is None else float((p.argmax(axis=1) == basis).mean())
        scores["consensus"] = float(agreed.get(name, NAN))
    return found


def mean_probabilities(candidate: Candidate) -> np.ndarray:
    """`(m, k)` calibrated class probabilities on the target, the mean over copies that did not diverge."""
    return np.asarray(
        np.mean([probabilities(copy.target_scores, copy.temperature) for copy in candidate.sound], axis=0)
    )


def _alone(candidate: Candidate) -> dict[str, float]:
    copies = candidate.sound
    known = [copy for copy in copies if copy.of_source.n]
    at_hand = [copy for copy in copies if len(copy.source_labels)]

    def mean(of: Callable[[Evidence], float], over: Sequence[Evidence]) -> float:
        return float(np.mean([of(copy) for copy in over])) if over else NAN

    found = {
        "source validation": mean(lambda copy: copy.source_accuracy, known),
        "seed agreement": seed_agreement([c.target_scores for c in copies]) if len(copies) > 1 else NAN,
        "source agreement": seed_agreement([c.source_scores for c in at_hand]) if len(at_hand) > 1 else NAN,
        "confidence": mean(lambda copy: average_confidence(copy.target_scores, copy.temperature), known),
        "DoC": mean(difference, known),
        "moved proportions": mean(_moved, at_hand),
    }
    kept = found["seed agreement"] / max(found["source agreement"], 1e-9)
    found["expected accuracy"] = (min(kept, 1.0) if kept == kept else NAN) * found["DoC"]
    return found


def _structure(candidate: Candidate, basis: Sequence[Evidence], usual: np.ndarray) -> dict[str, float]:
    """How a candidate's answers lie in features, its own and those of the baseline's copies.

    Args:
        candidate: which one.
        basis: the baseline's copies, with features of the same examples.
        usual: silhouettes of the baseline's own answers there.
    """
    copies, there = candidate.sound, _silhouettes(candidate.sound, basis)
    own = [shared_information(c.clusters, c.answers[c.rows]) for c in copies if len(c.clusters)]
    others = [shared_information(b.clusters, c.answers[b.rows]) for c in copies for b in basis]
    return {
        "ClassAMI": float(np.mean(own)) if own else NAN,
        "clusters there": float(np.mean(others)) if others else NAN,
        "silhouette there": float(there.mean()) if len(there) else NAN,
        "tighter there": tighter(there, usual) if len(there) else NAN,
    }


def _silhouettes(copies: Sequence[Evidence], basis: Sequence[Evidence]) -> np.ndarray:
    """`(r,)` silhouettes of the copies' answers in the features of others, the mean over all pairs; empty without."""
    found = [
        silhouettes(other.target_features, copy.answers[other.rows])
        for copy in copies
        for other in basis
        if other.target_features is not None
    ]
    return np.mean(found, axis=0) if found else np.zeros(0)


def difference(copy: Evidence) -> float:
    """DoC of a run, at the temperature that calibrates it."""
    own = copy.of_source
    fall = own.confidence - average_confidence(copy.target_scores, own.temperature)
    return float(np.clip(own.accuracy - fall, 0, 1))


def _moved(copy: Evidence) -> float:
    """How far the target's class proportions seem to lie from the source's."""
    own = shares(copy.source_labels, copy.num_classes)
    return 1 - class_balance(black_box_proportions(copy.source_scores, copy.source_labels, copy.target_scores), own)
