"""How adaptation with a few target labels is told: beside both sides' labels together, and either side's alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from acclimate.reports.answers import Answers
from acclimate.reports.told import Verdict
from acclimate.reports.views.base import View, beside
from acclimate.reports.wording import percent, points
from acclimate.runs.record import LABELS_ALONE, WITHOUT_LABELS, Run
from acclimate.runs.scores import scored_by

_SOURCE, _LABELS = "source alone", "target labels alone"


class FewLabelsView(View):
    """Measured by the source and the same labels together."""

    name: ClassVar[str] = "few-labels"
    baseline: ClassVar[str] = "source and target labels"
    others: ClassVar[Mapping[str, str]] = {WITHOUT_LABELS: _SOURCE, LABELS_ALONE: _LABELS}

    def seen(self, config: Mapping[str, Any]) -> str:
        """The others than those that were labelled."""
        return f"target, seen unlabelled beside {config['task']['labelled_target']:,} labelled"

    def told(self, said: Verdict, run: Run, answers: Answers) -> Verdict:
        """With what the labels bought."""
        return replace(said, sentences=(*said.sentences, *bought(run)))

    def facts(self, run: Run) -> dict[str, Any]:
        """The scores of what stands beside, by what it learnt from."""
        return {"beside": beside(run)}


def bought(run: Run) -> tuple[str, ...]:
    """What target labels gave a model of the source and, the other way round, what the source gave them."""
    scored, others = scored_by((run.summary or {}).get("scores", {})), beside(run)
    names = (FewLabelsView.baseline, _SOURCE, _LABELS)
    shares = [others[name][scored] for name in names if scored in others.get(name, {})]
    if len(shares) < len(names):
        return ()
    both, source, labels = shares
    n = run.config["task"]["labelled_target"]
    return (
        f"The source alone is right on {percent(source)}, the {n:,} target labels alone on {percent(labels)}, both "
        f"together on {percent(both)}: to a model of the source the labels were worth {points(both - source)} "
        f"percentage points, to the labels the source {points(both - labels)}.",
    )
