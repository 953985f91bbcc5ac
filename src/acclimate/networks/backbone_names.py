"""What networks that people bring are called, and which of them may be run; see `acclimate.networks.backbones`."""

from __future__ import annotations

import os
import re

from acclimate.errors import RequestError

# Our own network of which only the classifier learns, on features that are computed once.
FROZEN = "frozen"
TIMM, HF, PT2 = "timm:", "hf:", ".pt2"
ALL, NONE = "all", "none"
ALLOWED = "ACCLIMATE_NETWORKS"
_FACTORY = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

_allowed: set[str] = set()


def is_backbone(name: str) -> bool:
    """Whether a network's name is one of these."""
    spec = name.partition("#")[0]
    return spec.startswith((TIMM, HF)) or spec.endswith(PT2) or _FACTORY.fullmatch(spec) is not None


def named(network: str, freeze_until: str | None) -> str:
    """The name of a backbone of which only the later layers learn.

    Raises:
        RequestError: if it is a network of acclimate's, which learns as a whole.
    """
    if freeze_until is None:
        return network
    if not is_backbone(network):
        rule = "must be left out unless the network is one of your own"
        raise RequestError("freeze_until", rule, repr(network), "Leave it out, or give --network hf:NAME.")
    return f"{network.partition('#')[0]}#{freeze_until}"


def allow(name: str) -> None:
    """Let a network that is code be loaded in this process: its user has typed its name."""
    _allowed.add(name.partition("#")[0])


def check_allowed(spec: str) -> None:
    """Let pass a network that is code if its user has named it.

    Raises:
        RequestError: if nobody has.
    """
    if spec in _allowed or spec in os.environ.get(ALLOWED, "").split(","):
        return
    raise RequestError(
        "network",
        "must be allowed to run, as it is code, where a run names it and not you",
        repr(spec),
        f"If you trust it, set the environment variable {ALLOWED}={spec}",
    )
