"""Translation: as adaptation, and each side's images are asked for as the other would show them."""

from __future__ import annotations

from typing import ClassVar

from acclimate.data.task import Task
from acclimate.problems.base import Problem
from acclimate.problems.translation.judge import translation_scores
from acclimate.training.fitted import Fitted


class Translation(Problem):
    """Adaptation by networks that can draw each side's images as the other's."""

    name: ClassVar[str] = "translation"

    def scores(self, fitted: Fitted, task: Task) -> dict[str, float]:
        """What judges say of images translated from each side to the other."""
        return translation_scores(fitted, task)
