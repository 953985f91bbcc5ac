"""“Can you trust it?”: what speaks for a model that was chosen without target labels, and what against it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from acclimate.errors import WorkError
from acclimate.reports.answers import class_shares, read_answers
from acclimate.reports.audited import headline as audited_headline
from acclimate.reports.drawing import svg
from acclimate.reports.pictures import picture_url
from acclimate.reports.trust_figure import candidates_figure
from acclimate.reports.wording import capital, counted, percent
from acclimate.runs.arrays import read_arrays
from acclimate.runs.audits import latest_found
from acclimate.runs.chosen import DOUBTFUL, Chosen, Doubt, Weighed, read_chosen
from acclimate.runs.findings import findings
from acclimate.runs.record import Run

_PIXEL_ART = 64
# Scores that speak for a candidate, by the names that the choice gives them: in a table, and in words. The first two
# are of all answers in the features of the model without adaptation, and no shares.
_HEADINGS: Mapping[str, str] = {
    "silhouette there": "silhouette",
    "clusters there": "AMI",
    "confidence": "confident",
    "seed agreement": "seeds agree",
}
_NO_SHARES = ("silhouette there", "clusters there")
_WORDS: Mapping[str, str] = {
    "silhouette there": "how close together its answers lie, seen without adaptation (silhouette, at most 1)",
    "clusters there": "how far they follow the clusters there (adjusted mutual information, at most 1)",
    "expected accuracy": "accuracy as confidence and agreement let expect it",
    "confidence": "mean confidence on the target",
    "seed agreement": "answers that two seeds give alike",
}


@dataclass(frozen=True)
class Looked:
    """A doubtful example with its picture, where it is one."""

    doubt: Doubt
    url: str | None
    small: bool


@dataclass(frozen=True)
class Trust:
    """The section.

    Attributes:
        headline: what is used, and how often it is likely to be right.
        reasons: why.
        favour: what speaks for it.
        against: what against it.
        figure: all candidates.
        finding: the figure in words.
        headings: of the table of candidates.
        rows: its rows.
        doubtful: examples to look at.
        labels: the command that asks for forty labels.
        failed: runs that came to no end, and why.
        left_out: reasons why methods were not tried, and which.
    """

    headline: str
    reasons: tuple[str, ...]
    favour: tuple[str, ...]
    against: tuple[str, ...]
    figure: Markup | None
    finding: str
    headings: list[str]
    rows: list[tuple[str, ...]]
    doubtful: tuple[Looked, ...]
    labels: str
    failed: Mapping[str, str]
    left_out: Mapping[str, str]


def trust_section(run: Run) -> Trust | None:
    """What to make of a run that was chosen; None of one that was not.

    Raises:
        WorkError: if what was written about the choice is damaged.
    """
    chosen = read_chosen(run)
    if chosen is None:
        return None
    audit = latest_found(run)
    favour, against = evidence(chosen)
    found, table = finding(chosen), columns(chosen)
    return Trust(
        headline=f"{audited_headline(audit)}. {headline(chosen)}" if audit else headline(chosen),
        reasons=chosen.reasons,
        favour=tuple(favour),
        against=(*against, *_noticed(run)),
        figure=svg(candidates_figure(chosen), found) if _drawn(chosen) else None,
        finding=found,
        headings=[capital(name) for name in table],
        rows=list(zip(*table.values(), strict=True)),
        doubtful=tuple(_looked(run, chosen)),
        labels=labels_command(run.folder, chosen),
        failed=chosen.failed,
        left_out=_by_reason(chosen.left_out),
    )


def _by_reason(left_out: Mapping[str, str]) -> dict[str, str]:
    names: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        names.setdefault(reason, []).append(name)
    return {reason: ", ".join(found) for reason, found in names.items()}


def not_weighed(chosen: Chosen) -> list[str]:
    """What failed and what was not tried, a sentence each: the rest of a table of candidates."""
    failed = [f"{name} failed: {why}" for name, why in chosen.failed.items()]
    return failed + [f"Not tried ({why}): {names}" for why, names in _by_reason(chosen.left_out).items()]


def headline(chosen: Chosen) -> str:
    """What is used, and how often it is likely to be right, in one sentence."""
    own = chosen.chosen
    what = f"{own.title}, without adaptation, is used" if chosen.name == chosen.baseline else f"{own.title} is used"
    if own.estimate is None:
        return f"{what}; how often it is right cannot be told: {own.cannot_tell or 'nothing tells'}"
    value, low, high = own.estimate.ends
    return (
        f"{what}; about {_whole(value)} of its answers are likely to be right ({100 * low:.0f} to {100 * high:.0f})"
    )


def estimated(weighed: Weighed) -> str:
    """`"87 % (79 to 93)"`, or that it cannot be told."""
    if weighed.estimate is None:
        return "cannot be told"
    value, low, high = weighed.estimate.ends
    return f"{_whole(value)} ({100 * low:.0f} to {100 * high:.0f})"


def _whole(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"


def columns(chosen: Chosen) -> dict[str, list[str]]:
    """The candidates as a table: columns by heading, names first, the chosen one marked."""
    known = [name for name in _HEADINGS if any(one.scores.get(name) is not None for one in chosen.candidates)]
    return {
        "candidate": [f"→ {one.name}" if one.name == chosen.name else one.name for one in chosen.candidates],
        "estimated accuracy": [estimated(one) for one in chosen.candidates],
        **{_HEADINGS[name]: [_written(name, one.scores.get(name)) for one in chosen.candidates] for name in known},
        "on the source": [_share(one.source_accuracy) for one in chosen.candidates],
    }


def _share(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _written(name: str, score: float | None) -> str:
    """A score as people read it."""
    return f"{score:.2f}" if name in _NO_SHARES and score is not None else _share(score)


def evidence(chosen: Chosen) -> tuple[list[str], list[str]]:
    """What speaks for the chosen candidate and what against it, each a sentence.

    Against the baseline where something else is used; where the baseline is, against the best that adapts, by its
    estimate.
    """
    own = chosen.chosen
    other = chosen.weighed(chosen.baseline) if chosen.name != chosen.baseline else _best_other(chosen)
    favour: list[str] = []
    against: list[str] = []
    for name, what, mine, theirs in _compared(own, other):
        told = f"{capital(what)}: {_written(name, mine)}; {other.title}: {_written(name, theirs)}."
        if mine != theirs:
            (favour if mine > theirs else against).append(told)
    return favour, against


def _best_other(chosen: Chosen) -> Weighed:
    others = [one for one in chosen.candidates if one.name != chosen.baseline]
    return max(others, key=lambda one: one.estimate.value if one.estimate else -1.0, default=chosen.chosen)


def _compared(own: Weighed, other: Weighed) -> Iterator[tuple[str, str, float, float]]:
    """Scores that both have, higher being better: by name and in words what is compared, its own and the other's."""
    for name, words in _WORDS.items():
        mine, theirs = own.scores.get(name), other.scores.get(name)
        if mine is not None and theirs is not None:
            yield name, words, mine, theirs
    if own.source_accuracy is not None and other.source_accuracy is not None:
        words = "right answers on source examples set aside"
        yield "source validation", words, own.source_accuracy, other.source_accuracy


