"""How retrieval is told: by what held-out queries find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from acclimate.reports.answers import Answers
from acclimate.reports.searches import search_verdict, searches_section, what_was_trained
from acclimate.reports.told import Verdict
from acclimate.reports.views.base import Scores, View
from acclimate.runs.record import Run

_TOLD = (
    ("precision_at_1", "first hit of the right class (P@1)"),
    ("map", "mean average precision by class (mAP@all)"),
    ("own_recall_at_1", "own photo first (R@1)"),
    ("own_recall_at_10", "own photo among the first 10 (R@10)"),
)


class RetrievalView(View):
    """Searches, where the classes of what is searched are known."""

    name: ClassVar[str] = "retrieval"

    def verdict(self, run: Run) -> Verdict | None:
        """What held-out queries find."""
        return search_verdict(run)

    def by_class(self, run: Run) -> Answers | None:
        """Nothing: what is found has a class, and no name is answered."""
        return None

    def scores(self, run: Run) -> Scores | None:
        """Shares of held-out queries, among held-out items and among all."""
        scores = (run.summary or {})["scores"]
        if not scores:
            return None
        n = run.config["task"]["sizes"]["source_test"]
        return Scores(
            f"share of {n:,} held-out sketches",
            ("held-out photos", "all photos"),
            tuple(
                (words, tuple(scores.get(f"{among}_{name}") for among in ("search", "search_all")))
                for name, words in _TOLD
                if {f"search_{name}", f"search_all_{name}"} & scores.keys()
            ),
        )

    def facts(self, run: Run) -> dict[str, Any]:
        """How many held-out queries the scores are of."""
        scored = (run.summary or {}).get("scores")
        return {"queries": run.config["task"]["sizes"]["source_test"]} if scored else {}

    def page(self, run: Run, classes: Sequence[str]) -> dict[str, object]:
        """Searches instead of answers by class, which are beside its point."""
        if (searches := searches_section(run)) is None:
            return {}
        return {
            "searches": searches,
            "done": what_was_trained(run.config),
            "confusion": [],
            "by_class": [],
            "shares": None,
            "examples": {"uncertain": [], "certain": []},
        }
