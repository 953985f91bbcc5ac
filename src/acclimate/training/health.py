"""Noticing while training that something has gone wrong.

Each check is a pure function of logged means or of what was `Probed`, or None. `Health` remembers what they need
and decides when to speak: what a look shows must be there at the next look too, and what has passed is said to be
over. No check sees a target label, and none changes anything. docs/health.md tells the rules and their limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from acclimate.runs.findings import CHECKS, Finding, checked, noticed, over
from acclimate.training.collapse import ALL_CLASSES, Expected
from acclimate.training.probe import Probed
from acclimate.training.proportions import LABELS_TELL, distance

Row = dict[str, Any]

# Logs are judged by their means over this share of the training; a finding is over after as long without it.
_WINDOW = 0.1
# Looks are at least this many steps apart, and at most this many. At 512 examples each, without gradients, they
# cost about 1 % of a training with batches of 128, and less of a long one.
_LOOK_STEPS, _LOOKS = 100, 20

# The usual λ is at 0.96 by 40 % of the training; before, a discriminator ahead of the features is no illness.
# Measured on 27 DANN runs: up to 96 % in some tenth before, at most 91 % after, that in the run that aligned least.
_SATURATED, _RAMPED = 0.95, 0.4
# In the same runs one discriminator stayed below 55 % throughout, on features that a linear classifier cannot tell
# apart either. Only where it can was there something to learn.
_BLIND, _SEPARABLE, _EARLY = 0.55, 0.8, 0.2
# Two classifiers that have learnt the same labels differ on a few per cent; on more than half they share nothing.
_DISAGREE = 0.5
# So many times what it began with, and so many times what guessing costs (ln k). Both, because Deep CORAL's distance
# begins near nothing: measured, it grew fiftyfold in healthy runs and stayed below 0.2.
_EXPLODED = 10.0
_OF_OTHERS = (
    "The target's own would be no cure: they are those of other classes than the source's. A network without batch "
    f"norm has none. {LABELS_TELL}"
)
# Measured: source only on MNIST → USPS, far behind AdaBN, lies 0.7 off and would change 42 % of its answers; MCD
# there 0.3 and 6 %; source only on the demo, which AdaBN hardly helps, 0.3 and 7 %.
_FOREIGN, _CHANGED = 0.5, 0.1
# Answers whose shares would come nearer to the source's by this are worth a word about proportions.
_NEARER = 0.1


def diverged(now: int, first: tuple[str, int] | None, steps: int, lr: float, *, bf16: bool) -> Finding:
    """What to say of a training that cannot go on.

    Args:
        now: the step at which it was noticed.
        first: the log that went first and the step at which; None if all logs were finite and weights were not.
        steps: in all.
        lr: learning rate that was asked for.
        bf16: whether the networks computed in bf16.
    """
    name, step = first or ("a weight or a moment of the optimizer", now)
    others = ", precision=fp32 or clip_norm=1" if bf16 else " or clip_norm=1"
    return Finding(
        "diverged",
        now,
        "stopped",
        f"Training diverged: {name} went first, no finite number at step {step} of {steps}.",
        f"Try a lower learning rate than {lr:g}{others}; the same settings would end here again.",
    )


def first_broken(window: Mapping[str, Sequence[float]], last: int, steps: int) -> tuple[str, int] | None:
    """The log that was first not to be a finite number, and the step at which.

    Args:
        window: by name, in the order in which a step logs them, every value of the last `steps` steps. A log that a
            step makes several times is one of several values; one that some steps lack is placed in proportion.
        last: the last of those steps.
        steps: how many they were.
    """
    broken = []
    for order, (name, values) in enumerate(window.items()):
        places = np.flatnonzero(~np.isfinite(values))
        if len(places):
            broken.append((last - steps + 1 + int(places[0]) * steps // len(values), order, name))
    if not broken:
        return None
    step, _, name = min(broken)
    return name, step


def saturated(step: int, accuracy: float) -> Finding | None:
    """A discriminator that is nearly always right.

    Args:
        step: now, after the ramp of λ.
        accuracy: mean domain accuracy over the last tenth of the training.
    """
    if accuracy < _SATURATED:
        return None
    return Finding(
        "discriminator-saturated",
        step,
        "warning",
        f"The domain classifier was right on {_percent(accuracy)} of examples over the last tenth of the training. "
        "It has won: the features of the two domains are not aligned, and the gradient that it sends back fades.",
        "Raise max_reversal if it is below 1, train longer, try a network with batch norm, or take a method without "
        "a domain classifier, such as mcc or mcd. A falling domain loss is no success: a domain accuracy near 50 % "
        "is the aim, if classes are as frequent in the target as in the source; else it is none.",
    )


def blind(step: int, best: float, look: Probed) -> Finding | None:
    """A discriminator that was never better than chance although the domains can be told apart.

    Args:
        step: now.
        best: highest mean domain accuracy over any tenth of the training.
        look: with `told_apart`.
    """
    if best >= _BLIND or look.told_apart is None:
        return None
    share, n = look.told_apart
    by_chance = math.sqrt(0.25 / n)
    if share < max(_SEPARABLE, 0.5 + 4 * by_chance):
        return None
    return Finding(
        "discriminator-blind",
        step,
        "warning",
        f"The domain classifier has learnt nothing: in no tenth of the training was it right on more than "
        f"{_percent(best)} of examples, where a linear one is right on {_percent(share)}. So it teaches the features "
        "nothing, and this is training on the source alone.",
        "Raise lr or the weight of the domain loss (domain_weight; of amn max_reversal), lower weight_decay, or, if "
        "the discriminator is yours, see whether its weights move.",
    )


def disagreeing(step: int, look: Probed) -> Finding | None:
    """Classifiers on one feature extractor that seldom give the same answer on the target."""
    if look.disagreement is None or look.disagreement < _DISAGREE:
        return None
    return Finding(
        "classifiers-disagree",
        step,
        "warning",
        f"The classifiers give different answers on {_percent(look.disagreement)} of target examples: their "
        "discrepancy has run away, and the features no longer bring them together.",
        "Lower lr, give the features more steps (n), or set clip_norm=1.",
    )


def exploded(step: int, first: Mapping[str, float], means: Mapping[str, float], num_classes: int) -> Finding | None:
    """A loss or discrepancy far above what it began with.

    Args:
        step: now.
        first: what each was before training had much effect.
        means: their means over the last tenth of the training.
        num_classes: k; guessing costs ln k.
    """
    for name in filter(_is_loss, means):
        if means[name] > _EXPLODED * max(first[name], math.log(num_classes)):
            return Finding(
                "exploding-loss",
                step,
                "warning",
                f"{name} has exploded: {means[name]:.3g} on average over the last tenth of the training, after "
                f"{first[name]:.3g} at its beginning.",
                "Lower lr or the weight of that loss, or set clip_norm=1.",
            )
    return None


def _is_loss(name: str) -> bool:
    return name.endswith("loss") or name.startswith("discrepancy") or name in ("mmd", "coral")


def foreign(step: int, look: Probed, classes: Sequence[str], expected: Expected = ALL_CLASSES) -> Finding | None:
    """Batch-norm statistics in use that are not the target's, to the point of changing answers.

    Args:
        step: now.
        look: with `statistics`.
        classes: names.
        expected: whether the target's own would be those of the source's classes, and so a cure.
    """
    fit = look.statistics
    if fit is None or fit.target < _FOREIGN or fit.changed < _CHANGED:
        return None
    whose = "the source’s" if fit.source < fit.target / 2 else "a mixture of both domains’"
    return Finding(
        "foreign-statistics",
        step,
        "warning",
        f"The batch-norm statistics in use are {whose}: at {fit.layer} the target lies {fit.target:.1f} standard "
        f"deviations off. With its own statistics {_percent(fit.changed)} of its answers would be others.",
        _adopted(look, fit.shares, classes) if expected.shares else _OF_OTHERS,
    )


def _adopted(look: Probed, shares: Sequence[float], classes: Sequence[str]) -> str:
    """What takes the target's own statistics, and what they would do."""
    return (
        f"If the target's class proportions are the source's, try adabn, which takes the target's statistics after "
        f"training, or a method that ends so, such as dann or mcc.{_would_move(look, shares, classes)}"
    )


