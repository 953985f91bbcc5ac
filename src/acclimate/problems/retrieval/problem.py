"""Retrieval: a query of the source finds the target's examples that show what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from acclimate.data.domain import Domain
from acclimate.data.sketches import counterparts
from acclimate.data.task import TARGET_ROLES, Task
from acclimate.data.trim import trimmed
from acclimate.errors import RequestError
from acclimate.inputs.encode import PICTURE, encoded_once
from acclimate.methods.base import Method
from acclimate.problems.base import Drawing, Problem
from acclimate.problems.drafts import Network
from acclimate.problems.own_data import Own, read_own
from acclimate.problems.pairs import batch_notes
from acclimate.problems.reading import Reading
from acclimate.problems.retrieval.gallery import (
    RetrievalValidation,
    check_gallery,
    query_network,
    resolve_retrieval,
    set_aside,
)
from acclimate.problems.retrieval.searches import retrieval_scores
from acclimate.runs.request import Request
from acclimate.streams.gallery import CounterpartStream
from acclimate.training.fitted import Fitted
from acclimate.training.plan import Plan
from acclimate.training.validation import Validation


class Retrieval(Problem):
    """Queries, and a gallery whose training examples are labelled; each side has preprocessing of its own."""

    name: ClassVar[str] = "retrieval"
    learns_from: ClassVar[str] = "pairs of one class"

    def sides(self, request: Request, reading: Reading) -> Own:
        """Sketches and photos, or features of such."""
        if request.target_test:
            fix = "Leave it out: a tenth of the photos and their sketches are set aside."
            raise RequestError(
                "target_test", "must not be given to a method that retrieves", request.target_test, fix
            )
        return read_own(request, reading, alike=False, image_size=PICTURE, check=lambda source: None)

    def task(self, request: Request, own: Own, seed: int) -> Task:
        """A tenth of the photos and their sketches are set aside to test on."""
        return _with_test(request.title, own.source, own.target, seed)

    def completed(self, task: Task, request: Request) -> Task:
        """Sketches cut to what is drawn, and features in place of photos, where these are images.

        The first time that takes a while; from then on the features are in the cache.
        """
        name = request.asked.photo_encoder
        photos = {r: d for r, d in task.domains().items() if r in TARGET_ROLES and d.kind == "images"}
        sketches = {r: d for r, d in task.domains().items() if r not in TARGET_ROLES and d.kind == "images"}
        ready: dict[str, Any] = {role: encoded_once(domain, name) for role, domain in photos.items()}
        ready |= {role: trimmed(domain) for role, domain in sketches.items()}
        return replace(task, **ready)

    def draft(
        self, method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]
    ) -> Plan:
        """A network for the queries, and both sides mapped into one space."""
        name = query_network(network, source)
        return Plan(method, name, *resolve_retrieval(method, name, source, target, options), source.classes)

    def divide(
        self, plan: Plan, source: Domain, target: Domain, source_test: Domain | None
    ) -> tuple[Domain, Domain, Validation | None]:
        """Early stopping by the mAP of queries set aside, among items set aside with them."""
        check_gallery(source, target)
        if not plan.options.patience:
            return source, target, None
        kept, gallery, queries, items = set_aside(source, target, plan.options.seed)
        if not queries.num_labelled or not len(items):  # too few to choose by
            return source, target, None
        held_out = plan.preprocess.of("source").fit(queries), plan.preprocess.of("target").fit(items)
        return kept, gallery, RetrievalValidation(*held_out, plan.options.patience)

    def stream(self, method: Method, of: Drawing) -> CounterpartStream:
        """Batches of queries with what each of them shows."""
        own, size, seed = counterparts(of.source, of.target), of.options.batch_size, of.options.seed
        return CounterpartStream(of.source, of.target, own, of.preprocess, size, seed, of.place)

    def baselines(self, plan: Plan, source: Domain, target: Domain) -> dict[str, str]:
        """None: what the encoders find by themselves is scored beside."""
        return {}

    def scores(self, fitted: Fitted, task: Task) -> dict[str, float]:
        """What held-out queries find."""
        return retrieval_scores(fitted, task)

    def notes(self, request: Request, plan: Plan, task: Task) -> list[str]:
        """Which side is smaller than a batch."""
        return batch_notes(plan, task)


def _with_test(title: str, source: Domain, target: Domain, seed: int) -> Task:
    """A task with a tenth of the photos and their sketches set aside as the test.

    Raises:
        RequestError: if a class has sketches only, or there are too few to set any aside.
    """
    check_gallery(source, target)
    kept_source, kept_target, queries, items = set_aside(source, target, seed)
    if not len(queries) or not len(items):
        raise RequestError(
            "source and target",
            "must be enough for a tenth of the photos and their sketches to be set aside as the test",
            f"{len(source):,} sketches and {len(target):,} photos",
            "Give ten photos that have sketches at least.",
        )
    note = (
        f"{len(queries):,} of {len(source):,} sketches and {len(items):,} of {len(target):,} photos were set aside "
        "to test on."
    )
    return Task(
        kept_source,
        kept_target,
        source_test=queries.take(slice(None), "source_test"),
        target_test=items.take(slice(None), "target_test"),
        name=title,
        notes=(note,),
    )
