"""How adaptation from several sources is told: how much each counts, and what the nearest of them alone gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from acclimate.reports.answers import Answers
from acclimate.reports.told import Verdict
from acclimate.reports.views.base import View
from acclimate.reports.wording import percent
from acclimate.runs.record import PLAIN, Run
from acclimate.runs.scores import scored_by

_NAMED = 10


class SeveralSourcesView(View):
    """Adaptation from several sources."""

    name: ClassVar[str] = "several-sources"
    baseline: ClassVar[str] = "all sources as one"

    def source(self, config: Mapping[str, Any]) -> str:
        """The sources by name."""
        known = config["task"].get("sources") or {}
        named = ", ".join([*known][:_NAMED]) + ", …" * (len(known) > _NAMED)
        return f"{config['task']['sizes']['source']:,} labelled examples of {len(known)} sources ({named})"

    def told(self, said: Verdict, run: Run, answers: Answers) -> Verdict:
        """With each source's weight, and the nearest source's score."""
        return replace(said, sentences=(*said.sentences, _weights(run), *_nearest(run)))

    def facts(self, run: Run) -> dict[str, Any]:
        """The sources, how many examples each has, and its weight."""
        return {"sources": sources(run.config)}


def sources(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sources of a run in their order: name, number of examples, weight."""
    known, weights = config["task"].get("sources") or {}, config["method"]["options"].get("source_weights") or []
    return [
        {"name": name, "examples": count, "weight": weight}
        for (name, count), weight in zip(known.items(), weights, strict=False)
    ]


def _weights(run: Run) -> str:
    found = sorted(sources(run.config), key=lambda source: -source["weight"])
    told = ", ".join(f"{source['name']} {percent(source['weight'])}" for source in found[:_NAMED])
    told += ", …" * (len(found) > _NAMED)
    if "source_weights" in run.config["request"]["method_options"]:
        return f"How much each source counts, as asked for: {told}."
    return (
        f"How much each source counts: {told}. That is for whose inputs the target's would be taken; no label was "
        "asked, and a source whose inputs look alike may still label otherwise."
    )


def _nearest(run: Run) -> tuple[str, ...]:
    """What the nearest source alone is right on."""
    beside, own = run.beside(PLAIN), (run.summary or {}).get("scores", {})
    scored = scored_by(own)
    if beside is None or beside.summary is None or scored not in beside.summary["scores"]:
        return ()
    names = sources(beside.config)
    nearest = max(names, key=lambda source: source["weight"])["name"] if names else "the nearest source"
    share = beside.summary["scores"][scored]
    return (f"A model of {nearest} alone, the nearest source, is right on {percent(share)}.",)
