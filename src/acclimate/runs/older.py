"""Records that older versions wrote, read by the names of today."""

from __future__ import annotations

from typing import Any


def renamed(stored: Any, was: str, now: str) -> Any:
    """A record with the key `was` under the name `now`; anything else as it is.

    Example:
        >>> renamed({"floor": "source-only"}, "floor", "baseline")
        {'baseline': 'source-only'}
    """
    if not isinstance(stored, dict) or was not in stored or now in stored:
        return stored
    return {now if name == was else name: value for name, value in stored.items()}
