"""The usual draft of a plan: for two sides of one form, images, features or texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.pairing import check_same_encoder, check_same_kind
from acclimate.data.text import TextPreprocess
from acclimate.errors import RequestError
from acclimate.inputs.preparation import chosen_network, longest_side, of_both
from acclimate.inputs.word_vectors import word_width
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.networks.architecture import CustomArchitecture
from acclimate.networks.backbone_names import FROZEN, is_backbone
from acclimate.networks.registry import architecture
from acclimate.runs.options import TrainingOptions
from acclimate.training.plan import Plan

Network = str | nn.Module | None


def drafted(method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]) -> Plan:
    """A plan for sides of one form; arguments as for `Problem.draft`.

    Raises:
        RequestError: if the sides are of two kinds, or the network or an option does not fit.
    """
    check_same_kind(source, target)
    check_same_encoder(source, target)
    of_kind = _of_texts if source.kind == "text" else _of_arrays
    return of_kind(method, source, target, network, options)


def _of_arrays(method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]) -> Plan:
    """For images or features."""
    if (only := needs.only_network(method)) is not None and network not in (None, only):
        raise RequestError(
            "network",
            f"must be {only!r} for the method {method.name!r}, which is made for no other",
            repr(network) if isinstance(network, str) else f"a {type(network).__name__}",
            "Leave network out.",
        )
    domains = [source, target]
    name = chosen_network(method, domains, network, options)
    if isinstance(network, str) and name == FROZEN and is_backbone(network):
        options = {**options, "photo_encoder": network.partition("#")[0]}
    asked = {} if name == "custom" else architecture(name, 3).recipe
    resolved = TrainingOptions.resolve({**method.recipe, **asked}, options)
    preprocess = of_both(name, domains, longest_side(domains), resolved)
    built = (
        CustomArchitecture(
            preprocess.channels, network, preprocess.batch(preprocess.fit(source.take(slice(2))).inputs[:], None)
        )
        if isinstance(network, nn.Module)
        else architecture(name, preprocess.inputs)
    )
    return Plan(method, name, built, preprocess, resolved, source.classes)


def _of_texts(method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]) -> Plan:
    """For texts."""
    if network not in (None, "memory"):
        raise RequestError(
            "network",
            "must be 'memory' for texts",
            repr(network) if isinstance(network, str) else f"a {type(network).__name__}",
            "Leave network out; features of another encoder are made beforehand: acclimate encode TEXTS OUT.npz",
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
        signs=needs.punctuation(method),
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
