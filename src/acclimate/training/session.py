"""From a method, a network and two domains to a fitted model: the steps every caller shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from acclimate.data.budget import LabelBudget
from acclimate.data.domain import Domain
from acclimate.data.duplicates import without_copies
from acclimate.data.pairing import check_pair, check_same_encoder, check_same_kind
from acclimate.data.preprocess import AnyPreprocess, OneSide, Sides
from acclimate.data.shared import shared_inputs
from acclimate.data.text import TextPreprocess
from acclimate.errors import RequestError
from acclimate.methods.base import Method
from acclimate.networks.architecture import Architecture, CustomArchitecture
from acclimate.networks.memory import WordReader
from acclimate.networks.registry import architecture
from acclimate.networks.row_space import RowSpaceLinear, in_row_space, row_basis
from acclimate.runs.options import TrainingOptions
from acclimate.training import inference
from acclimate.training.checkpoints import Snapshot, load_networks
from acclimate.training.hooks import Hooks
from acclimate.training.inputs import (
    FROZEN,
    check_shared_names,
    chosen_network,
    longest_side,
    of_both,
    of_side,
    own_scaling,
)
from acclimate.training.precision import choose_precision
from acclimate.training.processes import Processes
from acclimate.training.randomness import seeded, training_seed
from acclimate.training.retrieval import (
    RetrievalValidation,
    check_gallery,
    query_network,
    resolve_retrieval,
    set_aside,
)
from acclimate.training.trainer import Trainer, epoch_steps
from acclimate.training.validation import Validation
from acclimate.training.word_vectors import give_word_vectors, word_width
from acclimate.types import UNLABELLED, Outputs, Side


@dataclass(frozen=True)
class Plan:
    """Everything decided before the first step.

    Attributes:
        method: what to do with a batch.
        network: name of the architecture, or `"custom"`.
        architecture: builds the networks.
        preprocess: turns inputs into tensors.
        options: with nothing left open.
        classes: names of the classes a model will tell apart.
    """

    method: Method
    network: str
    architecture: Architecture
    preprocess: AnyPreprocess
    options: TrainingOptions
    classes: tuple[str, ...]

    def networks(self) -> dict[str, nn.Module]:
        """Fresh networks with the weights that the seed gives."""
        with seeded(self.options.seed, torch.device("cpu")):
            nets = self.method.networks(self.architecture, len(self.classes))
        ranks = {side: self.preprocess.of(side).rank for side in ("source", "target")}
        spans = {f"{side}_features": rank for side, rank in ranks.items() if rank}
        return {name: in_row_space(net, spans[name]) if name in spans else net for name, net in nets.items()}

    def steps(self, source: Domain, target: Domain) -> int:
        """Training steps in all."""
        return self.options.steps or self.options.epochs * epoch_steps(source.num_labelled, len(target), self.options)


def make_plan(
    method: Method,
    source: Domain,
    target: Domain,
    *,
    network: str | nn.Module | None = None,
    options: Mapping[str, Any] | None = None,
) -> Plan:
    """Decide network, preprocessing and options.

    Args:
        method: the adaptation method.
        source: labelled source.
        target: the target.
        network: an architecture's name, a feature extractor of the user's own, or None for the default.
        options: training options that override the method's recipe and the network's.

    Raises:
        RequestError: if an option or the network does not fit.
    """
    check_pair(source, target)
    if not method.retrieves:
        check_same_kind(source, target)
    domains = [source, target]
    if source.kind not in method.kinds:
        raise RequestError(
            "method",
            f"must be one for {source.kind}",
            f"{method.name!r}, which is for {' and '.join(method.kinds)}",
            "See what there is with: acclimate methods",
        )
    if method.retrieves:
        name = query_network(network, source)
        return Plan(method, name, *resolve_retrieval(method, name, source, target, options or {}), source.classes)
    if method.heterogeneous:
        return _heterogeneous_plan(method, source, target, network, options or {})
    check_same_encoder(source, target)
    if source.kind == "text":
        return _text_plan(method, domains, network, options or {})
    if method.network is not None and network not in (None, method.network):
        raise RequestError(
            "network",
            f"must be {method.network!r} for the method {method.name!r}, which is made for no other",
            repr(network) if isinstance(network, str) else f"a {type(network).__name__}",
            "Leave network out.",
        )
    name = chosen_network(method, domains, network, options or {})
    needs = {} if name == "custom" else architecture(name, 3).recipe
    resolved = TrainingOptions.resolve({**method.recipe, **needs}, options or {})
    preprocess = of_both(name, domains, longest_side(domains), resolved)
    built = (
        CustomArchitecture(
            preprocess.channels, network, preprocess.batch(preprocess.fit(source.take(slice(2))).inputs, None)
        )
        if isinstance(network, nn.Module)
        else architecture(name, preprocess.inputs)
    )
    seen = "features" if name == FROZEN else source.kind
    precision = choose_precision(resolved.precision, seen, Processes(resolved.device).device)
    return Plan(method, name, built, preprocess, resolved.model_copy(update={"precision": precision}), source.classes)


def _heterogeneous_plan(
    method: Method, source: Domain, target: Domain, network: str | nn.Module | None, options: Mapping[str, Any]
) -> Plan:
    """As `make_plan`, for sides that each have features of their own."""
    if network not in (None, "projectors"):
        raise RequestError(
            "network",
            f"must be 'projectors' for the method {method.name!r}, which builds one for each side",
            repr(network) if isinstance(network, str) else f"a {type(network).__name__}",
            "Leave network out.",
        )
    if source.kind != "features":
        raise RequestError(
            "source and target",
            f"must hold features for the method {method.name!r}",
            f"{source.in_words}, and {target.in_words}",
            "Give tables or arrays of features; for images, choose a method such as dann or mcd.",
        )
    if method.by_name:
        check_shared_names(method, source, target)
    resolved = TrainingOptions.resolve(method.recipe, options)
    if resolved.normalisation == "half":
        fix = "Choose rows, log-rows, standard, mean or none."
        raise RequestError("normalisation", "must not be 'half' for feature vectors", "'half'", fix)
    # Noise would reach those weights only that the rows span.
    same = resolved.optimizer == "sgd" and not resolved.gradient_noise
    rotate = same if resolved.row_space is None else resolved.row_space
    side = partial(of_side, rotate=rotate, refuse_missing=resolved.missing == "refuse")
    asked, usual = options.get("normalisation"), resolved.normalisation or "rows"
    one, two = (side(domain, asked or own_scaling(domain, usual)) for domain in (source, target))
    sides = Sides(source=one, target=two, shared=shared_inputs(source, target, one, two))
    precision = choose_precision(resolved.precision, source.kind, Processes(resolved.device).device)
    return Plan(
        method,
        "projectors",
        architecture("projectors", two.channels, one.channels, shared=sides.shared),
        sides,
        resolved.model_copy(update={"precision": precision, "normalisation": asked or own_scaling(target, usual)}),
        source.classes,
    )


def _text_plan(
    method: Method, domains: list[Domain], network: str | nn.Module | None, options: Mapping[str, Any]
) -> Plan:
    """As `make_plan`, for texts."""
    if network not in (None, "memory"):
        raise RequestError(
            "network",
            "must be 'memory' for texts",
            repr(network) if isinstance(network, str) else f"a {type(network).__name__}",
            "Leave network out; a method may still build networks of its own.",
        )
    resolved = TrainingOptions.resolve(method.recipe, options)
    if (scaling := options.get("normalisation")) is not None:  # a recipe may say what is to be done with tables
        fix = "Leave normalisation out."
        raise RequestError("normalisation", "must not be set for texts", repr(scaling), fix)
    width = word_width(resolved)
    preprocess = TextPreprocess.of_texts(
        domains,
        most=resolved.vocabulary,
        limit=resolved.words,
        signs=method.signs,
        dropout=resolved.word_dropout,
    )
    precision = choose_precision(resolved.precision, "text", Processes(resolved.device).device)
    return Plan(
        method,
        "memory",
        architecture("memory", preprocess.channels, word_width=width),
        preprocess,
        resolved.model_copy(update={"precision": precision, "word_width": width}),
        domains[0].classes,
    )


@dataclass(frozen=True)
class Fitted:
    """A trained model: the plan and its networks.

    Attributes:
        plan: how it was made.
        nets: its networks, in eval mode.
        device: where they are.
    """

    plan: Plan
    nets: Mapping[str, nn.Module]
    device: torch.device

    def outputs(self, domain: Domain, side: Side = "target", *, keep_features: bool = True) -> Outputs:
        """What the model says about a domain, raw or in stored form; the rest as for `inference.outputs`."""
        preprocess = self.plan.preprocess.of(side)
        return inference.outputs(
            self.plan.method,
            self.nets,
            preprocess.fit(domain),
            preprocess,
            self.device,
            side=side,
            keep_features=keep_features,
        )

    def codes(self, domain: Domain, side: Side = "target") -> np.ndarray:
        """Features `(n, d)` of a domain, raw or in stored form."""
        preprocess = self.plan.preprocess.of(side)
        stored = preprocess.fit(domain)
        return inference.codes(self.plan.method, self.nets, stored, preprocess, self.device, side=side)

    def decoded(self, codes: np.ndarray, to: Side) -> np.ndarray:
        """Images uint8 `(n, h, w, c)` of the side `to` that have these codes; for methods that translate."""
        plan = self.plan
        return inference.decoded(plan.method, self.nets, codes, plan.preprocess, self.device, to=to)

    def translated(self, domain: Domain, side: Side) -> inference.Translated:
        """What the model makes of a side's images, raw or in stored form; for methods that translate."""
        plan, stored = self.plan, self.plan.preprocess.of(side).fit(domain)
        return inference.translated(plan.method, self.nets, stored, plan.preprocess, self.device, side=side)

    def check_translates(self, argument: str) -> None:
        """Let pass a model that can turn images of one side into the other's.

        Raises:
            RequestError: naming `argument`, and what it is instead.
        """
        if self.plan.method.translates:
            return
        raise RequestError(
            argument,
            "must be of a method that has a decoder to translate with",
            f"one of {self.plan.method.name!r}, which has none",
            "Train with a method that has, such as: acclimate adapt -m vae-gan …",
        )

    def explain(self, domain: Domain, side: Side = "target") -> inference.Explanations | None:
        """Which words carried the answers to a domain of texts, raw or in stored form; None if it cannot tell."""
        preprocess = self.plan.preprocess.of(side)
        stored = preprocess.fit(domain)
        return inference.explanations(self.plan.method, self.nets, stored, preprocess, self.device, side=side)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities `(n, k)` from logits, in double precision."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def make_trainer(
    plan: Plan,
    source: Domain,
    target: Domain,
    hooks: Hooks,
    source_test: Domain | None = None,
    start: Snapshot | None = None,
) -> Trainer:
    """A trainer over domains in their raw form, with the networks of `start` or, without one, with fresh ones.

    Where the options ask for early stopping, `source_test` decides on it, or else a tenth of the source, which is
    then not trained on.

    Raises:
        RequestError: if the method needs target labels and there are none, or a batch cannot be shared out.
    """
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
    source, target, validation = _with_validation(plan, source, target, source_test)
    processes = Processes(plan.options.device)
    if plan.options.batch_size < 2 * processes.size:
        raise RequestError(
            "batch_size",
            "must be at least twice the number of processes, which share each batch",
            f"{plan.options.batch_size} for {processes.size} processes",
            "Give a larger one, or start fewer processes.",
        )
    nets = plan.networks()
    texts = plan.preprocess if isinstance(plan.preprocess, TextPreprocess) else None
    notes: tuple[str, ...] = ()
    if start is not None:
        load_networks(nets, start)
    elif texts:
        notes = give_word_vectors(nets, texts, plan.options, [source, target])
    for net in nets.values():
        if texts and isinstance(net, WordReader):
            net.know_words(texts.words)
    trainer = Trainer(
        plan.method,
        nets,
        _for_training(plan.preprocess.of("source"), source, nets.get("source_features")),
        _for_training(plan.preprocess.of("target"), target, nets.get("target_features")),
        plan.preprocess,
        plan.options,
        processes,
        hooks,
        validation,
    )
    trainer.notes = notes
    return trainer


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