def _noticed(run: Run) -> Iterator[str]:
    """What the run's own training and answers say against it."""
    for found in findings(run.metrics()):
        if found.until is None:
            yield f"{found.heading}: {found.sentence}"
    answers = read_answers(run)
    k = run.config["task"]["num_classes"]
    never = np.flatnonzero(class_shares(answers.after.predicted, len(answers.classes))[:k] == 0)
    if len(never):
        named = ", ".join(f"“{answers.classes[c]}”" for c in never[:5]) + (", …" if len(never) > 5 else "")
        yield f"{capital(counted(len(never), 'class', 'classes'))} never answered: {named}."


def _drawn(chosen: Chosen) -> bool:
    return any(one.estimate for one in chosen.candidates)


def finding(chosen: Chosen) -> str:
    """The figure in words."""
    told = "; ".join(f"{one.name} {estimated(one)}" for one in chosen.candidates)
    return f"Accuracy on the target, estimated without a label, with its interval: {told}."


def _looked(run: Run, chosen: Chosen) -> Iterator[Looked]:
    pictures = _pictures(run, len(chosen.doubtful))
    for i, doubt in enumerate(chosen.doubtful):
        if pictures is None:
            yield Looked(doubt, None, small=False)
        else:
            yield Looked(doubt, picture_url(pictures[i]), max(pictures[i].shape[:2]) <= _PIXEL_ART)


def _pictures(run: Run, n: int) -> np.ndarray | None:
    """Pictures of the doubtful examples, `(n, h, w, c)`; None where they are none.

    Raises:
        WorkError: if the file is damaged.
    """
    path = run.folder / DOUBTFUL
    if not path.is_file():
        return None
    run.check(path)
    found = read_arrays(path).get("pictures", np.zeros(0))
    if found.ndim != 4 or found.dtype != np.uint8 or len(found) != n or found.shape[-1] not in (1, 3):
        raise WorkError(f"{path} is not as acclimate writes it: it must hold {n} pictures. Restore it from a copy.")
    return found


def labels_command(folder: Path, chosen: Chosen) -> str:
    """The command that asks for forty labels, which tell how good the chosen run is and whether another is better."""
    # The baseline's answers lie beside whatever adapts.
    others = [one.runs[0] for one in chosen.candidates if one.name not in (chosen.name, chosen.baseline)]
    return shlex.join(["acclimate", "audit", str(folder), *(str(folder / run) for run in others)])
