"""Rows of `metrics.jsonl`, checked wherever they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OF_NUMBERS = ("losses", "evaluation", "validation")
_TEXTS = {"noticed": ("finding", "severity", "sentence", "advice"), "over": ("finding",), "checked": ()}


def fault_of_row(row: Mapping[str, Any]) -> str:
    """What is wrong with a row that has a kind and a step, as the end of a sentence; empty if nothing is."""
    if not isinstance(row["kind"], str) or not _is_whole(row["step"]):
        return "a kind that is no text, or a step that is no whole number"
    if row["kind"] in _OF_NUMBERS:
        odd = [name for name, value in row.items() if name != "kind" and not _is_number(value)]
        odd += ["epoch"] if row["kind"] == "evaluation" and "epoch" not in row else []
        return f"no number under {', '.join(map(repr, odd[:5]))}" if odd else ""
    return _fault_of_health(row) if row["kind"] == "health" else ""


def _fault_of_health(row: Mapping[str, Any]) -> str:
    event = row.get("event")
    if not isinstance(event, str) or event not in _TEXTS:
        return "an event that is none of health"
    if odd := [name for name in _TEXTS[event] if not isinstance(row.get(name), str)]:
        return f"no text under {', '.join(map(repr, odd))}"
    checks = row.get("checks", [])
    return (
        "" if isinstance(checks, list) and all(isinstance(one, str) for one in checks) else "checks that are no list"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15
