"""A look at the networks at an evaluation point; nothing of it flows back into training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from acclimate.data.domain import Domain
from acclimate.data.preprocess import AnyPreprocess
from acclimate.methods.abilities import Decodes, Monitors
from acclimate.methods.base import Method
from acclimate.training.hooks import Hooks
from acclimate.training.inference import Translated, monitored, outputs, translated
from acclimate.training.randomness import seeded
from acclimate.types import Outputs, PseudoLabels, Side, side_of


class Evaluation:
    """Runs a method's networks over what the hooks ask for.

    Args:
        method: whose networks they are.
        nets: the networks, as they are trained.
        preprocess: turns stored arrays into input.
        device: where the networks are.
        hooks: say which domains to look at, and what to make of it.
        at_once: examples that the networks answer at once.
    """

    def __init__(
        self,
        method: Method,
        nets: Mapping[str, nn.Module],
        preprocess: AnyPreprocess,
        device: torch.device,
        hooks: Hooks,
        at_once: int,
    ) -> None:
        self.method, self.nets, self.preprocess, self.device = method, nets, preprocess, device
        self.hooks, self.at_once = hooks, at_once

    @property
    def is_asked(self) -> bool:
        """Whether the hooks want to see anything."""
        return self.has_numbers or bool(self.hooks.show)

    @property
    def has_numbers(self) -> bool:
        """Whether anything that they want to see is a number to record."""
        return self.hooks.observe is not None or bool(self.hooks.monitor)

    def numbers(self, step: int, pseudo_labels: PseudoLabels | None) -> dict[str, float]:
        """What the hooks observe and monitor at this step; pictures go to them, too."""
        found: dict[str, float] = {}
        if self.hooks.observe is not None:
            seen = {role: self.outputs(domain, role) for role, domain in self.hooks.evaluate.items()}
            found |= self.hooks.observe(seen, pseudo_labels)
        with seeded(0, self.device):  # a code that is drawn must not move what training draws next
            found |= self._monitored()
            if self.hooks.show:
                self.hooks.picture(step, self._translated())
        return found

    def outputs(self, domain: Domain, role: str = "target") -> Outputs:
        """What the networks say about a domain in stored form; without features, unless these are the answer."""
        preprocess, side, keep = self.preprocess.of(role), side_of(role), self.method.problem == "retrieval"
        how: dict[str, Any] = {"side": side, "keep_features": keep, "at_once": self.at_once}
        return outputs(self.method, self.nets, domain, preprocess, self.device, **how)

    def _monitored(self) -> dict[str, float]:
        """The method's own losses on every role that is monitored, as `<role>_<name>`."""
        found: dict[str, float] = {}
        if not isinstance(self.method, Monitors):
            return found
        for role, domain in self.hooks.monitor.items():
            preprocess, side = self.preprocess.of(role), side_of(role)
            losses = monitored(self.method, self.nets, domain, preprocess, self.device, side=side)
            found |= {f"{role}_{name}": loss for name, loss in losses.items()}
        return found

    def _translated(self) -> dict[Side, Translated]:
        if not isinstance(self.method, Decodes):
            return {}
        return {
            side: translated(self.method, self.nets, domain, self.preprocess, self.device, side=side)
            for side, domain in self.hooks.show.items()
        }
