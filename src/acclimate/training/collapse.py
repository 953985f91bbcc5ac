"""Answers that leave out classes: because they are not learnt, confused on the target, or not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from acclimate.metrics.classification import uneven
from acclimate.runs.findings import Finding
from acclimate.training.probe import Probed
from acclimate.training.proportions import ASSUMED, LABELS_TELL

# Share of the way from one effective class to as many as the source has. Measured on the answers of 209 real runs:
# 0.35 to 0.68 in seven, in each of which a class had a recall below 10 %; at least 0.82 in all others.
_COLLAPSED = 0.5
# Share of the way from guessing to right on which a mean recall on the source must be to call something learnt.
_LEARNT = 0.3
# Answered less than this share of what the source suggests, where at least 8 answers were expected. In the same runs
# the rarest answer lay below it in the same seven, and at 0.33 or above in all others.
_MISSED, _EXPECTED = 0.1, 8.0
# Spread as over fewer classes than this: nearly all answers are one.
_ALONE = 1.2


def collapsed(step: int, look: Probed, classes: Sequence[str]) -> Finding | None:
    """Answers on the target that are spread over far fewer classes than the source's labels, or miss one of them.

    Args:
        step: now.
        look: counts of answers and of source labels.
        classes: names.
    """
    if not look.expected.any():
        return None  # there is no source to compare with
    full, breadth = effective_classes(look.expected), effective_classes(look.target)
    source, target = look.expected / look.expected.sum(), look.target / look.target.sum()
    expected = source * look.target.sum()
    missed = np.flatnonzero((expected >= _EXPECTED) & (look.target < _MISSED * expected)).tolist()
    if breadth - 1 < _COLLAPSED * (full - 1):
        top = int(target.argmax())
        seen = (
            f"The answers on the target have collapsed: “{classes[top]}” is {_percent(target[top])} of them "
            f"({_percent(source[top])} of the source). They are spread as over {breadth:.2f} classes, the source’s "
            f"labels as over {full:.2f}."
        )
    elif len(missed):
        named = ", ".join(
            f"“{classes[c]}” {_percent(target[c])} ({_percent(source[c])} of the source)" for c in missed
        )
        seen = f"Classes are all but missing from the answers on the target: {named}."
    else:
        return None
    if (untaught := _not_learnt(step, look, seen)) is not None:
        return untaught
    return Finding(
        "class-collapse",
        step,
        "warning",
        f"{seen} Either the target has such proportions, or classes are taken for each other there.",
        f"Trust no answer yet. {LABELS_TELL} If the proportions are the source's, lower lr or the weight of the "
        f"adaptation, or train longer; if they may differ, know this: {ASSUMED}",
    )


def alone(step: int, look: Probed, classes: Sequence[str]) -> Finding | None:
    """Answers on the target that are nearly all of one class, where any of the source's may be absent.

    Args:
        step: now.
        look: counts of answers and of source labels.
        classes: names.
    """
    if len(classes) < 3 or effective_classes(look.target) >= _ALONE:
        return None
    top = int(look.target.argmax())
    seen = f"The answers on the target are “{classes[top]}” in {_percent(look.target[top] / look.target.sum())}."
    if (untaught := _not_learnt(step, look, seen)) is not None:
        return untaught
    return Finding(
        "class-collapse",
        step,
        "warning",
        f"{seen} Either the target has hardly any other class, or the classes that it has were taken for absent.",
        f"Trust no answer yet. {LABELS_TELL} If there are others, look at the model without adaptation, or take fewer"
        " rounds: classes once weighted low seldom come back.",
    )


def among_known(step: int, look: Probed, classes: Sequence[str]) -> Finding | None:
    """As `collapsed` for those answers that name a class; the last of the classes is for the unknown.

    Args:
        step: now.
        look: counts of answers and of source labels.
        classes: names, the last one's of what the source does not know.
    """
    named = look.target.copy()
    named[-1] = 0
    if named.any():
        return collapsed(step, replace(look, target=named), classes)
    return Finding(
        "class-collapse",
        step,
        "warning",
        f"Every answer on the target is “{classes[-1]}”.",
        "Trust no answer yet: lower lr or train longer; if both sides truly have no class in common, there is "
        "nothing to adapt.",
    )


def narrower(step: int, before: np.ndarray, after: np.ndarray, classes: Sequence[str]) -> Finding | None:
    """Answers that adaptation has drawn together on far fewer classes, where there is no source to compare with.

    Args:
        step: now.
        before: `(n,)` answers of the model begun with, on the target.
        after: `(m,)` answers now.
        classes: names.
    """
    counts = [np.bincount(answers, minlength=len(classes)) for answers in (before, after)]
    full, breadth = (effective_classes(count) for count in counts)
    if breadth - 1 >= _COLLAPSED * (full - 1):
        return None
    top = int(counts[1].argmax())
    shares = [count[top] / count.sum() for count in counts]
    return Finding(
        "class-collapse",
        step,
        "warning",
        f"The answers on the target have collapsed: “{classes[top]}” is {_percent(shares[1])} of them "
        f"({_percent(shares[0])} before adaptation). They are spread as over {breadth:.2f} classes, before as over "
        f"{full:.2f}.",
        f"Trust no answer yet, and rather use the model begun with. {LABELS_TELL} A lower lr moves it less.",
    )


def _not_learnt(step: int, look: Probed, seen: str) -> Finding | None:
    """Answers that are no better on the source: there is nothing yet that could be confused on the target."""
    there = look.expected > 0
    found, guessed = float((look.right[there] / look.expected[there]).mean()), 1 / int(there.sum())
    if found >= guessed + _LEARNT * (1 - guessed):
        return None
    even = "let every class count alike (weights=balanced), " if uneven(look.expected) else ""
    return Finding(
        "not-learnt",
        step,
        "warning",
        f"{seen} On the source it is hardly better: {_percent(found)} of a class are found on average, where "
        f"guessing finds {_percent(guessed)}.",
        f"Not enough has been learnt to judge the target by: {even}train longer, or change lr.",
    )


def effective_classes(counts: np.ndarray) -> float:
    """The exponential of the shares' entropy: k for k equally frequent classes, 1 for a single one.

    Args:
        counts: `(k,)`, not all zero.
    """
    shares = counts[counts > 0] / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


@dataclass(frozen=True)
class Expected:
    """What the source's classes let expect of the answers on the target.

    Attributes:
        spread: what a look's answers must not be like; None where they are no classes.
        shares: whether the final answers' shares are held against the source's.
    """

    spread: Callable[[int, Probed, Sequence[str]], Finding | None] | None
    shares: bool


ALL_CLASSES = Expected(collapsed, shares=True)
SOME_CLASSES = Expected(alone, shares=False)
AND_UNKNOWN = Expected(among_known, shares=False)
NO_CLASSES = Expected(None, shares=False)
