"""Answering a stream with a model that adapts on the way: each batch is answered, then learnt from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from acclimate import discovery
from acclimate.data.domain import Domain
from acclimate.methods.online import Model, Online, Said
from acclimate.runs.options import validated
from acclimate.selection.guard import Guard, Order
from acclimate.streams.order import ordered
from acclimate.training.fitted import Fitted, softmax
from acclimate.types import Side

_LOOKED_AT = 2  # every second example of a batch is answered by the model begun with too
_PATIENCE = 3  # so often the guard lets adaptation begin again
_SEED = 0  # of shuffled orders, always the same


class StreamOptions(BaseModel):
    """How a stream is cut into batches, and when adaptation begins anew."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    batch_size: int = Field(64, ge=1, le=2**20, description="Examples answered together, then learnt from.")
    order: Literal["given", "shuffled"] = Field(
        "given", description="Examples as they stand, or shuffled, where they are sorted as no stream is."
    )
    reset: int | None = Field(None, ge=1, le=10**9, description="Begin anew after so many batches; by default never.")
    guard: float = Field(
        0.35,
        ge=0,
        le=1,
        description="Share of its right answers that the model as it is may lose, as far as its own probabilities "
        "tell; beyond it adaptation begins anew, and at the third time ends. 1 lets everything pass.",
    )


def adapted_by(name: str, options: Mapping[str, Any]) -> tuple[Online[Any], StreamOptions]:
    """The method of that name, and how to stream, from the options of both by their names.

    Raises:
        UnknownNameError: if no method or option has such a name.
        RequestError: if a value breaks its rule.
    """
    component = discovery.find("adapt", name, discovery.online_methods())
    own = {key: value for key, value in options.items() if key not in StreamOptions.model_fields}
    streams = {key: value for key, value in options.items() if key in StreamOptions.model_fields}
    method: Online[Any] = validated(component.load(), own, f"option of {component.name}")
    return method, validated(StreamOptions, streams, "option")


@dataclass(frozen=True)
class Reset:
    """That adaptation began anew before a batch (counted from 0) was answered, and why."""

    batch: int
    why: str


@dataclass(frozen=True, eq=False)
class Streamed:
    """What became of examples; rows are in the order of the examples given, whatever order they were answered in.

    Attributes:
        logits: `(n, k)`.
        batch: `(n,)` number of the batch in which each was answered.
        adapted: `(n,)` bool: False where the model begun with answered.
        resets: where the guard stepped in meanwhile.
        stopped: whether it has ended adaptation.
    """

    logits: np.ndarray
    batch: np.ndarray
    adapted: np.ndarray
    resets: tuple[Reset, ...]
    stopped: bool


class Adapting:
    """A model that adapts while it answers; the one begun with stays as it is.

    Args:
        fitted: the model begun with.
        online: how to adapt.
        options: when to begin anew.
        side: whose examples are answered.

    Raises:
        RequestError: if the model is none that the method can adapt, or its batches are too small.
    """

    def __init__(
        self, fitted: Fitted, online: Online[Any], options: StreamOptions | None = None, side: Side = "target"
    ) -> None:
        self._fitted, self.online, self.options = fitted, online, options or StreamOptions()
        self.begun = Model(fitted.plan.method, fitted.nets, side)
        online.check(self.begun)
        online.check_batch(self.options.batch_size, "batch_size")
        self.reset()

    def reset(self) -> None:
        """Begin another stream with the model's own weights, and forget this one."""
        self.resets: list[Reset] = []
        self.batches, self.stopped = 0, False
        self._in_order = Order(len(self._fitted.plan.classes))
        self._begin()

    def _begin(self) -> None:
        nets = {name: copy.deepcopy(net).eval() for name, net in self.begun.nets.items()}
        self._model = Model(self.begun.method, nets, self.begun.side)
        self._state = self.online.begin(self._model)
        self._guard = Guard(self.options.guard)

    def facts(self, found: Streamed) -> dict[str, Any]:
        """What became of examples, as data, for people and machines to be told."""
        return {
            "method": self.online.name,
            "title": self.online.title,
            "options": {**self.online.model_dump(), **self.options.model_dump()},
            "batches": int(found.batch.max()) - int(found.batch.min()) + 1,
            "first_batch": int(found.batch.min()),
            "examples": len(found.batch),
            "adapted": int(found.adapted.sum()),
            "resets": [{"batch": reset.batch, "why": reset.why} for reset in found.resets],
            "stopped": found.stopped,
        }

    def answers(self, domain: Domain) -> Streamed:
        """Answer the next examples of the stream, batch after batch.

        Args:
            domain: raw or in stored form; its labels are not looked at.

        Raises:
            RequestError: if there are fewer examples than a batch needs.
        """
        self.online.check_batch(len(domain), "data")
        before, order = len(self.resets), _order(len(domain), self.options.order)
        preprocess = self._fitted.plan.preprocess.of(self.begun.side)
        stored = preprocess.fit(domain).take(order)
        logits, batch, adapted = [], [], []
        for examples in ordered(stored, preprocess, self.options.batch_size, self._fitted.device):
            batch += [self.batches] * len(examples)
            said, by_adapted = self.answer(examples.x)
            logits.append(_array(said.logits))
            adapted += [by_adapted] * len(examples)
        place, resets = np.argsort(order), tuple(self.resets[before:])
        return Streamed(
            np.concatenate(logits)[place], np.array(batch)[place], np.array(adapted)[place], resets, self.stopped
        )

    def answer(self, x: Tensor) -> tuple[Said, bool]:
        """Answer a batch `(b, …)`, then learn from it; also whether the adapted model answered.

        Raises:
            RequestError: if the batch is too small for the method.
        """
        self.online.check_batch(len(x), "data")
        if self.options.reset and self.batches and self.batches % self.options.reset == 0:
            self._begin()
        number, self.batches = self.batches, self.batches + 1
        if self.stopped:
            return self._as_begun(x), False
        said = self.online.step(self._model, self._state, x)
        if (why := self._fault(x, said)) is None:
            return said, self.online.adapts(len(x))
        self.resets.append(Reset(number, why))
        self.stopped |= len(self.resets) >= _PATIENCE
        self._begin()
        return self._as_begun(x), False

    @torch.no_grad()
    def _as_begun(self, x: Tensor) -> Said:
        return self.begun(x)

    def _fault(self, x: Tensor, said: Said) -> str | None:
        """What the guard says of answers; a stream in the wrong order ends adaptation at once."""
        if not bool(said.logits.isfinite().all()):
            return "its answers were no longer numbers"
        if self.options.guard >= 1:
            return None
        begun = softmax(_array(self._as_begun(x[::_LOOKED_AT]).logits))
        if self.online.norms and (why := self._in_order.look(begun.argmax(axis=1))) is not None:
            self.stopped = True
            return why
        return self._guard.look(begun, _array(said.logits[::_LOOKED_AT]).argmax(axis=1))


def _order(n: int, order: str) -> np.ndarray:
    return np.random.default_rng(_SEED).permutation(n) if order == "shuffled" else np.arange(n)


def _array(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
