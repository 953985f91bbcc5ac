"""`Fitted`: a trained model, and what it says about examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import nn

from acclimate.data.domain import Domain
from acclimate.errors import RequestError
from acclimate.methods.abilities import Decodes
from acclimate.training import inference
from acclimate.training.plan import Plan
from acclimate.types import Outputs, Side


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
            at_once=inference.examples_at_once(self.plan.options),
        )

    def logits(self, domain: Domain, ends: np.ndarray) -> np.ndarray:
        """Logits `(n, k)` of target examples, raw or in stored form, in batches that begin at these rows."""
        preprocess = self.plan.preprocess.of("target")
        stored = preprocess.fit(domain)
        return inference.logits(self.plan.method, self.nets, stored, preprocess, self.device, ends)

    def codes(self, domain: Domain, side: Side = "target") -> np.ndarray:
        """Features `(n, d)` of a domain, raw or in stored form."""
        preprocess = self.plan.preprocess.of(side)
        stored = preprocess.fit(domain)
        at_once = inference.examples_at_once(self.plan.options)
        return inference.codes(
            self.plan.method, self.nets, stored, preprocess, self.device, side=side, at_once=at_once
        )

    def decoded(self, codes: np.ndarray, to: Side) -> np.ndarray:
        """Images uint8 `(n, h, w, c)` of the side `to` that have these codes; for methods that translate."""
        return inference.decoded(self._decoder(), self.nets, codes, self.plan.preprocess, self.device, to=to)

    def translated(self, domain: Domain, side: Side) -> inference.Translated:
        """What the model makes of a side's images, raw or in stored form; for methods that translate."""
        preprocess = self.plan.preprocess
        stored = preprocess.of(side).fit(domain)
        return inference.translated(self._decoder(), self.nets, stored, preprocess, self.device, side=side)

    def _decoder(self) -> Decodes:
        self.check_translates("model")
        return cast(Decodes, self.plan.method)

    def check_translates(self, argument: str) -> None:
        """Let pass a model that can turn images of one side into the other's.

        Raises:
            RequestError: naming `argument`, and what it is instead.
        """
        if isinstance(self.plan.method, Decodes):
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
