"""What a finished run is scored by."""

from __future__ import annotations

from collections.abc import Mapping

# The first of these that it has: a retrieval model's classes are beside the point.
SCORES = ("search_map", "target_test_accuracy", "target_accuracy")


def scored_by(scores: Mapping[str, float]) -> str:
    """The name of what a run is scored by; empty if it has no score."""
    return next((name for name in SCORES if name in scores), "")


def balanced(scores: Mapping[str, float]) -> float | None:
    """Of what a run is scored by, the mean recall of classes; None if it has none, as runs of before."""
    name = scored_by(scores)
    found = scores.get(name.replace("_accuracy", "_balanced_accuracy")) if name.endswith("_accuracy") else None
    return None if found is None else float(found)
