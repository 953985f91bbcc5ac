"""Several sources: labels from more than one place, of which the target resembles some more than others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.sources import by_origin
from acclimate.errors import RequestError
from acclimate.methods.base import Method
from acclimate.problems.base import Drawing, Problem
from acclimate.problems.drafts import Network, drafted
from acclimate.problems.pairs import baseline_of_source
from acclimate.runs.record import PLAIN
from acclimate.selection.nearness import nearness
from acclimate.streams.several import SeveralStream
from acclimate.training.plan import Plan


class SeveralSources(Problem):
    """As adaptation from all sources together, of which each keeps its batches, its classifier and its weight.

    Beside a run stand the source alone on all of them, and the source alone on the one nearest to the target. Which
    that is, and how much each counts, is read off inputs (`selection.nearness`); no label is asked.
    """

    name: ClassVar[str] = "several-sources"

    def draft(
        self, method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]
    ) -> Plan:
        """As usual, with the weights of the sources in the method's options, where they are kept with the run."""
        _check_several(source, method)
        given = getattr(method, "source_weights", None)
        parts = by_origin(source)
        weights = (
            nearness(parts, target, options.get("seed") or 0)
            if given is None
            else _checked(given, source.origin_names)
        )
        return drafted(method.model_copy(update={"source_weights": weights}), source, target, network, options)

    def stream(self, method: Method, of: Drawing) -> SeveralStream:
        """Batches of each source, and of the target."""
        size, seed = of.options.batch_size, of.options.seed
        return SeveralStream(of.source, of.target, of.preprocess, size, seed, of.place, weigh=of.weigh)

    def baselines(self, plan: Plan, source: Domain, target: Domain) -> dict[str, str]:
        """All sources as one, and the nearest of them alone."""
        nearest = {} if plan.method.name == "closest-source" else {PLAIN: "closest-source"}
        return {**baseline_of_source(plan, source), **nearest}


def _check_several(source: Domain, method: Method) -> None:
    """Let pass sources that were joined, each of which still has a labelled example.

    Raises:
        RequestError: if there is one source, or one has none.
    """
    if source.origins is None:
        raise RequestError(
            "source",
            f"must be given more than once for the method {method.name!r}, which learns from several sources",
            source.in_words,
            "Add another --source; in Python fit(acclimate.join_sources({…}), target). For one source there are dann "
            "and mcc.",
        )
    for part in by_origin(source):
        if not len(part):
            fix = "Label some of it, or leave it out."
            raise RequestError("source", "must have labelled examples in every source", f"none of {part.name!r}", fix)


def _checked(weights: Sequence[float], names: Sequence[str]) -> tuple[float, ...]:
    """Weights of the user's own, as shares.

    Raises:
        RequestError: if there is not one for each source, or all are 0.
    """
    if len(weights) != len(names) or not sum(weights) > 0:
        rule = f"must hold a number for each of the {len(names)} sources, not all of them 0"
        raise RequestError("source_weights", rule, f"{list(weights)}", f"In this order: {', '.join(names)}.")
    return tuple(float(weight) for weight in np.array(weights) / sum(weights))
