"""How source-free adaptation is told: a model stands where the source would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from acclimate.reports.views.base import View


class SourceFreeView(View):
    """Adaptation that may know nothing of a source."""

    name: ClassVar[str] = "source-free"

    def source(self, config: Mapping[str, Any]) -> str:
        """The source if there was one; a model of it else."""
        return super().source(config) if "source" in config["task"]["sizes"] else "a model whose source is not here"
