"""`Plan`: everything that a method, a network, options and two domains decide, before the first step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.pairing import check_pair, check_same_encoder, check_same_kind
from acclimate.data.preprocess import AnyPreprocess, Sides
from acclimate.data.shared import shared_inputs
from acclimate.data.text import TextPreprocess
from acclimate.errors import RequestError
from acclimate.methods.base import Method
from acclimate.networks.architecture import Architecture, CustomArchitecture
from acclimate.networks.registry import architecture
from acclimate.networks.row_space import in_row_space
from acclimate.runs.options import TrainingOptions
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
from acclimate.training.randomness import seeded
from acclimate.training.retrieval import query_network, resolve_retrieval
from acclimate.training.trainer import epoch_steps
from acclimate.training.word_vectors import word_width


@dataclass(frozen=True)
class Plan:
    """Everything decided before the first step.

    Attributes:
        method: what to do with a batch.
        network: name of the architecture, or `"custom"`.
        architecture: builds the networks.
        preprocess: turns inputs into tensors.
        options: with nothing left open, once `make_plan` gives the plan out.
        classes: names of the classes a model will tell apart.
    """

    method: Method
    network: str
    architecture: Architecture
    preprocess: AnyPreprocess
    options: TrainingOptions
    classes: tuple[str, ...]

    @property
    def processes(self) -> Processes:
        """This process's device, and its place among others."""
        return Processes(self.options.device)

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

    def settled(self) -> Plan:
        """The plan with the number format decided, the same in every process."""
        seen = "features" if self.network == FROZEN else self.preprocess.of("source").kind
        precision = choose_precision(self.options.precision, seen, self.processes)
        return replace(self, options=self.options.model_copy(update={"precision": precision}))


Draft = Callable[[Method, Domain, Domain, str | nn.Module | None, Mapping[str, Any]], Plan]


def make_plan(
    method: Method,
    source: Domain,
    target: Domain,
    *,
    network: str | nn.Module | None = None,
    options: Mapping[str, Any] | None = None,
) -> Plan:
    """Decide network, preprocessing and options: here, once, and nowhere else.

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
    if source.kind not in method.kinds:
        raise RequestError(
            "method",
            f"must be one for {source.kind}",
            f"{method.name!r}, which is for {' and '.join(method.kinds)}",
            "See what there is with: acclimate methods",
        )
    draft = _drafted_by(method, source)
    return draft(method, source, target, network, options or {}).settled()


def _drafted_by(method: Method, source: Domain) -> Draft:
    if method.retrieves:
        return _for_retrieval
    if method.heterogeneous:
        return _for_own_features
    return _for_texts if source.kind == "text" else _for_one_form


def _for_retrieval(
    method: Method, source: Domain, target: Domain, network: str | nn.Module | None, options: Mapping[str, Any]
) -> Plan:
    """For queries and a gallery."""
    name = query_network(network, source)
    return Plan(method, name, *resolve_retrieval(method, name, source, target, options), source.classes)


def _for_one_form(
    method: Method, source: Domain, target: Domain, network: str | nn.Module | None, options: Mapping[str, Any]
) -> Plan:
    """For images or features of one form on both sides."""
    check_same_encoder(source, target)
    if method.network is not None and network not in (None, method.network):
        raise RequestError(
            "network",
            f"must be {method.network!r} for the method {method.name!r}, which is made for no other",
            repr(network) if isinstance(network, str) else f"a {type(network).__name__}",
            "Leave network out.",
        )
    domains = [source, target]
    name = chosen_network(method, domains, network, options)
    needs = {} if name == "custom" else architecture(name, 3).recipe
    resolved = TrainingOptions.resolve({**method.recipe, **needs}, options)
    preprocess = of_both(name, domains, longest_side(domains), resolved)
    built = (
        CustomArchitecture(
            preprocess.channels, network, preprocess.batch(preprocess.fit(source.take(slice(2))).inputs, None)
        )
        if isinstance(network, nn.Module)
        else architecture(name, preprocess.inputs)
    )
    return Plan(method, name, built, preprocess, resolved, source.classes)


def _for_own_features(
    method: Method, source: Domain, target: Domain, network: str | nn.Module | None, options: Mapping[str, Any]
) -> Plan:
    """For sides that each have features of their own."""
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
    return Plan(
        method,
        "projectors",
        architecture("projectors", two.channels, one.channels, shared=sides.shared),
        sides,
        resolved.model_copy(update={"normalisation": asked or own_scaling(target, usual)}),
        source.classes,
    )


def _for_texts(
    method: Method, source: Domain, target: Domain, network: str | nn.Module | None, options: Mapping[str, Any]
) -> Plan:
    """For texts on both sides."""
    check_same_encoder(source, target)
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
        [source, target],
        most=resolved.vocabulary,
        limit=resolved.words,
        signs=method.signs,
        dropout=resolved.word_dropout,
    )
    return Plan(
        method,
        "memory",
        architecture("memory", preprocess.channels, word_width=width),
        preprocess,
        resolved.model_copy(update={"word_width": width}),
        source.classes,
    )
