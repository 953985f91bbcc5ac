"""How heterogeneous adaptation is told: a few target labels are given, and what they give alone stands beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from acclimate.reports.views.base import View


class HeterogeneousView(View):
    """Measured by a few target labels alone."""

    name: ClassVar[str] = "heterogeneous"
    baseline: ClassVar[str] = "target labels alone"

    def seen(self, config: Mapping[str, Any]) -> str:
        """The others than those that were labelled, unless all were."""
        given = config["task"]["labelled_target"]
        if given >= config["task"]["sizes"]["target"]:
            return super().seen(config)
        return "target, seen unlabelled" + (f" beside {given:,} labelled" if given else " in training")
