"""Steps of acclimate's own trainer in bf16."""

from __future__ import annotations

from collections.abc import Callable

import with_acclimate


def make(method: str, name: str) -> Callable[[], object]:
    """A training step."""
    return with_acclimate.make(method, name, "bf16")
