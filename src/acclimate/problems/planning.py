"""The one place where method, network, preprocessing and options are decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.data.pairing import check_pair
from acclimate.errors import RequestError
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.problems.base import problem_called
from acclimate.runs.options import validated
from acclimate.training.plan import Plan


def make_method(name: str, options: Mapping[str, Any]) -> Method:
    """The method of that name with its options checked.

    Raises:
        UnknownNameError: if there is no such method or option.
        RequestError: if an option's value breaks its rule.
    """
    component = discovery.find("method", name, discovery.methods())
    method: Method = validated(component.load(), options, f"option of {name}")
    return method


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
    problem_called(method.problem).check_asks(source, method.name)
    kind = needs.seen(source.kind, options or {})
    if kind not in needs.kinds(method):
        raise RequestError(
            "method",
            f"must be one for {kind}",
            f"{method.name!r}, which is for {' and '.join(needs.kinds(method))}",
            f"See what there is with: acclimate methods --kind {source.kind}",
        )
    if source.is_on_disk or target.is_on_disk:
        _check_takes_batches(method)
    return problem_called(method.problem).draft(method, source, target, network, options or {}).settled()


def _check_takes_batches(method: Method) -> None:
    """Refuse a method that cannot be trained on a table larger than memory.

    Raises:
        RequestError: naming it.
    """
    apart = method.problem in ("heterogeneous", "retrieval", "translation")
    if not apart and not needs.takes_all_at_once(method):
        return
    raise RequestError(
        "method",
        "must learn from batches alone where a table is larger than memory",
        f"{method.name!r}, which needs something of every example at once",
        "Choose one that is trained by steps, such as mcd or dann, give more --memory, or take a sample of the rows.",
    )