def _would_move(look: Probed, shares: Sequence[float], classes: Sequence[str]) -> str:
    """What the target's own statistics would do to the answers' shares, where it brings them nearer the source's."""
    now, then, labels = look.target / look.target.sum(), np.array(shares), look.expected / look.expected.sum()
    if distance(now, labels) - distance(then, labels) < _NEARER:
        return ""
    top = int(np.abs(then - now).argmax())
    return (
        f" With those statistics “{classes[top]}” would go from {_percent(now[top])} of the answers to "
        f"{_percent(then[top])} ({_percent(labels[top])} of the source): right if the proportions are equal, and "
        "harm if not."
    )


class Health:
    """What the checks of one training need to remember, and what they have found.

    Args:
        steps: of the training in all.
        classes: names.
        expected: what the source's classes let expect of answers on the target.
    """

    def __init__(self, steps: int, classes: Sequence[str], expected: Expected = ALL_CLASSES) -> None:
        self.steps, self.classes, self.expected = steps, classes, expected
        self._first: dict[str, float] = {}
        self._recent: list[tuple[int, dict[str, float]]] = []
        self._best_domain_accuracy: float | None = None
        self._suspected: list[str] = []
        self._holding: dict[str, Finding] = {}
        self._last_seen: dict[str, int] = {}
        self._made = {"diverged", "not-learnt", "class-collapse", "exploding-loss"}

    @property
    def holding(self) -> tuple[Finding, ...]:
        """What was found and is not over."""
        return tuple(self._holding.values())

    def log(self, step: int, means: Mapping[str, float]) -> list[Row]:
        """Take in a row of logged means; returns rows to record."""
        self._first = {**means, **self._first}
        before = self._recent[-1][0] if self._recent else 0
        self._recent.append((step, dict(means)))
        # A hundred judgements are enough; more would be felt where a step takes a millisecond.
        if step < self.steps and 100 * step // self.steps == 100 * before // self.steps:
            return []
        self._recent = [(s, row) for s, row in self._recent if s > step - _WINDOW * self.steps]
        if step < _WINDOW * self.steps:
            return []
        recent = {name: float(np.mean([row[name] for _, row in self._recent if name in row])) for name in means}
        rows = self._judge("exploding-loss", step, exploded(step, self._first, recent, len(self.classes)))
        if (accuracy := recent.get("domain_accuracy")) is not None:
            self._made |= {"discriminator-saturated", "discriminator-blind"}
            self._best_domain_accuracy = max(accuracy, self._best_domain_accuracy or 0.0)
            if step >= _RAMPED * self.steps:
                rows += self._judge("discriminator-saturated", step, saturated(step, accuracy))
        return rows

    def look_is_due(self, step: int) -> bool:
        """Whether to look at the networks after this step; the end has a look of its own."""
        return step < self.steps and step % max(_LOOK_STEPS, math.ceil(self.steps / _LOOKS)) == 0

    def asks_whether_apart(self, step: int) -> bool:
        """Whether a look should try to tell the domains apart: only under suspicion, as it costs two more passes."""
        best = self._best_domain_accuracy
        return best is not None and best < _BLIND and step >= _EARLY * self.steps

    def look(self, step: int, look: Probed) -> list[Row]:
        """Take in a look; returns rows to record."""
        spread = self.expected.spread
        if spread is None or not look.expected.any():  # there are no classes, or no source to compare with
            self._made -= {"not-learnt", "class-collapse"}
        found = spread and spread(step, look, self.classes)
        rows = self._judge_look("not-learnt", step, _of_kind("not-learnt", found))
        rows += self._judge_look("class-collapse", step, _of_kind("class-collapse", found))
        if look.disagreement is not None:
            self._made.add("classifiers-disagree")
            rows += self._judge_look("classifiers-disagree", step, disagreeing(step, look))
        if self._best_domain_accuracy is not None:
            rows += self._judge_look("discriminator-blind", step, blind(step, self._best_domain_accuracy, look))
        if look.statistics is not None:
            self._made.add("foreign-statistics")
            rows += self._judge_look("foreign-statistics", step, foreign(step, look, self.classes, self.expected))
        return rows

    def judge_answers(self, step: int, found: Mapping[str, Finding | None]) -> list[Row]:
        """Take in what the final answers show, by kind of check; returns rows to record."""
        self._made |= set(found)
        return [row for kind, finding in found.items() for row in self._judge(kind, step, finding)]

    def conclude(self, step: int) -> Row:
        """The row that says which checks were made."""
        return checked([kind for kind in CHECKS if kind in self._made], step)

    def _judge_look(self, kind: str, step: int, found: Finding | None) -> list[Row]:
        """Two looks in a row must show it, or the last one."""
        if found is None:
            self._suspected = [k for k in self._suspected if k != kind]
        elif kind not in self._suspected and step < self.steps:
            self._suspected.append(kind)
            found = None if kind not in self._holding else found
        return self._judge(kind, step, found)

    def _judge(self, kind: str, step: int, found: Finding | None) -> list[Row]:
        if found is not None:
            self._last_seen[kind] = step
            if kind in self._holding:
                return []
            self._holding[kind] = found
            return [noticed(found)]
        away = step - self._last_seen.get(kind, step)
        if kind in self._holding and (away >= _WINDOW * self.steps or step == self.steps):
            del self._holding[kind]
            return [over(kind, step)]
        return []

    def state_dict(self) -> dict[str, Any]:
        """Everything remembered, as plain data for JSON."""
        return {
            "first": self._first,
            "recent": [[step, row] for step, row in self._recent],
            "best_domain_accuracy": self._best_domain_accuracy,
            "suspected": self._suspected,
            "holding": [asdict(finding) for finding in self._holding.values()],
            "last_seen": self._last_seen,
            "made": sorted(self._made),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state_dict` gave."""
        self._first = dict(state["first"])
        self._recent = [(int(step), dict(row)) for step, row in state["recent"]]
        self._best_domain_accuracy = state["best_domain_accuracy"]
        self._suspected = list(state["suspected"])
        self._holding = {found["kind"]: Finding(**found) for found in state["holding"]}
        self._last_seen = dict(state["last_seen"])
        self._made = set(state["made"])


def _of_kind(kind: str, found: Finding | None) -> Finding | None:
    """The finding, if it is of that kind."""
    return found if found is not None and found.kind == kind else None


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
