"""What the health checks get to see of a training: looks at the networks, and the final answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acclimate.data.domain import Domain
from acclimate.training.collapse import narrower
from acclimate.training.health import Health
from acclimate.training.hooks import Hooks
from acclimate.training.probe import Probe
from acclimate.training.proportions import answers_are_judged, judged
from acclimate.types import Outputs

Rows = list[dict[str, Any]]


class CheckUp:
    """Shows a training to the checks that `health` remembers; changes nothing of it.

    Args:
        probe: looks at a fixed sample of each side.
        source: what is trained on, in stored form.
        target: likewise; its labels are not read.
        health: the checks.
        hooks: bring source examples that no step trains on, and the answers of the model without adaptation.
    """

    def __init__(self, probe: Probe, source: Domain, target: Domain, health: Health, hooks: Hooks) -> None:
        self.probe, self.source, self.target, self.health, self.hooks = probe, source, target, health, hooks

    def look(self, step: int, *, final: bool) -> Rows:
        """Look at the networks; returns rows to record."""
        seen = self.probe(apart=self.health.asks_whether_apart(step), final=final)
        return [] if seen is None else self.health.look(step, seen)

    def conclude(self, step: int, outputs: Callable[[Domain, str], Outputs]) -> Rows:
        """Look at the finished model, judge its answers on both sides, and end; returns rows to record.

        Args:
            step: the last one; early stopping may have made it so.
            outputs: what the model says about a domain of a role.
        """
        self.health.steps = step
        rows = self.look(step, final=True)
        judged_by_shares = self.health.expected.shares
        if judged_by_shares and answers_are_judged(self.probe.method, self.source, self.target):
            held_out = self.hooks.held_out or self.source
            found = judged(outputs, held_out, self.source, self.target, self.hooks.baseline, step)
            rows += self.health.judge_answers(step, found)
        elif not len(self.source) and self.hooks.baseline is not None:
            answers = outputs(self.probe.target, "target").logits.argmax(axis=1)
            found = {"class-collapse": narrower(step, self.hooks.baseline.answers, answers, self.source.classes)}
            rows += self.health.judge_answers(step, found)
        return [*rows, self.health.conclude(step)]
