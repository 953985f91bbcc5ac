"""How translation is told: as adaptation, with what was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from acclimate.reports.translations import translations_section
from acclimate.reports.views.base import View
from acclimate.runs.record import Run


class TranslationView(View):
    """Answers, and each side's images as the other's."""

    name: ClassVar[str] = "translation"

    def page(self, run: Run, classes: Sequence[str]) -> dict[str, object]:
        """Images translated, paths between the two, and the space in which they meet."""
        return {"translations": translations_section(run, classes)}
