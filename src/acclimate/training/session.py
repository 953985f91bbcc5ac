"""From a plan and two domains to a trainer, and to a fitted model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from acclimate.data.budget import LabelBudget
from acclimate.data.domain import Domain
from acclimate.data.duplicates import without_copies
from acclimate.data.preprocess import OneSide
from acclimate.data.text import TextPreprocess
from acclimate.errors import RequestError
from acclimate.networks.memory import WordReader
from acclimate.networks.row_space import RowSpaceLinear, row_basis
from acclimate.training.checkpoints import Snapshot, load_networks
from acclimate.training.fitted import Fitted
from acclimate.training.hooks import Hooks
from acclimate.training.plan import Plan
from acclimate.training.randomness import seeded, training_seed
from acclimate.training.retrieval import RetrievalValidation, check_gallery, set_aside
from acclimate.training.trainer import Trainer
from acclimate.training.validation import Validation
from acclimate.training.word_vectors import give_word_vectors
from acclimate.types import UNLABELLED


@dataclass(frozen=True)
class Prepared:
    """What a training begins with.

    Attributes:
        source: labelled source, in its raw form, to be trained on.
        target: the target likewise.
        validation: what chooses the weights by examples set aside; None where the last step's are kept.
        nets: the networks with their first weights, by name.
        notes: what the user should know about how they were made.
    """

    source: Domain
    target: Domain
    validation: Validation | None
    nets: dict[str, nn.Module]
    notes: tuple[str, ...] = ()


def prepare(
    plan: Plan, source: Domain, target: Domain, source_test: Domain | None = None, start: Snapshot | None = None
) -> Prepared:
    """Check what a plan asks of its domains, set examples aside, and build the networks.

    Args:
        plan: how to train.
        source: labelled source, in its raw form.
        target: the target likewise.
        source_test: decides on early stopping, where the options ask for it; or else a tenth of the source, which is
            then not trained on.
        start: has the weights to begin with; fresh ones by default.

    Raises:
        RequestError: if the method needs target labels and there are none, or refuses the network, or a batch cannot
            be shared out.
    """
    _check_labels(plan, target)
    _check_batch(plan)
    source, target, validation = _with_validation(plan, source, target, source_test)
    nets = plan.networks()
    notes: tuple[str, ...] = ()
    texts = plan.preprocess if isinstance(plan.preprocess, TextPreprocess) else None
    if start is not None:
        load_networks(nets, start)
    elif texts:
        notes = give_word_vectors(nets, texts, plan.options, [source, target])
    for net in nets.values():
        if texts and isinstance(net, WordReader):
            net.know_words(texts.words)
    return Prepared(source, target, validation, nets, notes)


def trainer_of(plan: Plan, prepared: Prepared, hooks: Hooks) -> Trainer:
    """A trainer of what was prepared by the same plan; it trains the very networks that are there."""
    nets = prepared.nets
    return Trainer(
        plan.method,
        nets,
        _for_training(plan.preprocess.of("source"), prepared.source, nets.get("source_features")),
        _for_training(plan.preprocess.of("target"), prepared.target, nets.get("target_features")),
        plan.preprocess,
        plan.options,
        plan.processes,
        hooks,
        prepared.validation,
    )


def make_trainer(
    plan: Plan,
    source: Domain,
    target: Domain,
    hooks: Hooks,
    source_test: Domain | None = None,
    start: Snapshot | None = None,
) -> Trainer:
    """A trainer over domains in their raw form; arguments and errors as for `prepare`."""
    return trainer_of(plan, prepare(plan, source, target, source_test, start), hooks)


def _check_labels(plan: Plan, target: Domain) -> None:
    if plan.method.heterogeneous and plan.method.needs_few_labels:
        check_labelled_target(plan, target)
    if plan.method.needs_target_labels and target.num_labelled == 0:
        raise RequestError(
            "label_budget",
            f"must grant target labels to the method {plan.method.name!r}, which learns from "
            f"{'pairs of one class' if plan.method.retrieves else 'nothing else'}",
            "none",
            "Add --label-budget all; in Python Task.with_label_budget('all') or SampleDomainAdapter(label_budget=…).",
        )


def _check_batch(plan: Plan) -> None:
    """Refuse a batch that cannot be shared out: batch norm needs two examples in each process."""
    if plan.options.batch_size < 2 * plan.processes.size:
        raise RequestError(
            "batch_size",
            "must be at least twice the number of processes, which share each batch",
            f"{plan.options.batch_size} for {plan.processes.size} processes",
            "Give a larger one, or start fewer processes.",
        )


def _with_validation(
    plan: Plan, source: Domain, target: Domain, source_test: Domain | None
) -> tuple[Domain, Domain, Validation | None]:
    """What is left to train on, and what chooses the weights, if anything does."""
    patience, fit = plan.options.patience, plan.preprocess.of("source").fit
    if plan.method.retrieves:
        check_gallery(source, target)
    if not patience:
        return source, target, None
    if plan.method.retrieves:
        kept, gallery, queries, items = set_aside(source, target, plan.options.seed)
        if not queries.num_labelled or not len(items):  # too few to choose by
            return source, target, None
        return kept, gallery, RetrievalValidation(fit(queries), plan.preprocess.of("target").fit(items), patience)
    if source_test is None:
        source, source_test = _set_aside(source, plan.options.seed)
    return source, target, None if source_test is None else Validation(fit(source_test), patience)


def _set_aside(source: Domain, seed: int) -> tuple[Domain, Domain | None]:
    """A source and a tenth of it, stratified; (all of it, None) where a class has too few examples for that.

    Copies of a text do not stand on both sides: what is learnt by heart would choose the weights.
    """
    counts = np.bincount(source.labels[source.labels != UNLABELLED])
    if counts[counts > 0].min() < 10:
        return source, None
    aside = LabelBudget(fraction=0.1).choose(source.labels, seed)
    kept, validation = source.take(np.setdiff1d(np.arange(len(source)), aside)), source.take(aside)
    return (without_copies(kept, [validation]) if source.kind == "text" else kept), validation


def _for_training(preprocess: OneSide, domain: Domain, net: nn.Module | None) -> Domain:
    """The domain in stored form, or as the coordinates that its network is then told to expect."""
    stored = preprocess.fit(domain)
    if not preprocess.rank:
        return stored
    assert isinstance(net, nn.Sequential)
    assert isinstance(net[0], RowSpaceLinear)
    rows = preprocess.batch(stored.array, None).double()
    basis = row_basis(rows)
    net[0].span(basis)
    return replace(stored, inputs=(rows @ basis).float().numpy())


def check_labelled_target(plan: Plan, target: Domain) -> None:
    """Refuse a target without labels of every class, or without an example that has none.

    Raises:
        RequestError: naming what is missing.
    """
    counts = np.bincount(target.labels[target.labels != UNLABELLED], minlength=len(plan.classes))
    lacking = [name for name, n in zip(plan.classes, counts, strict=False) if n == 0]
    what = f"the method {plan.method.name!r}, as nothing else ties the target's features to the classes"
    fix = "Label a few target examples of each class, or add --label-budget 3 where labels are known."
    if len(lacking) == len(plan.classes):
        raise RequestError("target", f"must have some labelled examples for {what}", "none", fix)
    if lacking:
        shown = ", ".join(repr(name) for name in lacking[:5]) + (", …" if len(lacking) > 5 else "")
        raise RequestError(
            "target", f"must have a labelled example of every class for {what}", f"none of {shown}", fix
        )
    if target.num_labelled > len(target) - 2:
        raise RequestError(
            "target",
            f"must have at least two unlabelled examples for the method {plan.method.name!r}",
            f"{len(target) - target.num_labelled} beside {target.num_labelled:,} labelled",
            "Leave the label empty (−1 in arrays) where it is to be predicted, or give a smaller --label-budget.",
        )


def fit(
    plan: Plan, source: Domain, target: Domain, hooks: Hooks | None = None, start: Snapshot | None = None
) -> Fitted:
    """Train from the start to the end; `start` has the weights to begin with."""
    trainer = make_trainer(plan, source, target, hooks or Hooks(), start=start)
    with seeded(training_seed(plan.options.seed, trainer.processes.rank), trainer.device):
        trainer.train()
    return Fitted(plan, trainer.nets, trainer.device)
