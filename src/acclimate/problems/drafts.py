"""The usual draft of a plan: for two sides of one form, images, features or texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.pairing import check_same_encoder, check_same_kind
from acclimate.data.text import TextPreprocess
from acclimate.errors import RequestError
from acclimate.inputs.preparation import COUNTS, FOR_FEATURES, chosen_network, longest_side, of_both
from acclimate.inputs.text_features import text_features
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
    if source.kind != "text":
        of_kind = _of_arrays
    else:
        of_kind = _of_text_features if options.get("text_features") else _of_texts
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
            "Leave network out, or add --text-features tfidf; a sentence encoder's features are made beforehand: "
            "acclimate data encode-texts TEXTS --encoder NAME --out OUT.npz",
        )
    resolved = TrainingOptions.resolve(method.recipe, options)
    width, preprocess = word_width(resolved), _words(method, [source, target], resolved, options)
    return Plan(
        method,
        "memory",
        architecture("memory", preprocess.channels, word_width=width),
        preprocess,
        resolved.model_copy(update={"word_width": width}),
        source.classes,
    )


def _of_text_features(
    method: Method, source: Domain, target: Domain, network: Network, options: Mapping[str, Any]
) -> Plan:
    """For texts that are turned into rows of numbers first."""
    name = needs.only_network(method) or network or COUNTS
    if name not in FOR_FEATURES:
        raise RequestError(
            "network",
            f"must be one of {', '.join(FOR_FEATURES)} for texts as numbers",
            repr(name) if isinstance(name, str) else f"a {type(name).__name__}",
            "Leave network out.",
        )
    resolved = TrainingOptions.resolve({**method.recipe, **architecture(name, 1).recipe}, options)
    domains = [source, target]
    words = _words(method, domains, resolved, options)
    preprocess = text_features(str(resolved.text_features), words, domains)
    return Plan(method, name, architecture(name, preprocess.inputs), preprocess, resolved, source.classes)


def _words(
    method: Method, domains: list[Domain], resolved: TrainingOptions, asked: Mapping[str, Any]
) -> TextPreprocess:
    """How texts are read as words.

    Raises:
        RequestError: if a scaling was asked for; a recipe may say what is to be done with tables.
    """
    if (scaling := asked.get("normalisation")) is not None:
        fix = "Leave normalisation out."
        raise RequestError("normalisation", "must not be set for texts", repr(scaling), fix)
    return TextPreprocess.of_texts(
        domains,
        most=resolved.vocabulary,
        limit=resolved.words,
        signs=needs.punctuation(method),
        dropout=resolved.word_dropout,
    )
