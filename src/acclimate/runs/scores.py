"""What a finished run is scored by."""

from __future__ import annotations

from collections.abc import Mapping

# The first of these that it has: a retrieval model's classes are beside the point, and where some classes are unknown
# to the source, whoever calls everything one of its own would have the accuracy of those.
SCORES = (
    "search_map",
    "target_test_h_score",
    "target_h_score",
    "target_test_accuracy",
    "target_accuracy",
    "target_test_r2",
    "target_r2",
)
ACCURACY = "target accuracy"
_WORDS = {
    "search_map": "mAP of searches",
    "target_test_h_score": "H-score",
    "target_h_score": "H-score",
    "target_test_r2": "R²",
    "target_r2": "R²",
}


def scored_by(scores: Mapping[str, float]) -> str:
    """The name of what a run is scored by; empty if it has no score."""
    return next((name for name in SCORES if name in scores), "")


def in_words(scored: str) -> str:
    """What a score is called in tables and sentences."""
    return _WORDS.get(scored, ACCURACY)


def balanced(scores: Mapping[str, float]) -> float | None:
    """Of what a run is scored by, the mean recall of classes; None if it has none, as runs of before."""
    name = scored_by(scores)
    found = scores.get(name.replace("_accuracy", "_balanced_accuracy")) if name.endswith("_accuracy") else None
    return None if found is None else float(found)
